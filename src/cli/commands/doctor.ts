import {resolve} from 'node:path';
import type {FrozenModule} from '../../cpython/interpreter/examine.js';
import {examineMachine, type Check} from '../../inspect/diagnosis.js';
import {examineInterpreter} from '../../inspect/examination.js';
import {examineProtection} from '../../inspect/protection.js';
import {readSnapshot} from '../../hosts/snapshot/snapshot-contents.js';
import {examineSnapshot} from '../../inspect/snapshot-examination.js';
import {failure} from '../../model/failure.js';
import {count} from '../../report/wording.js';
import type {CommandEnd, Session} from '../command.js';
import {snapshotLines} from '../snapshot-lines.js';

/** `flashfreeze doctor [EXE]`: whether this machine can build, or what there is in a frozen interpreter. */
export function run(session: Session): Promise<CommandEnd> {
  const {word} = session.invocation;
  return word === undefined ? machine(session) : interpreter(session, resolve(session.cwd, word));
}

async function machine({context, product}: Session): Promise<CommandEnd> {
  const checks = await examineMachine(context);
  const width = Math.max(...checks.map(({name}) => name.length));
  for (const check of checks) {
    const {name, found, purpose, code} = check;
    const state = found === undefined ? (code === undefined ? 'none' : 'MISSING') : 'ok';
    const note = found ?? `needed for ${purpose}`;
    product({
      text: `${name.padEnd(width)}  ${state.padEnd(7)}  ${note}`,
      record: {
        type: 'check',
        name,
        ok: found !== undefined,
        required: code !== undefined,
        found: found ?? null,
      },
    });
  }
  const missing = checks.find(isMissing);
  if (missing?.code === undefined) return {};
  const message = `this machine cannot build: ${missing.name} is missing or unusable`;
  return {failure: failure(missing.code, message, {hint: missing.hint})};
}

function isMissing({found, code}: Check): boolean {
  return found === undefined && code !== undefined;
}

async function interpreter(session: Session, python: string): Promise<CommandEnd> {
  const {context, product} = session;
  if (context.dryRun) {
    return {
      failure: failure('USAGE', 'doctor runs the interpreter, so it cannot be combined with --dry-run'),
    };
  }
  const contents = await readSnapshot(python);
  if (!contents.ok) return {failure: contents.failure};
  const {program, snapshot} = contents.value;
  if (program !== undefined) {
    const text = `${python}: the program ${program.text.split('\n').at(-1) ?? ''}, with the frozen modules of ${program.python}`;
    product({text, record: {type: 'program', path: python, kind: program.kind, python: program.python}});
  }
  if (snapshot !== undefined) {
    snapshotLines(await examineSnapshot(python, snapshot, context)).forEach(product);
  }
  // A program takes no options of an interpreter.
  return frozenModules(session, program?.python ?? python);
}

async function frozenModules(
  {context, product, cwd, invocation: {options}}: Session,
  python: string,
): Promise<CommandEnd> {
  const examined = await examineInterpreter(python, options.trace ?? [], cwd, context);
  if (!examined.ok) return {failure: examined.failure};
  const {modules, used, inactiveBecause, unused} = examined.value;
  const active = inactiveBecause === null;
  const state = active ? `${used} used by a bare start` : `not in use: ${inactiveBecause}`;
  product({
    text: `${python}: Python ${examined.value.python}, ${count(modules.length, 'frozen module')}, ${state}`,
    record: {
      type: 'interpreter',
      path: python,
      python: examined.value.python,
      active,
      inactiveBecause,
      modules: modules.length,
      used,
    },
  });
  const {build} = examined.value;
  product({
    text: Object.entries(build)
      .map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join('\n'),
    record: {type: 'build', build: build},
  });
  const protection = await examineProtection(python, context);
  for (const {name, found, original} of protection) {
    const beside = original === undefined || original === found ? '' : ` (the original: ${original})`;
    product({
      text: `  ${name}: ${found}${beside}`,
      record: {type: 'protection', name, found, original: original ?? null},
    });
  }
  const findings = [
    ...modules.filter((module) => module.state !== 'current').map(({name, ...rest}) => finding(name, rest)),
    ...(unused ?? []).map((name) => ({name, state: 'unused', note: ''})),
  ];
  const width = Math.max(0, ...findings.map(({name}) => name.length));
  for (const {name, state: found, note} of findings) {
    product({
      text: `${name.padEnd(width)}  ${found.padEnd(8)}  ${note}`.trimEnd(),
      record: {type: 'module', name, state: found, note},
    });
  }
  const end = {python: examined.value.python, modules: modules.length};
  if (active) return end;
  return {...end, failure: failure('SMOKE', `${python} does not use its frozen modules: ${inactiveBecause}`)};
}

/** The description of a module that changed since it was frozen. */
function finding(
  name: string,
  {state, origin, by}: Pick<FrozenModule, 'state' | 'origin' | 'by'>,
): {readonly name: string; readonly state: string; readonly note: string} {
  if (state === 'shadowed') return {name, state, note: `by ${by ?? 'another file'}`};
  return {name, state: 'stale', note: state === 'gone' ? `${origin} is gone` : `${origin} has changed`};
}
