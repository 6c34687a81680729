import {DEFAULT_HASH_SEEDS, differenceFailure, verifyImages} from '../../inspect/verification.js';
import {count} from '../../report/wording.js';
import type {CommandEnd, Session} from '../command.js';
import {requireOption} from '../args/host-options.js';

/** `flashfreeze verify`: of a release, or of the images in an interpreter. */
export async function run(session: Session): Promise<CommandEnd> {
  const {word, options} = session.invocation;
  if (word === undefined && options.twice !== true) return verifyInterpreter(session);
  const {run: verifyRelease} = await import('./verify-release.js');
  return verifyRelease(session);
}

/** `flashfreeze verify --images EXE`: every image against a fresh compile of its source. */
async function verifyInterpreter({invocation, context, product}: Session): Promise<CommandEnd> {
  const {command, options} = invocation;
  const images = requireOption(command, 'images', 'EXE', options.images);
  if (!images.ok) return {failure: images.failure};
  const hashSeeds = options['hash-seed'] ?? DEFAULT_HASH_SEEDS;
  const {source} = options;
  const report = await verifyImages({python: images.value, source, hashSeeds}, context);
  if (!report.ok) return {failure: report.failure};
  const {python, modules, expressions, snippets, differences, snapshot} = report.value;
  for (const {module, where, field, detail, seed} of differences) {
    product({
      text: `${module}: ${where}, ${field}: ${detail} (hash seed ${seed})`,
      record: {type: 'difference', module, where, field, detail, seed},
    });
  }
  if (snapshot !== undefined) {
    const {modules: imported, bytes, problem, details, again} = snapshot;
    const record = {type: 'snapshot', modules: imported, bytes, problem, details, again};
    const megabytes = (bytes / 1e6).toFixed(1);
    const compared =
      again === 'equal' ? 'and a third one now' : `(not compared with a process of now: ${again ?? ''})`;
    const text =
      problem ?? `the imports of ${count(imported, 'module')}, as two processes left them ${compared}`;
    product({text: `the snapshot (${megabytes} MB): ${text}`, record});
  }
  const end = {python, modules, output: images.value};
  const problem = differenceFailure(report.value);
  if (problem !== undefined) return {...end, failure: problem};
  const seeds = count(hashSeeds.length, 'hash seed');
  const compared = [
    count(modules, 'image'),
    ...(expressions === 0 ? [] : [count(expressions, 'regular expression')]),
    ...(snippets === 0 ? [] : [count(snippets, 'source text')]),
  ];
  product({text: `${compared.join(' and ')} equal a fresh compile, with ${seeds}`});
  return end;
}
