import {basename, dirname, join} from 'node:path';
import type {SourceEntry} from '../../codegen/tables/index-table.js';
import {currentContent, currentNames, currentStart, currentState} from '../../fs/file-identity.js';
import {writeFileAtomic} from '../../fs/files.js';
import {readFile, realpath, recordWritten} from '../../fs/recorded-fs.js';
import {type Digest, digestOf} from '../../model/digest.js';
import {ok, type Result} from '../../model/result.js';
import type {DigestedSource} from '../../engine/source-digests.js';
import type {FreezePlan} from '../modules/module-plan.js';
import type {Toolchain} from '../toolchain.js';
import {sourceHash} from './source-hash.js';
import {decodeStamps, encodeStamps, type SourceStamp, type StampFile} from './stamp-file.js';

/** What a build knows of its sources. */
export interface StampedBuild {
  readonly plan: FreezePlan;
  readonly toolchain: Pick<Toolchain, 'layout' | 'target'>;
  /** The digests of the code units, by module. */
  readonly codes: ReadonlyMap<string, Digest>;
  /** The state of a source when the build digested it. */
  readonly stampOf: (path: string) => DigestedSource | undefined;
}

/**
 * Writes the stamps of a build's sources beside the file that holds its images, if they are not up to date. They are not part of
 * that file, so that an edit that does not change the code needs no link. Fails with IO.
 */
export async function writeStamps(images: string, build: StampedBuild): Promise<Result<void>> {
  const {sources} = build.plan;
  const file = `${await realpath(images)}.stamps`;
  const there = await readFile(file).catch(() => undefined);
  const known = there === undefined ? undefined : decodeStamps(sources, there);
  const content = encodeStamps(sources, stampsOf(build, known));
  if (there?.equals(content) === true) return ok();
  const written = await writeFileAtomic(file, content);
  recordWritten(file);
  return written;
}

/** The stamps of sources as they are now. What `known` says of files that have not changed is not computed again. */
export function stampsOf(build: StampedBuild, known?: StampFile): StampFile {
  const {plan, codes, stampOf} = build;
  const paths = new Map(plan.modules.map(({module, source}) => [module, source]));
  const folders = new Map<string, {readonly index: number; readonly sources: SourceEntry[]}>();
  const stamps = plan.sources.map((entry, i) => {
    const path = paths.get(entry.module);
    const code = codes.get(entry.module);
    if (path === undefined || code === undefined) return undefined;
    const folder = folderOf(path);
    folder.sources.push(entry);
    const content = contentStamp(path, stampOf(path), known?.stamps[i], build);
    if (content === undefined) return undefined;
    return {
      code,
      ...content,
      bytecode: bytecodeIdentity(path, content.hash, known?.stamps[i], build),
      folder: folder.index,
    };
  });

  return {
    hasInodes: true,
    folders: [...folders].map(([folder, {sources}]) => folderIdentity(folder, sources)),
    stamps,
  };

  function folderOf(source: string): {readonly index: number; readonly sources: SourceEntry[]} {
    const folder = dirname(source);
    const found = folders.get(folder) ?? {index: folders.size, sources: []};
    folders.set(folder, found);
    return found;
  }
}

/** Undefined when the source is not what the build has read. */
function contentStamp(
  path: string,
  digested: DigestedSource | undefined,
  known: SourceStamp | undefined,
  {toolchain: {layout}}: StampedBuild,
): Pick<SourceStamp, 'identity' | 'hash'> | undefined {
  // First the state, then the content: after a change between the two, the state will differ later.
  const state = currentState(path);
  if (state === undefined || digested === undefined || digested.identity !== state.identity) return undefined;
  const {identity, settled} = state;
  if (known?.identity === identity && settled) return {identity, hash: known.hash};
  const content = currentContent(path);
  if (content === undefined || digestOf(content) !== digested.digest) return undefined;
  return {identity: settled ? identity : 0n, hash: sourceHash(content, layout)};
}

/** The identity of a bytecode file that has no other code than its source; 0 when there is none, or that is not sure. */
function bytecodeIdentity(
  source: string,
  hash: bigint,
  known: SourceStamp | undefined,
  {toolchain: {target}}: StampedBuild,
): bigint {
  if (target.cacheTag === null) return 0n;
  const path = join(dirname(source), '__pycache__', `${basename(source, '.py')}.${target.cacheTag}.pyc`);
  const state = currentState(path);
  if (state?.settled !== true) return 0n;
  if (known?.bytecode === state.identity && known.hash === hash) return state.identity;
  // A hash-based file (PEP 552) counts even where its source has changed.
  const start = currentStart(path, 16);
  const isOther =
    start !== undefined &&
    start.toString('hex', 0, 4) === target.magic &&
    (start.readUInt32LE(4) & 1) === 1 &&
    start.readBigUInt64LE(8) !== hash;
  return isOther ? 0n : state.identity;
}

/** The identity of a directory in which no file takes precedence over these sources; 0 when that is not sure. */
function folderIdentity(folder: string, sources: readonly SourceEntry[]): bigint {
  const state = currentState(folder);
  const names = currentNames(folder);
  if (state?.settled !== true || names === undefined) return 0n;
  const taken = new Set(
    names.map((name) => (name.endsWith('.so') ? name.slice(0, name.indexOf('.')) : name)),
  );
  const hasRival = sources.some(({key, isPackage}) => taken.has(isPackage ? '__init__' : basename(key)));
  return hasRival ? 0n : state.identity;
}
