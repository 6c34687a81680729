import {join, resolve} from 'node:path';
import {defaultBuildsDir} from '../../pipeline/default-build-dir.js';
import {failure} from '../../model/failure.js';
import {scrubbedEnvironment} from '../../exec/environment.js';
import {checkArchive} from '../../release/archive/integrity.js';
import {type Comparison, releaseTwice, reproduce} from '../../release/reproduction/reproduce.js';
import {readManifest, type ReadManifest} from '../../release/manifest.js';
import {checkSignature} from '../../release/detached-signature.js';
import {ok, type Result} from '../../model/result.js';
import {count} from '../../report/wording.js';
import type {CommandEnd, Session} from '../command.js';
import {requireOption} from '../args/host-options.js';
import {type OptionName, SELECTION_OPTIONS} from '../args/option-table.js';
import {wordsOf} from '../args/split-argv.js';

/** `flashfreeze verify MANIFEST` and `verify --twice`: a release, rebuilt, is the same release. */
export async function run(session: Session): Promise<CommandEnd> {
  const {invocation, context, product} = session;
  const {command, options, word} = invocation;
  let manifest: ReadManifest | undefined;
  if (word !== undefined) {
    const read = await readManifest(resolve(session.cwd, word));
    if (!read.ok) return {failure: read.failure};
    manifest = read.value;
    const checked = await checkManifest(session, manifest);
    if (!checked.ok) return {failure: checked.failure};
    // Users who trust the signers need not build.
    if (options['allowed-signers'] !== undefined && options.source === undefined) return checked.value;
  }
  if (context.dryRun) {
    return {
      failure: failure('USAGE', 'verify cannot be combined with --dry-run, because it builds the release', {
        hint: 'leave out --dry-run',
      }),
    };
  }
  const source = requireOption(command, 'source', 'DIR', options.source);
  if (!source.ok) return {failure: source.failure};
  const buildDir = options['build-dir'] ?? join(defaultBuildsDir(context.cacheDir), 'verify');
  const compared = await compare(session, manifest, source.value, buildDir);
  if (!compared.ok) return {failure: compared.failure};
  const {python, sha256, files, differences, harmless, views} = compared.value;
  for (const {path, what} of harmless) {
    product({
      text: `${path}: ${what} (not counted: no file of the release differs)`,
      record: {type: 'difference', path, what, harmless: true},
    });
  }
  for (const {path, what} of differences) {
    product({text: `${path}: ${what}`, record: {type: 'difference', path, what}});
  }
  for (const text of views) product({text, hasLines: true, record: {type: 'view', text}});
  const end = {python, sha256};
  if (differences.length === 0) {
    product({text: `${count(files, 'file')} and their archive are the same, byte for byte: ${sha256}`});
    return end;
  }
  return {
    ...end,
    failure: failure('VERIFY', `the releases differ: ${count(differences.length, 'difference')}`),
  };
}

/** Checks the signature of the manifest, and that the archive beside it matches, unless only the manifest is wanted. */
async function checkManifest(
  {invocation: {options}, context, product}: Session,
  manifest: ReadManifest,
): Promise<Result<CommandEnd>> {
  const signers = options['allowed-signers'];
  if (signers !== undefined) {
    const {signal, userEnvironment} = context;
    const environment = scrubbedEnvironment({}, userEnvironment);
    const signed = await checkSignature(manifest, signers, {environment, signal});
    if (!signed.ok) return signed;
    product({
      text: `the manifest is signed by ${signed.value}`,
      record: {type: 'signature', by: signed.value},
    });
  }
  const checked = await checkArchive(manifest, options['manifest-only']);
  if (!checked.ok) return checked;
  const {python, archive} = manifest.manifest;
  if (options['manifest-only'] !== true) {
    product({
      text: `the archive is ${archive.name}, of Python ${python}, as its manifest says: ${archive.sha256}`,
      record: {type: 'archive', name: archive.name, python, sha256: archive.sha256},
    });
  }
  return ok({python, sha256: archive.sha256});
}

function compare(
  {invocation, context}: Session,
  manifest: ReadManifest | undefined,
  source: string,
  buildDir: string,
): Promise<Result<Comparison>> {
  const {options} = invocation;
  const {profile} = options;
  if (manifest !== undefined) return reproduce(manifest, {source, buildDir, profile}, context);
  const passed: OptionName[] = [
    'configure-arg',
    'make-arg',
    'cc',
    'pie',
    'builtin-extensions',
    'snapshot-at',
    'profile',
    ...SELECTION_OPTIONS,
  ];
  return releaseTwice({source, arguments: wordsOf(options, passed)}, buildDir, context);
}
