import {z} from 'zod';
import {withRegular} from '../fs/regular-file.js';
import type {SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import {isDigest, type Digest} from '../model/digest.js';
import {messageOf} from '../model/errno.js';
import {fail, ok, type Result} from '../model/result.js';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is no sha256');
const named = z.object({name: z.string(), sha256: digest});

const schema = z.object({
  schema: z.literal('flashfreeze-release/1'),
  /** The archive without its `.tar.xz`. */
  name: z.string(),
  python: z.string(),
  flashfreeze: z.object({version: z.string(), generator: digest}),
  archive: z.object({name: z.string(), size: z.number(), sha256: digest}),
  /** The options that reproduce the build. */
  recipe: z.object({
    configureArguments: z.array(z.string()),
    makeArguments: z.array(z.string()),
    cc: z.string().nullable(),
    pie: z.boolean(),
    builtinExtensions: z.boolean().default(false),
    /** The directory that a release with a snapshot is unpacked into. */
    snapshotAt: z.string().nullable().default(null),
    selection: z.object({
      startup: z.boolean(),
      traces: z.array(z.string()),
      modules: z.array(z.string()),
      packages: z.array(z.string()),
      stdlib: z.boolean(),
      exclude: z.array(z.string()),
      frozenFirst: z.boolean(),
      restsCollector: z.boolean(),
      exitsFast: z.boolean().default(false),
      preparesExpressions: z.boolean(),
      preparesSnippets: z.boolean().default(false),
    }),
    sourceDateEpoch: z.number(),
    /** The profile of the release: a file beside the manifest. */
    profile: named.nullable(),
  }),
  tools: z.array(z.object({name: z.string(), version: z.string(), sha256: digest.nullable()})),
  /** The variables of CPython's Makefile that say how it was compiled and linked. */
  flags: z.record(z.string(), z.string()),
  frozen: z.array(z.string()),
  /** The snapshot in the interpreter, and what it depends on besides the files of the release. */
  snapshot: z
    .object({
      /** The path by which the interpreter is called. */
      calledAs: z.string(),
      size: z.number(),
      /** The seed of string hashes. */
      seed: z.number(),
      modules: z.array(z.string()),
      leftOut: z.array(z.object({module: z.string(), reason: z.string(), where: z.string().exactOptional()})),
      importers: z.array(z.string()),
      /** Environment variables that imports read, with the values that they have to have; null for unset. */
      variables: z.array(z.object({name: z.string(), value: z.string().nullable()})),
      /** Hashes of the build ids of the libraries that the interpreter was loaded with, and of the processor's features. */
      libraries: z.string(),
      processor: z.string(),
    })
    .nullable()
    .default(null),
  inputs: z.array(named),
  files: z.array(
    z.union([
      z.object({path: z.string(), mode: z.number(), size: z.number(), sha256: digest}),
      z.object({path: z.string(), link: z.string()}),
    ]),
  ),
});

/**
 * A release and everything that it was made from. It contains no time and no local path, so that it is the same, byte for byte, wherever
 * the release is rebuilt.
 */
export type Manifest = z.infer<typeof schema>;

/** A snapshot as a manifest names it. */
export function snapshotOf(contents: SnapshotContents): NonNullable<Manifest['snapshot']> {
  const {calledAs, size, seed, modules, leftOut, importers, variables, libraries, processor} = contents;
  return {
    ...{calledAs, size, seed, modules, leftOut, importers, libraries, processor},
    variables: variables.map(({name, value = null}) => ({name, value})),
  };
}

/** The path of the manifest that lies beside an archive. */
export function manifestOf(archive: string): string {
  return archive.replace(/\.tar\.xz$/, '.manifest.json');
}

/** The text of the file, readable and suitable for `diff`. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** A manifest as it was read: it is checked and used by these bytes, because the file may be another one a moment later. */
export interface ReadManifest {
  readonly path: string;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

/** Fails with USAGE when the file is not there, or is not a manifest. */
export async function readManifest(path: string): Promise<Result<ReadManifest>> {
  try {
    const bytes = await withRegular(path, 'follow', ({handle, stats}) => {
      if (stats.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
      return handle.readFile();
    });
    return ok({path, bytes, manifest: schema.parse(JSON.parse(bytes.toString('utf8')))});
  } catch (error) {
    return fail('USAGE', `${path} is not a manifest of a release`, {details: messageOf(error)});
  }
}

/** Ten times what all of CPython with its tests takes. */
const MAX_BYTES = 32e6;
