/** Layout files against real headers and real interpreters: this machine's, and those of a newer Debian. */
import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {SNAPSHOT_SERIES} from '../../src/hosts/snapshot/snapshot-series.js';
import {findPythons} from '../../support/pythons.js';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from '../../support/debian-root.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

const PACKAGE = join(import.meta.dirname, '../..');
const LAYOUTS = join(PACKAGE, 'src/codegen/layouts');
const RUNTIME = join(PACKAGE, 'src/runtime');
const PROBE = import.meta.dirname;
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];
const MODELS = {
  absolute: ['-fno-pie'],
  'position-independent': ['-fPIC', '-DFF_POSITION_INDEPENDENT=1'],
};

const folder = temporaryDirectory('layouts');

interface Output {
  readonly exitCode: number | null;
  readonly text: string;
}

/** A Python with its headers, and a way to run programs where it is. */
interface Place {
  readonly series: string;
  readonly python: string;
  readonly run: (argv: readonly string[]) => Promise<Output>;
}

function here([file = '', ...args]: readonly string[]): Promise<Output> {
  const done = spawnSync(file, args, {encoding: 'utf8', env: {...process.env, LD_BIND_NOW: '1'}});
  return Promise.resolve({exitCode: done.status, text: (done.stdout + done.stderr).trim()});
}

async function inRoot(root: string, argv: readonly string[]): Promise<Output> {
  const binds = {[PACKAGE]: 'read', [folder]: 'write'} as const;
  const done = await runInRoot(root, argv, {binds, environment: {LD_BIND_NOW: '1'}});
  if (!done.ok) throw new Error(done.failure.message);
  return {exitCode: done.value.exitCode, text: (done.value.stdout + done.value.stderr).trim()};
}

// Says why, where it cannot be had.
const root = process.env['FLASHFREEZE_TEST_PYTHONS'] === 'newest' ? undefined : await newerDebianRoot();
const places: readonly Place[] = [
  ...findPythons().map(({series, python}) => ({series, python, run: here})),
  ...NEWER_SERIES.flatMap((series) =>
    root === undefined
      ? []
      : [{series, python: `/usr/bin/python${series}`, run: (argv: readonly string[]) => inRoot(root, argv)}],
  ),
];
const allSeries = readdirSync(LAYOUTS).flatMap((name) => /^python(.*)\.h$/.exec(name)?.[1] ?? []);

