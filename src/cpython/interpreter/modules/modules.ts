import {z} from 'zod';

/**
 * How a module was loaded, by the exact class of its loader (a subclass may change the code): `builtin` and `extension` are
 * compiled C, `frozen` is in the interpreter's tables, `source` is a `.py` file, `other` is all else (zip files,
 * namespace packages, loaders of an application).
 */
const MODULE_KINDS = ['builtin', 'frozen', 'source', 'extension', 'other'] as const;
export type ModuleKind = (typeof MODULE_KINDS)[number];

/** A module as a Python finds it. */
export interface ModuleRecord {
  readonly name: string;
  readonly isPackage: boolean;
  readonly kind: ModuleKind;
  /** The file. Of a frozen module, its source in the standard library, when the Python tells (3.11 and later). */
  readonly origin: string | null;
  /** The loader's class. */
  readonly loader: string | null;
  /** Whether `-m` has run it, and nothing has imported it. */
  readonly isRun?: boolean | undefined;
}

export const moduleRecord: z.ZodType<ModuleRecord> = z.object({
  name: z.string(),
  isPackage: z.boolean(),
  kind: z.enum(MODULE_KINDS),
  origin: z.string().nullable(),
  loader: z.string().nullable(),
  isRun: z.boolean().optional(),
});
