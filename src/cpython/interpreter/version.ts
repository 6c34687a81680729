import {fail, ok, type Result} from '../../model/result.js';

/** The version of a CPython. */
export interface PythonVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
  /** As CPython writes it, such as `3.13.15` or `3.15.0a2+`. */
  readonly text: string;
  /** What the layout of objects goes by, such as `3.13`. */
  readonly series: string;
  /** PY_VERSION_HEX, such as 0x030d0ff0. */
  readonly hex: number;
}

/** The codes of `sys.version_info.releaselevel` in PY_VERSION_HEX, by the letters that version texts use. */
const RELEASE_LEVELS: Readonly<Record<string, number>> = {a: 0xa, b: 0xb, rc: 0xc};
const FINAL = 0xf;

/** `3.13.15`, `3.15.0rc1`, `3.14.0a2+` (the plus: from a checkout after that release). Undefined for anything else. */
export function parseVersion(text: string): PythonVersion | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?\+?$/.exec(text);
  if (!match) return undefined;
  const [major = 0, minor = 0, micro = 0] = match.slice(1, 4).map(Number);
  const level = RELEASE_LEVELS[match[4] ?? ''] ?? FINAL;
  const hex = ((major << 24) | (minor << 16) | (micro << 8) | (level << 4) | Number(match[5] ?? 0)) >>> 0;
  return {major, minor, micro, text, series: `${major}.${minor}`, hex};
}

/** The version that Include/patchlevel.h states (PY_VERSION). Fails with SOURCE_TREE. */
export function parsePatchlevel(header: string): Result<PythonVersion> {
  const text = /^#define\s+PY_VERSION\s+"([^"]*)"/m.exec(header)?.[1];
  const version = text === undefined ? undefined : parseVersion(text);
  if (version) return ok(version);
  return fail('SOURCE_TREE', `cannot read the version in Include/patchlevel.h (${text ?? 'no PY_VERSION'})`);
}

/** Negative, zero or positive, as for sorting. */
export function compareVersions(a: PythonVersion, b: PythonVersion): number {
  return a.hex - b.hex;
}