describeWith(places.length > 0, 'another Python').each(places.map((place) => [place.series, place] as const))(
  'Python %s',
  (series, place) => {
    const own = mkdtempSync(join(folder, `${series}-`));
    let include: string;
    let bytecode: readonly string[];

    beforeAll(async () => {
      const code = 'import sysconfig; print(sysconfig.get_path("include"))';
      include = (await place.run([place.python, '-B', '-c', code])).text;
      const [size = '', ...text] = (
        await place.run([place.python, '-B', join(PROBE, 'probe.py'), 'bytecode'])
      ).text.split(' ');
      bytecode = [`-DPROBE_SIZE=${size}`, `-DPROBE_BYTECODE=${text.join(' ')}`];
    });

    function compile(layout: string, options: readonly string[], layouts = LAYOUTS): Promise<Output> {
      const headers = [include, join(include, 'internal')].flatMap((each) => ['-isystem', each]);
      return place.run([
        'gcc',
        ...WARNINGS,
        ...headers,
        ...['-I', RUNTIME, '-I', layouts, `-DFF_LAYOUT="python${layout}.h"`],
        ...bytecode,
        ...options,
      ]);
    }

    test.each(Object.entries(MODELS))('objects of every kind compile, %s', async (model, flags) => {
      const object = join(own, 'probe.o');
      expect(await compile(series, [...flags, '-c', join(PROBE, 'probe.c'), '-o', object])).toEqual({
        exitCode: 0,
        text: '',
      });
      const sections = await place.run(['readelf', '-S', '--wide', object]);
      expect(sections.text).toMatch(model === 'absolute' ? /\.rela?\.data/ : / ff_written /);
      if (model !== 'absolute') expect(sections.text).not.toMatch(/\.rela?ff_written/);
    });

    // Everything that it calls in the interpreter has to be exported by it.
    test("they equal the interpreter's own objects, in an extension module", async () => {
      const suffix = await place.run([
        place.python,
        '-c',
        'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))',
      ]);
      const runtime = ['populate.c', 'relocate.c'].map((name) => join(RUNTIME, name));
      const sources = [join(PROBE, 'probe.c'), ...runtime];
      const output = ['-shared', '-o', join(own, `probe${suffix.text}`)];
      const built = await compile(series, [...MODELS['position-independent'], ...sources, ...output]);
      expect(built).toEqual({exitCode: 0, text: ''});
      for (const seed of ['0', '1']) {
        const argv = ['env', `PYTHONHASHSEED=${seed}`, place.python, '-B', join(PROBE, 'probe.py'), own];
        expect(await place.run(argv)).toEqual({exitCode: 0, text: 'ok'});
      }
    });

    // What nobody has compared with this version is left to the interpreter: a new layout begins without facts.
    test.each(['with its facts', 'without them'])('the runtime compiles %s', async (which) => {
      const layouts = join(own, which);
      mkdirSync(layouts);
      cpSync(join(LAYOUTS, 'common.h'), join(layouts, 'common.h'));
      const text = readFileSync(join(LAYOUTS, `python${series}.h`), 'utf8');
      const facts = /\/\* ---- read by the runtime[^]*?\n\n/;
      expect(text).toMatch(facts);
      writeFileSync(
        join(layouts, `python${series}.h`),
        which === 'without them' ? text.replace(facts, '') : text,
      );
      const files = readdirSync(RUNTIME, {recursive: true, encoding: 'utf8'});
      // Snapshots are of series whose facts are known.
      const isForAll = (name: string): boolean =>
        !name.startsWith('snapshot/') || (which === 'with its facts' && SNAPSHOT_SERIES.includes(series));
      const sources = files
        .filter((name) => name.endsWith('.c') && isForAll(name))
        .map((name) => join(RUNTIME, name));
      const flags = MODELS['position-independent'];
      // Beside the header, where GCC takes it for each of the sources instead of parsing all headers again.
      const header = join(layouts, `python${series}.h`);
      const precompile = [...flags, '-x', 'c-header', header, '-o', `${header}.gch`];
      expect(await compile(series, precompile, layouts)).toEqual({exitCode: 0, text: ''});
      const options = [...flags, '-fsyntax-only', ...sources];
      expect(await compile(series, options, layouts)).toEqual({exitCode: 0, text: ''});
    });

    test.each(allSeries.filter((other) => other !== series))('the layout of %s is refused', async (other) => {
      const {exitCode, text} = await compile(other, ['-fsyntax-only', join(PROBE, 'probe.c')]);
      expect(exitCode).not.toBe(0);
      expect(text).toContain(`flashfreeze layout ${other}`);
    });

    test.each([
      ['FF_SMALL_INT_MAX', '99', '_PY_NSMALLPOSINTS == FF_SMALL_INT_MAX + 1'],
      ...(series === '3.10' ? [] : [['FF_RESUME', '7', 'RESUME == FF_RESUME']]),
    ])('%s is checked', async (name, value, message) => {
      const changed = join(own, name);
      mkdirSync(changed);
      cpSync(join(LAYOUTS, 'common.h'), join(changed, 'common.h'));
      const text = readFileSync(join(LAYOUTS, `python${series}.h`), 'utf8');
      writeFileSync(
        join(changed, `python${series}.h`),
        text.replace(new RegExp(`(#define ${name} +)\\S+`), `$1${value}`),
      );
      const refused = await compile(series, ['-fsyntax-only', join(PROBE, 'probe.c')], changed);
      expect(refused.text).toContain(`flashfreeze layout ${series}: ${message}`);
    });

    test.each(['Py_DEBUG', 'Py_REF_DEBUG', 'Py_GIL_DISABLED'])(
      'headers of a %s build are rejected',
      async (build) => {
        const refused = await compile(series, [`-D${build}=1`, '-fsyntax-only', join(PROBE, 'probe.c')]);
        expect(refused.exitCode).not.toBe(0);
        expect(refused.text).toContain('flashfreeze layout');
      },
    );
  },
);
