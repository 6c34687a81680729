import {dirname, join} from 'node:path';
import {readFile} from '../../fs/recorded-fs.js';
import {errnoOf, messageOf} from '../../model/errno.js';
import {fail, ok, type Result} from '../../model/result.js';
import {OPTIONS, configName, type OptionName, type OptionValues} from './option-table.js';
import {placeValue, type RawValue} from './option-values.js';

export const CONFIG_FILE = 'flashfreeze.config.json';

/**
 * The options that a configuration file gives: that of `--config` (`explicit`), else the nearest `flashfreeze.config.json`
 * from `cwd` upwards, else none. Relative paths in it start at its directory. Fails with CONFIG.
 */
export async function loadConfig(explicit: string | undefined, cwd: string): Promise<Result<OptionValues>> {
  for (const path of explicit === undefined ? upwards(cwd) : [explicit]) {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      const missing = ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
      if (missing && explicit === undefined) continue;
      if (missing) return fail('CONFIG', `configuration file ${path} not found`);
      return fail('CONFIG', `cannot read the configuration file ${path}: ${messageOf(error)}`);
    }
    return readConfig(path, text);
  }
  return ok({});
}

function* upwards(folder: string): Iterable<string> {
  yield join(folder, CONFIG_FILE);
  if (dirname(folder) !== folder) yield* upwards(dirname(folder));
}

async function readConfig(path: string, text: string): Promise<Result<OptionValues>> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return fail('CONFIG', `${path} is not valid JSON: ${messageOf(error)}`);
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

/** Options of the command line take precedence over those of the file, one by one; a list replaces a list. */
export function mergeOptions(
  fromFile: OptionValues,
  fromCommandLine: OptionValues,
  known: readonly OptionName[],
): OptionValues {
  const merged = {...fromFile, ...fromCommandLine};
  return Object.fromEntries(Object.entries(merged).filter(([name]) => known.includes(name as OptionName)));
}
