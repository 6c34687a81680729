/**
 * The suites of gevent and eventlet, on the system's Python and Debian's packages: the same tests pass and fail in a relinked
 * executable and with an overlay as in the unmodified interpreter. Debian's packages are without the suites, so source trees of
 * the very releases are needed (`python3-gevent`'s and `python3-eventlet`'s versions); eventlet's suite needs python3-nose.
 *
 *     node test/conformance/run.mjs greenlets --gevent DIR --eventlet DIR [--files 'test__import_wait api_test']
 */
import {cpSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {type Run, run} from '../../../support/rig.js';
import {makeFrozen} from '../../../support/frozen-pythons.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {type Greenlets, findGreenlets} from '../../support/greenlet-packages.js';

const IMPORTS =
  'import gevent.monkey, gevent.pywsgi, gevent.pool, gevent.queue, gevent.subprocess, gevent.server, gevent.threadpool, ' +
  'eventlet.wsgi, eventlet.tpool, eventlet.websocket, eventlet.green.urllib.request, eventlet.green.subprocess, unittest';

/** How to run one test file. */
interface TestFile {
  readonly name: string;
  readonly words: readonly string[];
  readonly cwd: string;
}

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values} = gateOptions(words, {values: ['gevent', 'eventlet', 'files']});
  const greenlets = findGreenlets();
  if (greenlets === undefined) throw new Error('gevent and eventlet for the system’s Python cannot be had');
  const folder = makeDirectory('greenlets');
  try {
    const wanted = values['files']?.split(/\s+/);
    const files = [
      ...geventFiles(values['gevent'], greenlets, folder),
      ...eventletFiles(values['eventlet']),
    ].filter(({name}) => wanted?.includes(name) ?? true);
    if (files.length === 0) throw new Error('no test files: --gevent and --eventlet name source trees');
    const pythons = {unmodified: greenlets.python, ...(await freeze(greenlets, folder))};
    return await compare(files, pythons, {
      ...greenlets.environment,
      PYTHONPATH: [folder, greenlets.environment['PYTHONPATH']].join(':'),
    });
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Its tests are modules of gevent: they run in a copy of the package that has them. */
function geventFiles(tree: string | undefined, {packages}: Greenlets, folder: string): TestFile[] {
  if (tree === undefined) return [];
  cpSync(join(packages, 'gevent'), join(folder, 'gevent'), {recursive: true});
  for (const part of ['tests', 'testing'])
    cpSync(join(tree, 'src/gevent', part), join(folder, 'gevent', part), {recursive: true});
  const cwd = join(folder, 'gevent/tests');
  return readdirSync(cwd)
    .filter((file) => /^test_.*\.py$/.test(file))
    .sort()
    .map((file) => ({name: basename(file, '.py'), words: [file, '-v'], cwd}));
}

function eventletFiles(tree: string | undefined): TestFile[] {
  if (tree === undefined) return [];
  return readdirSync(join(tree, 'tests'))
    .filter((file) => /_test\.py$|^test__.*\.py$/.test(file))
    .sort()
    .map((file) => basename(file, '.py'))
    .map((name) => ({name, words: ['-m', 'unittest', '-v', `tests.${name}`], cwd: tree}));
}

async function freeze(
  {python, series, environment}: Greenlets,
  folder: string,
): Promise<Record<'relink' | 'overlay', string>> {
  const selection = [
    '--startup',
    '--stdlib',
    '--trace',
    `-c "${IMPORTS}"`,
    '--build-dir',
    join(folder, 'build'),
  ];
  const relinked = join(folder, 'bin', `python${series}`);
  mkdirSync(join(folder, 'bin'));
  await makeFrozen(['relink', '--python', python, '--out', relinked, ...selection], {environment});
  rmSync(join(folder, 'build'), {recursive: true});
  await makeFrozen(['overlay', '--python', python, '--out', join(folder, 'overlay'), ...selection], {
    environment,
  });
  return {relink: relinked, overlay: join(folder, 'overlay/bin', `python${series}`)};
}

async function compare(
  files: readonly TestFile[],
  pythons: Readonly<Record<'unmodified' | 'relink' | 'overlay', string>>,
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  const see = async (python: string, {words, cwd}: TestFile): Promise<string> =>
    outcome(
      await run('timeout', ['-k', '5', '200', python, '-B', '-W', 'ignore', ...words], {
        cwd,
        environment: {...environment, FLASHFREEZE: undefined},
      }),
    );
  let different = 0;
  for (const file of files) {
    const expected = new Set([await see(pythons.unmodified, file)]);
    for (const host of ['relink', 'overlay'] as const) {
      let found = await see(pythons[host], file);
      // What fails now and then in any interpreter gets a second chance, on both sides.
      if (!expected.has(found)) {
        expected.add(await see(pythons.unmodified, file));
        found = await see(pythons[host], file);
      }
      if (expected.has(found)) continue;
      different += 1;
      say(`DIFFERENT: ${file.name}, ${host}: ${found}; unmodified: ${[...expected].join(' or ')}`);
    }
    say(`${file.name}: ${[...expected].join(' or ')}`);
  }
  say(`${files.length} test files, ${different} different`);
  return different === 0;
}

/** The exit code, how many tests there were, and which failed. */
function outcome({exitCode, stdout, stderr}: Run): string {
  const text = stdout + stderr;
  const failed = [...new Set(Array.from(text.matchAll(/^(?:FAIL|ERROR): .*$/gm), ([line]) => line))].sort();
  const count = /^Ran (\d+) tests?/m.exec(text)?.[1] ?? 'no';
  return [`exit code ${exitCode}`, `${count} tests`, ...failed].join(', ');
}
