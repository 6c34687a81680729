/**
 * Greenlets in the place of threads: gevent and eventlet replace what importlib takes its locks and the identity of its
 * threads from, early, late, and in the midst of an import. What greenlets and threads see of imports is as without frozen
 * modules. (The suites of both: `node test/conformance/run.mjs greenlets`.)
 */
import {cpSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {findGreenlets} from '../support/greenlet-packages.js';
import {type Run, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('greenlets');
const app = join(folder, 'app');
const greenlets = findGreenlets();
const {python = '', series = '', environment = {}} = greenlets ?? {};
const RUNS = ['gevent', 'eventlet'].flatMap((kind) => [
  ...['early', 'late', 'during'].map((when) => ['imports.py', kind, when]),
  ['serving.py', kind],
]);
const OWN = ['greens', 'slow', 'circle.first', 'circle.second', 'slow_parent.child', 'patching.last'];
/** What both import besides, which is hundreds of modules: it is loaded the ordinary way. */
const OTHERS = ['pkg_resources', 'setuptools', 'distutils', 'dns', 'cryptography', 'OpenSSL', 'email', 'xml'];

/** Without a variable of the user's. Bytecode of what is not frozen lasts for all runs. */
function runIn(exe: string, ...words: readonly string[]): Promise<Run> {
  const own = Object.keys(process.env).filter((each) => /^(PYTHON|FLASHFREEZE)/.test(each));
  const scrubbed = Object.fromEntries(own.map((each) => [each, undefined]));
  const bytecode = {PYTHONPYCACHEPREFIX: join(folder, 'bytecode')};
  return run(exe, ['-W', 'ignore', ...words], {
    cwd: app,
    environment: {...scrubbed, ...environment, ...bytecode},
  });
}

const ordinaryRuns = new Map<string, Promise<Run>>();

/** What the unmodified interpreter does, run once. */
function runOrdinary(words: readonly string[]): Promise<Run> {
  const key = words.join(' ');
  const known = ordinaryRuns.get(key) ?? runIn(python, ...words);
  ordinaryRuns.set(key, known);
  return known;
}

describeWith(greenlets, 'gevent and eventlet for the system’s Python').each(['relink', 'overlay'] as const)(
  '%s',
  (host) => {
    const out = join(folder, host, ...(host === 'relink' ? [`python${series}`] : []));
    const frozen = host === 'relink' ? out : join(out, 'bin', `python${series}`);

    beforeAll(async () => {
      cpSync(join(import.meta.dirname, 'greenlets'), app, {recursive: true});
      mkdirSync(join(folder, host), {recursive: true});
      const others = OTHERS.flatMap((name) => ['--exclude', name, '--exclude', `${name}.*`]);
      const traces = ['gevent', 'eventlet'].flatMap((kind) => [
        '--trace',
        `${join(app, 'everything.py')} ${kind}`,
      ]);
      const {summary, stderr} = await flashfreezeJson(
        [host, '--python', python, '--out', out, ...traces, ...others],
        {cwd: app, environment},
      );
      if (!summary.ok) throw new Error(stderr);
    });

    test('its modules, and those of the programs, are frozen', async () => {
      const code =
        'import gevent.hub as g, eventlet.hubs as e, _flashfreeze as f; print(*map(f.is_static, ' +
        '(g.sleep.__code__, e.get_hub.__code__)))';
      const done = await runIn(frozen, '-c', code);
      expect(done).toMatchObject({stdout: 'True True\n', stderr: ''});
      const names = 'import _flashfreeze as f; print(*sorted(m.name for m in f.modules()))';
      const {stdout} = await runIn(frozen, '-c', names);
      expect(stdout.split(' ')).toEqual(expect.arrayContaining(OWN));
    });

    test.each(RUNS)('%s %s %s', async (...words) => {
      const ordinary = await runOrdinary(words);
      expect(ordinary).toMatchObject({exitCode: 0, stderr: ''});
      expect(ordinary.stdout.split('\n').length).toBeGreaterThan(words[0] === 'serving.py' ? 2 : 14);
      expect(await runIn(frozen, ...words)).toEqual(ordinary);
    });
  },
);
