import {z} from 'zod';
import {readRegularText} from '../../fs/regular-file.js';

/** What the steps and the rules have to know of a target Python: written by `step target`, read by the others. */
const stepTargetSchema = z.object({
  /** The executable. */
  python: z.string(),
  /** `3.14` */
  series: z.string(),
  /** `3.14.8` */
  version: z.string(),
  sysVersion: z.string(),
  cacheTag: z.string(),
  extensionSuffix: z.string(),
  /** The directory of the standard library. */
  stdlib: z.string(),
  /** Changes when the interpreter does. */
  identity: z.string(),
  /** Directories of headers, in order: files come from there, but for `internal`, which are below the first. */
  headers: z.array(z.string()),
  /** Directories to search, each as an index into `headers` and a directory below that. */
  includes: z.array(z.object({headers: z.number(), below: z.string()})),
  /** The C compiler. */
  cc: z.object({
    path: z.string(),
    /** Changes when the compiler, or the system's headers, do. */
    identity: z.string(),
    /** Flags by address model and kind of file. */
    flags: z.record(z.string(), z.object({data: z.array(z.string()), code: z.array(z.string())})),
  }),
  /** Rows of CPython's tables of frozen modules whose code the installed sources give; `path` is below `stdlib`. */
  frozen: z.array(z.object({name: z.string(), origin: z.string(), path: z.string()})),
  /** Names of all rows: an overlay cannot serve those. */
  frozenNames: z.array(z.string()),
  /** The modules of the standard library that are Python source, `path` below `stdlib`. */
  modules: z.array(z.object({name: z.string(), isPackage: z.boolean(), path: z.string()})),
  /** What a start imports of those, in order. */
  startup: z.array(z.string()),
  /** What it can be relinked from; a text that says why it cannot. */
  static: z.union([
    z.string(),
    z.object({
      main: z.string(),
      archive: z.string(),
      command: z.array(z.string()),
      libraries: z.array(z.string()),
    }),
  ]),
  /** The executable that a graft copies, and what edits the copy; a text that says why there is no graft. */
  graft: z.union([
    z.string(),
    z.object({
      original: z.string(),
      patchelf: z.string(),
      /** Changes when patchelf does. */
      identity: z.string(),
    }),
  ]),
  /** The linker's words for an extension module, or the library of a graft. */
  overlay: z.object({command: z.array(z.string())}),
});
export type StepTarget = z.infer<typeof stepTargetSchema>;

export async function readStepTarget(path: string): Promise<StepTarget> {
  return stepTargetSchema.parse(JSON.parse(await readRegularText(path)));
}
