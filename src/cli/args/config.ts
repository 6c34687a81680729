import {dirname, join} from 'node:path';
import {homeDirectory} from '../../fs/home-directory.js';
import {isForeign, nameOfUser, othersMayWrite} from '../../fs/owners.js';
import {existsSync, lstat, readFile, realpath, stat} from '../../fs/recorded-fs.js';
import {errnoOf, messageOf} from '../../model/errno.js';
import {fail, ok, type Result} from '../../model/result.js';
import {
  OPTIONS,
  configName,
  namesProgram,
  optionSpec,
  type OptionName,
  type OptionValues,
} from './option-table.js';
import {placeValue, type RawValue} from './option-values.js';

export const CONFIG_FILE = 'flashfreeze.config.json';

/** What is reported about a configuration file. */
export interface ConfigNotes {
  readonly notice: (message: string) => void;
  readonly warn: (message: string, hint: string) => void;
}

const UNHEARD: ConfigNotes = {notice: () => undefined, warn: () => undefined};

/**
 * The options that a configuration file gives: that of `--config` (`explicit`), else the nearest `flashfreeze.config.json`
 * from `cwd` upwards, else none. Relative paths in it start at its directory. Fails with CONFIG.
 *
 * It can run programs, so one that is found counts only if nobody but this user and root may write it or its directory. The search
 * ends at the home directory and at the root of a repository.
 */
export async function loadConfig(
  explicit: string | undefined,
  cwd: string,
  notes = UNHEARD,
): Promise<Result<OptionValues>> {
  for (const path of explicit === undefined ? upwards(cwd) : [explicit]) {
    let text: string;
    try {
      const stranger = explicit === undefined ? await openTo(path) : undefined;
      if (stranger !== undefined) {
        notes.warn(`${path} is not used: ${stranger}`, 'pass it with --config to use it');
        continue;
      }
      text = await readFile(path, 'utf8');
    } catch (error) {
      const missing = ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
      if (missing && explicit === undefined) continue;
      if (missing) return fail('CONFIG', `configuration file ${path} not found`);
      return fail('CONFIG', `cannot read the configuration file ${path}: ${messageOf(error)}`);
    }
    const options = await readConfig(path, text);
    if (explicit === undefined && options.ok) notes.notice(`using the configuration file ${path}`);
    return options;
  }
  return ok({});
}

/** Who else may change a file: it, its directory, or those that a link at its path leads to. Undefined for nobody. */
async function openTo(path: string): Promise<string | undefined> {
  const real = await realpath(path);
  const looks = [
    ['it', path, await lstat(path)],
    ['it', real, await stat(real)],
    ['its directory', dirname(path), await stat(dirname(path))],
    ['its directory', dirname(real), await stat(dirname(real))],
  ] as const;
  for (const [what, at, stats] of looks) {
    if (isForeign(stats)) return `${what} belongs to ${nameOfUser(stats.uid)}`;
    // The permissions of a link mean nothing.
    if (!stats.isSymbolicLink() && othersMayWrite(at, stats)) return `others may write to ${what}`;
  }
  return undefined;
}

const REPOSITORIES = ['.git', '.hg', '.svn', '.jj'];

function* upwards(folder: string): Iterable<string> {
  yield join(folder, CONFIG_FILE);
  const ends = folder === homeDirectory() || REPOSITORIES.some((name) => existsSync(join(folder, name)));
  if (!ends && dirname(folder) !== folder) yield* upwards(dirname(folder));
}

/**
 * What a dry run uses of a configuration file that was found and not asked for: no program, since it would be started to learn its
 * version.
 */
export function withoutPrograms(options: OptionValues, notes: ConfigNotes): OptionValues {
  const isProgram = (name: string): boolean => namesProgram(optionSpec(name as OptionName));
  const programs = Object.keys(options).filter(isProgram);
  if (programs.length > 0) {
    const names = programs.map((name) => configName(name as OptionName)).join(' and ');
    notes.warn(
      `a dry run starts no program that a configuration file names, so ${names} in it is not used`,
      `pass ${programs.map((name) => `--${name}`).join(' and ')}, or the file with --config`,
    );
  }
  return Object.fromEntries(Object.entries(options).filter(([name]) => !isProgram(name)));
}

async function readConfig(path: string, text: string): Promise<Result<OptionValues>> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return fail('CONFIG', `${path} is not valid JSON: ${withoutExcerpt(messageOf(error))}`);
  }
  // Imported here, because most runs have no configuration file, and zod takes a noticeable part of a short run.
  const {checkConfig} = await import('./config-schema.js');
  const checked = checkConfig(path, content);
  if (!checked.ok) return checked;
  const options: Record<string, RawValue> = {};
  for (const name of Object.keys(OPTIONS) as OptionName[]) {
    const value = checked.value[configName(name)];
    if (value !== undefined) options[name] = placeValue(name, value, dirname(path));
  }
  // The schema is made of the same declarations as the type.
  return ok(options as OptionValues);
}

/** Node.js repeats a part of the text, which may be one of a password. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, '');
}

/** Options of the command line take precedence over those of the file, one by one; a list replaces a list. */
export function mergeOptions(
  fromFile: OptionValues,
  fromCommandLine: OptionValues,
  known: readonly OptionName[],
): OptionValues {
  const merged = {...fromFile, ...fromCommandLine};
  return Object.fromEntries(Object.entries(merged).filter(([name]) => known.includes(name as OptionName)));
}
