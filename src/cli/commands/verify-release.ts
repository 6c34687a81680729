import {join, resolve} from 'node:path';
import {failure} from '../../model/failure.js';
import {type Comparison, releaseTwice, reproduce} from '../../release/reproduce.js';
import type {Result} from '../../model/result.js';
import {count} from '../../report/words.js';
import type {CommandEnd, Session} from '../command.js';
import {need} from '../host-options.js';
import {optionSpec, type OptionName, SELECTION_OPTIONS} from '../options.js';

/** `flashfreeze verify MANIFEST` and `verify --twice`: a release, built anew, is the same release. */
export async function run(session: Session): Promise<CommandEnd> {
  const {invocation, context, product} = session;
  const {command, options} = invocation;
  const source = need(command, 'source', 'DIR', options.source);
  if (!source.ok) return {failure: source.failure};
  const buildDir = options['build-dir'] ?? join(context.cacheDir, 'builds', 'verify');
  const compared = await compare(session, source.value, buildDir);
  if (!compared.ok) return {failure: compared.failure};
  const {python, sha256, files, differences} = compared.value;
  for (const {path, what} of differences) {
    product({text: `${path}: ${what}`, record: {type: 'difference', path, what}});
  }
  const end = {python, sha256};
  if (differences.length === 0) {
    product({text: `${count(files, 'file')} and their archive are the same, byte for byte: ${sha256}`});
    return end;
  }
  return {...end, failure: failure('VERIFY', `the releases differ in ${count(differences.length, 'place')}`)};
}

function compare(
  {invocation, context, cwd}: Session,
  source: string,
  buildDir: string,
): Promise<Result<Comparison>> {
  const {word, options} = invocation;
  if (word !== undefined) return reproduce(resolve(cwd, word), {source, buildDir}, context);
  const passed: OptionName[] = [
    'configure-arg',
    'make-arg',
    'cc',
    'pie',
    'builtin-extensions',
    ...SELECTION_OPTIONS,
  ];
  const words = passed.flatMap((name) => {
    const value = options[name];
    if (value === undefined || value === false) return [];
    if (optionSpec(name).kind === 'flag') return [`--${name}`];
    return (Array.isArray(value) ? value : [value]).map((each) => `--${name}=${String(each)}`);
  });
  return releaseTwice({source, arguments: words}, buildDir, context);
}
