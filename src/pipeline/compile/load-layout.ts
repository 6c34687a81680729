import {join} from 'node:path';
import {readFile, readdir} from '../../fs/recorded-fs.js';
import {type Layout, parseLayout} from '../../codegen/layout.js';
import {type Result, fail} from '../../model/result.js';
import {LAYOUTS_FOLDER} from '../../fs/package-files.js';

const LAYOUT_FILE = /^python(\d+\.\d+)\.h$/;

/** The CPython versions that can be frozen, such as `3.13`, oldest first: those with a layout file. */
export async function knownSeries(): Promise<readonly string[]> {
  const minor = (series: string): number => Number(series.split('.')[1]);
  return (await readdir(LAYOUTS_FOLDER))
    .flatMap((name) => LAYOUT_FILE.exec(name)?.[1] ?? [])
    .sort((a, b) => minor(a) - minor(b));
}

/** The layout of a CPython version. Fails with PYTHON_VERSION, naming the supported versions. */
export async function loadLayout(series: string): Promise<Result<Layout>> {
  const known = await knownSeries();
  if (!known.includes(series)) {
    return fail('PYTHON_VERSION', `CPython ${series} is not supported`, {
      hint: `supported versions: ${known.join(', ')} (to add one, see docs/new-cpython.md)`,
    });
  }
  const header = `python${series}.h`;
  return parseLayout(header, await readFile(join(LAYOUTS_FOLDER, header), 'utf8'));
}
