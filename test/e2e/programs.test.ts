/**
 * Real programs on the system's Python, frozen whole: what they print and how they end is what it always was, byte for
 * byte. A program that is not installed is left out, with a sentence.
 *
 *     apt-get install --no-install-recommends mercurial httpie yt-dlp black ansible-core python3-flask python3-pip
 *     FLASHFREEZE_PROGRAMS="mercurial black" npm test -- test/e2e/programs.test.ts
 */
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {type Program, PROGRAMS, type Workplace} from '../../support/programs.js';
import {noteNotFound} from '../support/not-found.js';
import {CACHE, type Run, flashfreezeJson, run} from '../../support/rig.js';
import {freshFolder, openWorkplace, traceOptions} from '../../support/workplace.js';

const PYTHON = '/usr/bin/python3.11';
const HALF_AN_HOUR = 30 * 60_000;
const FOLDER = join(CACHE, 'programs');
const HOSTS = ['relink', 'overlay'] as const;

const asked = (process.env['FLASHFREEZE_PROGRAMS'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
const wanted = PROGRAMS.filter(({name}) => asked.length === 0 || asked.includes(name));
const present = existsSync(PYTHON) ? wanted.filter(({needs}) => existsSync(needs)) : [];
const absent = wanted.filter((program) => !present.includes(program));

let work: Workplace;
let close: () => void;

beforeAll(async () => {
  ({work, close} = await openWorkplace());
});
afterAll(() => {
  close();
});

function invoke(python: string, words: readonly string[]): Promise<Run> {
  const own = Object.keys(process.env).filter((each) =>
    /^(PYTHON|FLASHFREEZE|HG|PIP|ANSIBLE|FLASK|XDG)/.test(each),
  );
  return run(python, words, {
    cwd: work.folder,
    environment: {
      ...Object.fromEntries(own.map((each) => [each, undefined])),
      HOME: work.folder,
      TMPDIR: join(work.folder, 'tmp'),
      LANG: 'C.UTF-8',
      LC_ALL: undefined,
      COLUMNS: '100',
      PYTHONDONTWRITEBYTECODE: '1',
      FLASHFREEZE: 'on',
    },
  });
}

/** What differs from run to run in any interpreter: times, sizes of directories, numbers of processes, temporary names. */
function withoutChance(text: string, python: string): string {
  return text
    .replaceAll(python, '<python>')
    .replaceAll(PYTHON, '<python>')
    .replaceAll(
      /\b\d+:\d\d:\d\d(\.\d+)?\b|\b\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d([.,]\d+)?)?( \+0000)?/g,
      '<time>',
    )
    .replaceAll(/\b\d\d:\d+\.\d+\b/g, '<time>')
    .replaceAll(/\b\d+(\.\d+)?\s?(s|bytes\/s|k?B\/s|ms|µs|[KM]i?B(\/s)?|B\/s)\b/g, '<amount>')
    .replaceAll(/(tmp|ansible-local-|ansible-tmp-|pip-)[\w.-]*\d[\w.-]*/g, '<temporary>')
    .replaceAll(/"(start|end|delta|epoch|elapsed|_?version_?)": ("[^"]*"|[\d.]+)/g, '"$1": <time>')
    .replaceAll(/0x[0-9a-f]+/g, '<address>');
}

async function everything(python: string, program: Program): Promise<readonly object[]> {
  freshFolder(work, program);
  const seen: object[] = [];
  for (const words of program.invocations(work)) {
    const {exitCode, stdout, stderr} = await invoke(python, words);
    seen.push({
      words: words.join(' '),
      exitCode,
      stdout: withoutChance(stdout, python),
      stderr: withoutChance(stderr, python),
    });
  }
  return seen;
}

/** Freezes the program's closure; gives the file to run it with. */
async function freeze(host: (typeof HOSTS)[number], program: Program): Promise<string> {
  const name = `${host}-${program.name.replaceAll(' ', '-')}`;
  const out = join(FOLDER, name, ...(host === 'relink' ? ['python3.11'] : []));
  mkdirSync(join(FOLDER, name), {recursive: true});
  freshFolder(work, program);
  const made = await flashfreezeJson(
    [
      host,
      '--python',
      PYTHON,
      '--out',
      out,
      '--build-dir',
      join(CACHE, 'builds', `program-${name}`),
      ...traceOptions(work, program),
    ],
    {cwd: work.folder, environment: {HOME: work.folder}},
  );
  if (!made.summary.ok) throw new Error(made.stderr);
  return host === 'relink' ? out : join(out, 'bin', 'python3.11');
}

describe.each(present.map((program) => [program.name, program] as const))('%s', (_, program) => {
  let unmodified: readonly object[];
  beforeAll(async () => {
    unmodified = await everything(PYTHON, program);
    // Twice the same, or there is nothing to compare.
    expect(await everything(PYTHON, program)).toEqual(unmodified);
  }, HALF_AN_HOUR);

  test.each(HOSTS)(
    '%s: says what it always said',
    async (host) => {
      const python = await freeze(host, program);
      const code =
        'import _flashfreeze; print(_flashfreeze.info()["active"], len(_flashfreeze.modules()) > 20)';
      expect((await invoke(python, ['-c', code])).stdout).toBe('True True\n');
      expect(await everything(python, program)).toEqual(unmodified);
    },
    HALF_AN_HOUR,
  );
});

test('the programs that are installed', () => {
  for (const {name} of absent) noteNotFound(existsSync(PYTHON) ? name : `${name} on ${PYTHON}`);
  expect(new Set([...present, ...absent])).toEqual(new Set(wanted));
});
