/**
 * The suites of gevent and eventlet, on the system's Python and Debian's packages: the same tests pass and fail in a relinked
 * executable and with an overlay as in the unmodified interpreter. Debian's packages are without the suites, so source trees of
 * the very releases are needed (`python3-gevent`'s and `python3-eventlet`'s versions).
 *
 *     node test/conformance/run.mjs greenlets --gevent DIR --eventlet DIR [--files 'test__import_wait api_test'] [--hosts overlay] [--times 5]
 */
import {cpSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {type Run, run} from '../../../support/rig.js';
import {makeFrozen} from '../../../support/frozen-pythons.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {unpackPackages} from '../../support/debian-packages.js';
import {type Greenlets, findGreenlets} from '../../support/greenlet-packages.js';

const HOSTS = ['relink', 'overlay'] as const;

const IMPORTS =
  'import gevent.monkey, gevent.pywsgi, gevent.pool, gevent.queue, gevent.subprocess, gevent.server, gevent.threadpool, ' +
  'eventlet.wsgi, eventlet.tpool, eventlet.websocket, eventlet.green.urllib.request, eventlet.green.subprocess, unittest';

/** How to run one test file. */
interface TestFile {
  readonly name: string;
  readonly words: readonly string[];
  readonly cwd: string;
}

interface Sides {
  readonly original: string;
  /** The frozen ones, by their hosts. */
  readonly pythons: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string>>;
  readonly times: number;
}

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values} = gateOptions(words, {values: ['gevent', 'eventlet', 'files', 'hosts', 'times']});
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
    const hosts = HOSTS.filter((host) => values['hosts']?.split(/\s+/).includes(host) ?? true);
    const pythons = new Map<string, string>();
    for (const host of hosts) pythons.set(host, await freeze(host, greenlets, folder));
    const PYTHONPATH = [folder, greenlets.environment['PYTHONPATH'], nose()].join(':');
    return await compare(files, {
      ...{original: greenlets.python, pythons, times: Number(values['times'] ?? '1')},
      environment: {...greenlets.environment, PYTHONPATH},
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

/** eventlet's tests are written for it. */
function nose(): string {
  const root = unpackPackages('nose', ['python3-nose']);
  if (root === undefined) throw new Error('python3-nose cannot be had');
  return join(root, 'usr/lib/python3/dist-packages');
}

/** Gives the path of the frozen interpreter. */
async function freeze(
  host: (typeof HOSTS)[number],
  {python, series, environment}: Greenlets,
  folder: string,
): Promise<string> {
  const place = join(folder, host);
  const frozen = join(place, 'bin', `python${series}`);
  mkdirSync(join(place, 'bin'), {recursive: true});
  const selection = ['--startup', '--stdlib', '--trace', `-c "${IMPORTS}"`];
  const out = host === 'relink' ? frozen : place;
  await makeFrozen([host, '--python', python, '--out', out, '--build-dir', `${place}-build`, ...selection], {
    environment,
  });
  rmSync(`${place}-build`, {recursive: true});
  return frozen;
}

/** The gate's own limit, in seconds: a test file that hangs is as one that fails. */
const LIMIT = '600';

/** Runs each file so often on each side: the more, the less the moment decides. */
async function compare(
  files: readonly TestFile[],
  {original, pythons, environment, times}: Sides,
): Promise<boolean> {
  const see = async (python: string, {words, cwd}: TestFile): Promise<string> =>
    outcome(
      await run('timeout', ['-k', '5', LIMIT, python, '-B', '-W', 'ignore', ...words], {
        cwd,
        environment: {...environment, FLASHFREEZE: undefined},
      }),
    );
  let different = 0;
  for (const file of files) {
    const expected = new Map<string, number>();
    const seeOriginal = async (): Promise<void> => {
      const seen = await see(original, file);
      expected.set(seen, (expected.get(seen) ?? 0) + 1);
    };
    for (let i = 0; i < times; i++) await seeOriginal();
    for (const [host, python] of pythons)
      for (let i = 0; i < times; i++) {
        let found = await see(python, file);
        // What fails now and then in any interpreter gets a second chance, on both sides.
        if (!expected.has(found)) {
          await seeOriginal();
          found = await see(python, file);
        }
        if (expected.has(found)) continue;
        different += 1;
        say(`DIFFERENT: ${file.name}, ${host}: ${found}; unmodified: ${[...expected.keys()].join(' or ')}`);
      }
    say(`${file.name}: ${[...expected].map(([seen, count]) => `${count} times ${seen}`).join(' or ')}`);
  }
  say(`${files.length} test files, ${times} times each: ${different} different`);
  return different === 0;
}

/** The exit code, how many tests there were, and which failed. */
function outcome({exitCode, stdout, stderr}: Run): string {
  const text = stdout + stderr;
  const failed = [...new Set(Array.from(text.matchAll(/^(?:FAIL|ERROR): .*$/gm), ([line]) => line))].sort();
  const count = /^Ran (\d+) tests?/m.exec(text)?.[1] ?? 'no';
  return [`exit code ${exitCode}`, `${count} tests`, ...failed].join(', ');
}
