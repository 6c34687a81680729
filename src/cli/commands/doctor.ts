import {resolve} from 'node:path';
import {examineInterpreter, examineMachine, type Check} from '../../hosts/doctor.js';
import {failure} from '../../model/failure.js';
import {count} from '../../report/words.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze doctor [EXE]`: whether this machine can build, or what a frozen interpreter says of itself. */
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
  const message = `this machine cannot build: ${missing.name} is missing or of no use`;
  return {failure: failure(missing.code, message, {hint: missing.hint})};
}

function isMissing({found, code}: Check): boolean {
  return found === undefined && code !== undefined;
}

async function interpreter({context, product}: Session, python: string): Promise<CommandEnd> {
  const found = await examineInterpreter(python, context);
  if (!found.ok) return {failure: found.failure};
  const {modules, used, inactiveBecause} = found.value;
  const active = inactiveBecause === null;
  product({
    text: active
      ? `${python}: Python ${found.value.python}, ${count(modules.length, 'frozen module')}, ${used} used by a bare start`
      : `${python}: Python ${found.value.python}, ${count(modules.length, 'frozen module')}, not in use: ${inactiveBecause}`,
    record: {
      type: 'interpreter',
      path: python,
      python: found.value.python,
      active,
      inactiveBecause,
      modules: modules.length,
      used,
    },
  });
  const end = {python: found.value.python, modules: modules.length};
  if (active) return end;
  return {...end, failure: failure('SMOKE', `${python} does not use its frozen modules: ${inactiveBecause}`)};
}
