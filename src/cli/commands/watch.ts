import type {BuildOutcome} from '../../model/outcomes.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {overlayHost} from '../../hosts/overlay/overlay-host.js';
import {openSnapshot} from '../../hosts/snapshot/snapshot-build.js';
import {makeHost} from '../../hosts/make/make-host.js';
import {freeze} from '../../pipeline/pipeline.js';
import {relinkBy} from '../../hosts/installed/relink-methods.js';
import type {Repetition} from '../../pipeline/repetition.js';
import {sourceHost} from '../../hosts/source/source-host.js';
import {failure} from '../../model/failure.js';
import {type Result, fail, ok} from '../../model/result.js';
import {summaryText} from '../../report/wording.js';
import {CommandRunner} from '../../watch/command-runner.js';
import {watchBuilds} from '../../watch/watch-builds.js';
import type {CommandEnd, Invocation, Session} from '../command.js';
import {
  installedOptionsOf,
  makeRequestOf,
  methodOf,
  relinkOptionsOf,
  selectionOf,
  snapshotOptionsOf,
  sourceOptionsOf,
} from '../args/host-options.js';

/** What the watch rebuilds. */
interface Subject {
  /** The command that would build it once. */
  readonly command: 'build' | 'make' | 'relink' | 'overlay' | 'snapshot';
  /** The paths that it writes, absolute. */
  readonly outputs: readonly string[];
  readonly build: (context: HostContext) => Promise<Result<BuildOutcome>>;
}

/** `flashfreeze watch`: builds whenever a frozen module is edited, until it is interrupted. */
export async function run({invocation, context, cwd, product}: Session): Promise<CommandEnd> {
  const {options} = invocation;
  if (context.dryRun) return {failure: failure('USAGE', 'watch cannot be combined with --dry-run')};
  const subject = await subjectOf(invocation, context);
  if (!subject.ok) return {failure: subject.failure};
  const {command, outputs, build} = subject.value;
  const {events, signal} = context;
  const runner = options.exec === undefined ? undefined : execRunner(options.exec, {context, cwd, product});
  let {force} = context;
  let lastFailed = true;
  const why = await watchBuilds({
    outputs,
    poll: options.poll ?? false,
    events,
    signal,
    build(repetition: Repetition) {
      events.emit({type: 'command-started', command: invocation.command});
      const building = build({...context, force, repetition});
      force = false;
      return building;
    },
    async onBuild(outcome, changes, ms) {
      const changed = [...changes].sort();
      const wallMs = Math.round(ms);
      if (!outcome.ok) {
        lastFailed = true;
        events.emit({type: 'error', failure: outcome.failure});
        const text = `${command}: failed (${outcome.failure.code}); waiting for a change`;
        product({
          text,
          record: {type: 'build', ok: false, command, changed, wallMs, failure: outcome.failure},
        });
        return;
      }
      const record = {type: 'build', ok: true, command, changed, wallMs, ...outcome.value} as const;
      const text = summaryText({...record, type: 'summary', time: 0}) ?? command;
      product({text, record});
      // A running command is not restarted for files that were only touched, because it may have touched them itself.
      const {executed, cached, remote} = outcome.value.actions;
      const isNew = lastFailed || executed + cached + remote > 0;
      lastFailed = false;
      if (isNew) await runner?.restart();
    },
  });
  await runner?.stop();
  return {failure: why};
}

/** The host that the argument selects, or the options without one. Fails with USAGE, and as the hosts do. */
async function subjectOf(invocation: Invocation, context: HostContext): Promise<Result<Subject>> {
  const {cacheDir, userEnvironment} = context;
  const {options, word = options.python === undefined ? 'build' : 'relink'} = invocation;
  const selection = selectionOf(options);
  if (word !== 'relink' && word !== 'snapshot' && methodOf(options) !== undefined) {
    const hint = 'it is an option of relink and snapshot';
    return fail('USAGE', `unknown option --method for watch ${word}`, {hint});
  }
  if (word === 'build') {
    const source = sourceOptionsOf(invocation);
    if (!source.ok) return source;
    const host = await sourceHost(source.value);
    if (!host.ok) return host;
    return ok({
      command: word,
      outputs: [host.value.places.root, ...(options.out === undefined ? [] : [options.out])],
      build: (context) => freeze(host.value, selection, context),
    });
  }
  if (word === 'make') {
    const request = makeRequestOf(invocation, userEnvironment);
    if (!request.ok) return request;
    const host = makeHost(request.value);
    return ok({
      command: word,
      outputs: [host.places.root],
      build: (context) => freeze(host, selection, context),
    });
  }
  if (word === 'relink') {
    const relink = relinkOptionsOf(invocation);
    if (!relink.ok) return relink;
    const relinking = await relinkBy(methodOf(options), relink.value, context);
    if (!relinking.ok) return relinking;
    const {outputs, build} = relinking.value;
    return ok({command: word, outputs, build: (each) => build(selection, each)});
  }
  if (word === 'snapshot') {
    const snapshot = snapshotOptionsOf(invocation, cacheDir);
    if (!snapshot.ok) return snapshot;
    const opened = await openSnapshot(snapshot.value, selection, context.cwd);
    if (!opened.ok) return opened;
    const {root, build} = opened.value;
    return ok({command: word, outputs: [root, snapshot.value.out], build});
  }
  if (word === 'overlay') {
    const overlay = installedOptionsOf(invocation);
    if (!overlay.ok) return overlay;
    const host = overlayHost(overlay.value, cacheDir);
    return ok({
      command: word,
      outputs: [host.places.root, overlay.value.out],
      build: (context) => freeze(host, selection, context),
    });
  }
  return fail('USAGE', `watch: unknown argument ${word}`, {
    hint: 'expected one of build, relink, overlay, snapshot',
  });
}

function execRunner(
  command: string,
  {context, cwd, product}: Pick<Session, 'context' | 'cwd' | 'product'>,
): CommandRunner {
  const {userEnvironment, events, signal} = context;
  const given = Object.entries(userEnvironment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new CommandRunner({
    command,
    cwd,
    environment: Object.fromEntries(given),
    signal,
    onOutput(text, stream) {
      product({text, hasLines: true, record: {type: 'exec-output', stream, text}});
    },
    onEnd(end) {
      if ('failure' in end) events.emit({type: 'warning', message: end.failure.message});
      else if (end.exitCode !== 0) {
        events.emit({type: 'warning', message: `${command}: exit code ${end.exitCode}`});
      }
    },
  });
}
