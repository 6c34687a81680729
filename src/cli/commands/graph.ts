import {sentence} from '../../engine/causes.js';
import type {History} from '../../engine/records/history.js';
import {partsOf} from '../../engine/keys.js';
import {scrubbedEnvironment} from '../../exec/environment.js';
import {runProcess} from '../../exec/process.js';
import type {ActionId} from '../../model/action.js';
import {fail, ok, type Result} from '../../model/result.js';
import {dotOf, type Graph, type GraphNode} from '../../report/dot.js';
import {printableJson} from '../../report/printable.js';
import {historyOf} from '../build-history.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze graph [dot|json|svg]`: the actions of the last build, and which reads what of which. */
export async function run(session: Session): Promise<CommandEnd> {
  const {invocation, product} = session;
  const {word = 'dot', options} = invocation;
  if (!['dot', 'json', 'svg'].includes(word)) {
    return {
      failure: fail('USAGE', `unknown graph format ${word}`, {hint: 'expected one of dot, json, svg'})
        .failure,
    };
  }
  const history = await historyOf(session);
  if (!history.ok) return {failure: history.failure};
  const graph = graphOf(history.value, options.module ?? []);
  if (!graph.ok) return {failure: graph.failure};
  const {nodes, edges} = graph.value;
  if (options.json === true) {
    for (const node of nodes) product({text: '', record: {type: 'node', ...node}});
    for (const edge of edges) product({text: '', record: {type: 'edge', ...edge}});
    return {};
  }
  if (word === 'json') product({text: printableJson(JSON.stringify(graph.value, null, 1)), hasLines: true});
  else if (word === 'dot') product({text: dotOf(graph.value), hasLines: true});
  else {
    const picture = await draw(dotOf(graph.value), session);
    if (!picture.ok) return {failure: picture.failure};
    product({text: picture.value.trimEnd(), hasLines: true});
  }
  return {};
}

/** The last build, or the part that these modules depend on or that depends on them. Fails with NO_MODULE for an unknown one. */
function graphOf(history: History, modules: readonly string[]): Result<Graph> {
  const {done, fresh} = history.lastRun;
  const all: GraphNode[] = [
    ...done.map(({id, ms, account}) => ({id, outcome: account.outcome, ms, reason: sentence(account)})),
    ...fresh.map((id) => ({id, outcome: 'fresh' as const, ms: null, reason: 'up to date'})),
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  const there = new Set(all.map(({id}) => id));
  const edges = all.flatMap(({id}) =>
    history
      .needsOf(id)
      .filter((from) => there.has(from))
      .map((from) => ({from, to: id})),
  );
  const missing = modules.find((module) => !all.some(({id}) => partsOf(id).target === module));
  if (missing !== undefined) return fail('NO_MODULE', `the last build has no module ${missing}`);
  if (modules.length === 0) return ok({nodes: all, edges});
  const chosen = all.filter(({id}) => modules.includes(partsOf(id).target)).map(({id}) => id);
  const kept = new Set([
    ...reach(
      chosen,
      edges.map(({from, to}) => [from, to]),
    ),
    ...reach(
      chosen,
      edges.map(({from, to}) => [to, from]),
    ),
  ]);
  return ok({
    nodes: all.filter(({id}) => kept.has(id)),
    edges: edges.filter(({from, to}) => kept.has(from) && kept.has(to)),
  });
}

/** Everything reachable from some actions, and these themselves. */
function reach(start: readonly ActionId[], steps: readonly (readonly [ActionId, ActionId])[]): Set<ActionId> {
  const reached = new Set(start);
  for (const id of reached) for (const [from, to] of steps) if (from === id) reached.add(to);
  return reached;
}

/** Fails with NO_TOOL where Graphviz is not installed. */
async function draw(dot: string, {context, cwd}: Session): Promise<Result<string>> {
  const drawn = await runProcess({
    file: 'dot',
    args: ['-Tsvg'],
    cwd,
    environment: scrubbedEnvironment({}, context.userEnvironment),
    signal: context.signal,
    input: dot,
    maxOutputBytes: 256 * 1024 * 1024,
  });
  if (!drawn.ok && drawn.failure.code === 'NO_TOOL') {
    return fail('NO_TOOL', 'Graphviz, which draws the graph, is not installed', {
      hint: 'install it, or print the graph as dot or json',
    });
  }
  if (!drawn.ok) return drawn;
  if (drawn.value.exitCode === 0) return ok(drawn.value.stdout);
  return fail('PROCESS', 'Graphviz could not draw the graph', {details: drawn.value.stderr});
}
