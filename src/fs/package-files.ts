import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {isText, objectWith, schemaOf} from '../model/shape.js';
import {parseJson} from './read-json.js';
import {readFileSync} from './recorded-fs.js';

/** The directory of this package; sources and bundles both lie two directories below it. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** The directory of the runtime's C. */
export const RUNTIME_FOLDER = join(PACKAGE, 'src', 'runtime');
/** The directory of the layout files, one per CPython version. */
export const LAYOUTS_FOLDER = join(PACKAGE, 'src', 'codegen', 'layouts');

/** The directory of the scripts that run inside a target. */
export const SCRIPTS_FOLDER = join(PACKAGE, 'src', 'cpython', 'interpreter', 'scripts');

/** The C of a library that puts a clock ahead, for builds that have to be the same at another time. */
export const CLOCK_SOURCE = join(PACKAGE, 'src', 'release', 'reproduction', 'preloaded-clock.c');

/** The program that runs this package's commands. */
export const PROGRAM = join(PACKAGE, 'bin', 'flashfreeze.mjs');

/** The directory of the bundles. */
export const BUNDLE_FOLDER = join(PACKAGE, 'dist');

/** The record of what the bundle was compiled from, with the function that compares (a checkout has it, the published package has not). */
export const BUNDLE_RECORD = join(PACKAGE, 'scripts', 'bundle-record.mjs');

/** The version of this package. */
export function packageVersion(): string {
  return readManifest().version;
}

/** The oldest Node.js that this package runs on, such as `20.19`. */
export function oldestNode(): string {
  return readManifest().engines.node.replace('>=', '');
}

const manifestSchema = schemaOf<Manifest>(
  objectWith<Manifest>({
    version: isText,
    engines: objectWith<Manifest['engines']>({node: isText}),
  }),
);

interface Manifest {
  readonly version: string;
  readonly engines: {readonly node: string};
}

function readManifest(): Manifest {
  const path = join(PACKAGE, 'package.json');
  const manifest = parseJson(readFileSync(path, 'utf8'), manifestSchema);
  if (manifest === undefined) throw new Error(`unexpected content of ${path}`);
  return manifest;
}
