import {type Digest, digestOf} from '../../model/digest.js';
import {cArray, cAsciiString, cString, cWideString} from '../c-text.js';
import {hashBuckets, hashBytes} from './hash-table.js';
import {imageSymbol} from '../image.js';
import type {Layout} from '../layout.js';

/** A row of CPython's own tables of frozen modules, and the module whose image serves it. */
export interface FrozenRow {
  readonly name: string;
  readonly module: string;
}

/** A frozen module that is found on disk. */
export interface SourceEntry {
  readonly module: string;
  readonly isPackage: boolean;
  /** Index into `roots`. */
  readonly root: number;
  /** Its place below the root, without suffix: `json/decoder`, `json` for `json/__init__.py`. */
  readonly key: string;
}

export interface IndexInput {
  readonly layout: Layout;
  readonly frozenRows: readonly FrozenRow[];
  readonly sources: readonly SourceEntry[];
  /** Directories that hold frozen modules; `stdlib` is the standard library, wherever it is at run time. */
  readonly roots: readonly ('stdlib' | {readonly path: string})[];
  /** Whether frozen modules take precedence over files that come earlier on `sys.path`. */
  readonly frozenFirst: boolean;
  /** Whether the build writes stamps of the sources. */
  readonly hasStamps: boolean;
  /** Whether the garbage collector pauses while frozen modules are imported. */
  readonly restsCollector: boolean;
  /** Whether processes end without taking the interpreter apart. */
  readonly exitsFast: boolean;
  /** The C of the tables of expressions and snippets. */
  readonly preparedTables: string;
  /** Whether there is an image of CPython's `getpath`. */
  readonly hasGetpath: boolean;
  /** `sys.version` of the only interpreter that may use the images; not given for those that are linked into it. */
  readonly targetVersion?: string | undefined;
  /** The path by which the interpreter starts; by default its own. */
  readonly programName?: string | undefined;
}

/** Identifies a list of sources, in its order: stamps (src/runtime/sources/stamps.c) belong to one. */
export function indexId(sources: readonly SourceEntry[]): Digest {
  return digestOf(sources.map(({module, root, key}) => `${module} ${root} ${key}\n`).join(''));
}

/** The C of the index: the tables through which the runtime finds images. */
export function generateIndex(input: IndexInput): string {
  const modules = new Set([
    ...input.frozenRows.map((row) => row.module),
    ...input.sources.map((source) => source.module),
    ...(input.hasGetpath ? ['getpath'] : []),
  ]);
  const rows = input.frozenRows.map((row) => `{${cAsciiString(row.name)}, &${imageSymbol(row.module)}},\n`);
  const sources = input.sources.map(
    (source) =>
      `{${cString(Buffer.from(source.key, 'utf8'))}, &${imageSymbol(source.module)}, ${source.root}, ${source.isPackage ? 1 : 0}},\n`,
  );
  const table = hashBuckets(input.sources.map(({key}) => hashBytes(Buffer.from(key, 'utf8'))));
  const roots = input.roots.map((root) =>
    root === 'stdlib' ? 'NULL' : cString(Buffer.from(root.path, 'utf8')),
  );
  return [
    `#include "${input.layout.header}"`,
    '#include "flashfreeze.h"',
    ...[...modules].map((module) => `extern const ff_image ${imageSymbol(module)};`),
    `const ff_frozen_row ff_frozen_rows[] = {\n${rows.join('')}{NULL, NULL}};`,
    `const uint32_t ff_frozen_row_count = ${rows.length};`,
    `const ff_source ff_sources[] = {\n${sources.join('')}{NULL, NULL, 0, 0}};`,
    `const uint32_t ff_source_count = ${sources.length};`,
    `const uint32_t ff_source_buckets[] = ${cArray(table)};`,
    `const uint32_t ff_source_bucket_mask = ${table.length - 1};`,
    `const ff_root ff_roots[] = ${cArray([...roots, 'NULL'])};`,
    `const uint32_t ff_root_count = ${roots.length};`,
    input.preparedTables,
    `const int ff_frozen_first = ${input.frozenFirst ? 1 : 0};`,
    `const int ff_rests_collector = ${input.restsCollector ? 1 : 0};`,
    `const int ff_exits_fast = ${input.exitsFast ? 1 : 0};`,
    `const ff_image *const ff_getpath = ${input.hasGetpath ? `&${imageSymbol('getpath')}` : 'NULL'};`,
    `const int ff_has_stamps = ${input.hasStamps ? 1 : 0};`,
    `const char *const ff_index_id = "${indexId(input.sources)}";`,
    `const char *const ff_target = ${input.targetVersion === undefined ? 'NULL' : cString(Buffer.from(input.targetVersion, 'utf8'))};`,
    `const wchar_t *const ff_original_path = ${input.programName === undefined ? 'NULL' : cWideString(input.programName)};`,
    '',
  ].join('\n');
}
