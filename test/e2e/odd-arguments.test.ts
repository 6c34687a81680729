/**
 * Arguments, configurations and environments that nobody would choose: each run ends, with one of the documented exit codes, and says what is wrong
 * without the words of an internal error. `FLASHFREEZE_FUZZ_ARGUMENTS=RUNS[:SEED]` runs more of them, or others.
 */
import {spawn, spawnSync} from 'node:child_process';
import {chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import fc from 'fast-check';
import {configName, optionSpec, type OptionName} from '../../src/cli/args/option-table.js';
import {COMMANDS} from '../../src/cli/commands.js';
import {makeOddPlaces} from '../support/odd-places.js';
import {copyProgram} from '../support/program-copy.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

const [RUNS = 30, SEED = 1] = (process.env['FLASHFREEZE_FUZZ_ARGUMENTS'] ?? '')
  .split(':')
  .filter(Boolean)
  .map(Number);
/** The time limit of a run, which is there for those that hang. */
const LIMIT_MS = 120_000;
jest.setTimeout(RUNS * LIMIT_MS);

/** As root, everything could be written, so another user plays. */
const USER = 64_003;
const isRoot = process.getuid?.() === 0;
const folder = temporaryDirectory('odd-arguments');
let program: string;
let places: Readonly<Record<string, string>>;

beforeAll(() => {
  chmodSync(folder, 0o755);
  program = copyProgram(join(folder, 'code'));
  const own = join(folder, 'own');
  places = makeOddPlaces(join(own, 'places'));
  if (isRoot) for (const path of [own, ...Object.values(places)]) chownQuietly(path);
});

function chownQuietly(path: string): void {
  if (!path.startsWith(folder)) return;
  try {
    chownSync(path, USER, USER);
  } catch {
    // Nothing is there.
  }
}

const PLACES = [
  ...['empty', 'text', 'binary', 'null.json', 'list.json', 'deep.json', 'closed.json', 'unreadable', 'fails'],
  ...['babbles', 'headless', 'astray', 'dies', 'directory', 'closed', 'read-only', 'fifo', 'socket', 'loop'],
  ...[
    'dangling',
    'link',
    'missing',
    'belowFile',
    'belowFifo',
    'belowClosed',
    'tooLong',
    'farTooLong',
    'null',
  ],
  ...[
    'full',
    'endless',
    'descriptor',
    'memory',
    'inProc',
    'root',
    'spaced',
    'quoted',
    'lines',
    'colours',
    'colon',
  ],
];
const place = fc.constantFrom(...PLACES).map((name) => ({place: name}));
const WORDS = [
  ...[
    '',
    ' ',
    '\n',
    "'",
    '"',
    '-',
    '--',
    '-x',
    '--json',
    '.',
    '..',
    '../..',
    'a/b',
    '*',
    '[',
    '**/[!',
    '$HOME',
    '0',
    '-1',
  ],
  ...[
    '1e9',
    '999999999999999',
    '99999999999999999999',
    'NaN',
    'true',
    'null',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...[
    'os',
    'json',
    'json.',
    '.json',
    'a..b',
    'é',
    '\u202e',
    '\u001b[2J',
    'n'.repeat(5000),
    'x=y',
    '-c pass',
    '-c "',
    '-m json',
  ],
  ...[
    'http://',
    'http://[::1',
    'https://user:pw@localhost:1/x',
    'ftp://x',
    'file:///etc/passwd',
    'http://localhost:1',
  ],
  ...['cc:json', 'dot', 'svg', 'build', 'gcc -x', "'unclosed", 'a\\'],
];
const word = fc.constantFrom(...WORDS);
type Value = string | {readonly place: string};
const python: Value = '/usr/bin/python3';

function valueOf(name: OptionName): fc.Arbitrary<Value | undefined> {
  const {kind, choices = []} = optionSpec(name);
  if (kind === 'flag')
    return fc.constantFrom<Value | undefined>(undefined, undefined, undefined, 'true', 'false', 'odd');
  if (kind === 'number') return fc.oneof(word, fc.constantFrom('1', '2'));
  if (kind === 'path') return fc.oneof({weight: 5, arbitrary: place}, {weight: 1, arbitrary: word});
  if (kind === 'program') return fc.oneof(place, word, fc.constant(python));
  return fc.oneof(word, place, ...choices.map((each) => fc.constant<Value>(each)));
}

/** `--exec` would run the words, `demo` downloads; and `bench` measures for long if it can. */
const commands = Object.keys(COMMANDS).filter((name) => name !== 'demo');
const LEFT_OUT: readonly string[] = ['exec', 'runs', 'json'];

interface Odd {
  readonly words: readonly Value[];
  readonly config: string | undefined;
  readonly environment: Readonly<Record<string, Value>>;
}

const variables: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  HOME: fc.oneof(place, word),
  TMPDIR: fc.oneof(place, word),
  PATH: fc.oneof(place, fc.constantFrom('', '.', '::', '/nowhere')),
  XDG_CACHE_HOME: fc.oneof(place, word),
  FLASHFREEZE_CACHE_DIR: fc.oneof(place, word),
  FLASHFREEZE_CACHE_KEY: word,
  MAKEFLAGS: fc.constantFrom(
    ...[
      '-j',
      ' -j4 --jobserver-auth=3,4',
      ' -j --jobserver-auth=fifo:/nowhere',
      ' --jobserver-auth=fifo:/dev/zero',
    ],
    ...[
      ' --jobserver-auth=99999999999,0',
      ' --jobserver-auth=-1,-1',
      ' --jobserver-auth=0,0',
      ' --jobserver-auth=fifo:',
    ],
  ),
  COLUMNS: word,
  TERM: word,
  // Node.js itself crashes with a number for a locale.
  LANG: fc.constantFrom('C', 'xx_YY', 'é', '', '\u001b[2J'),
  FLASHFREEZE: word,
  SUDO_UID: word,
};

function oddRun(command: string): fc.Arbitrary<Odd> {
  const spec = COMMANDS[command];
  const names = (spec?.options ?? []).filter((name) => !LEFT_OUT.includes(name));
  const option = fc
    .constantFrom(...names)
    .chain((name) =>
      valueOf(name).map((value): readonly Value[] =>
        value === undefined ? [`--${name}`] : [`--${name}`, value],
      ),
    );
  const flags = (name: string, value: Value | undefined): Value =>
    value === 'odd' || value === undefined ? `--${name}` : value;
  const likely = (name: OptionName, values: fc.Arbitrary<Value>): fc.Arbitrary<readonly Value[]> =>
    names.includes(name)
      ? fc.oneof(
          values.map((value): readonly Value[] => [`--${name}`, flags(name, value)]),
          fc.constant([]),
        )
      : fc.constant([]);
  const ownWord: fc.Arbitrary<readonly Value[]> =
    spec?.word === undefined
      ? fc.constant([])
      : fc.oneof(
          fc.constant([]),
          fc
            .oneof(word, place, ...(spec.word.choices ?? []).map((each) => fc.constant<Value>(each)))
            .map((each) => [each]),
        );
  const configurable = names.filter((name) => optionSpec(name).configurable === true).map(configName);
  const json = fc.oneof(
    fc.jsonValue(),
    word,
    fc.array(word),
    fc.constantFrom<unknown>(0, 1e308, -1, 2 ** 53, null, 'a\0b', ['a\0b'], {}, [[]]),
  );
  const config = fc.oneof(
    {weight: 6, arbitrary: fc.constant(undefined)},
    {
      weight: 3,
      arbitrary: fc
        .dictionary(fc.constantFrom(...configurable, '__proto__', 'x'), json)
        .map((each) => JSON.stringify(each)),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '{',
        'null',
        '[]',
        '"x"',
        '{}'.repeat(2),
        '['.repeat(50_000),
        '\ufeff{}',
        '{"jobs": 1, "jobs": "x"}',
      ),
    },
  );
  return fc.record({
    words: fc
      .tuple(
        ownWord,
        likely('python', fc.constant(python)),
        likely('out', place),
        likely('dry-run', fc.constant('--dry-run')),
        fc.array(option, {maxLength: 4}),
      )
      .map(([own, exe, out, dry, more]) => [
        command,
        ...own,
        ...exe,
        ...out,
        ...(dry.length > 0 ? ['--dry-run'] : []),
        ...more.flat(),
      ]),
    config,
    environment: fc
      .subarray(Object.keys(variables), {maxLength: 2})
      .chain((chosen) =>
        fc.record(Object.fromEntries(chosen.map((name) => [name, variables[name] ?? word]))),
      ),
  });
}

const textOf = (value: Value): string => (typeof value === 'string' ? value : (places[value.place] ?? ''));

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly text: string;
}

/** Runs the program in a directory of its own; ends what hangs. */
function attempt({words, config, environment}: Odd): Promise<Ended> {
  const cwd = mkdtempSync(join(folder, 'own', 'run-'));
  if (config !== undefined) writeFileSync(join(cwd, 'flashfreeze.config.json'), config);
  mkdirSync(join(cwd, 'home'));
  if (isRoot) for (const path of [cwd, join(cwd, 'home')]) chownSync(path, USER, USER);
  const child = spawn(process.execPath, [program, ...words.map(textOf)], {
    cwd,
    ...(isRoot ? {uid: USER, gid: USER} : {}),
    env: {
      ...{PATH: process.env['PATH'], HOME: join(cwd, 'home')},
      ...Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, textOf(value).replaceAll('\0', '')]),
      ),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-100_000);
    });
  // What it prints tells that a watch is at work.
  const isWatch = words[0] === 'watch';
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), LIMIT_MS);
  const ending = isWatch
    ? setInterval(() => /watching /.test(text) && child.kill('SIGTERM'), 200)
    : undefined;
  return new Promise((done) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      clearInterval(ending);
      done({status, signal, text});
    });
  });
}

test.each(commands)('%s', async (command) => {
  const runs = Math.max(1, Math.ceil(RUNS / commands.length));
  await fc.assert(
    fc.asyncProperty(oddRun(command), async (odd) => {
      const ended = await attempt(odd);
      const told = {words: odd.words.map(textOf), config: odd.config, environment: odd.environment, ...ended};
      expect(told).toMatchObject({
        signal: null,
        text: expect.not.stringMatching(/error\[BUG\]|internal error|\n\s+at .*[:(]\d|Warning: /),
      });
      expect([told, [0, 1, 2, 3, 4, 130].includes(ended.status ?? -1)]).toEqual([told, true]);
    }),
    {numRuns: runs, seed: SEED, endOnFailure: true},
  );
});

/** Runs a line of shell, with the program as $0, as the user who plays. */
function shell(line: string, environment: Readonly<Record<string, string>>): Ended {
  const cwd = mkdtempSync(join(folder, 'own', 'run-'));
  if (isRoot) chownSync(cwd, USER, USER);
  const done = spawnSync('sh', ['-c', line, `${process.execPath} ${program}`], {
    cwd,
    ...(isRoot ? {uid: USER, gid: USER} : {}),
    env: {PATH: process.env['PATH'], ...environment},
    encoding: 'utf8',
  });
  return {status: done.status, signal: done.signal, text: done.stdout + done.stderr};
}

test('a working directory that was removed is an error, and no reason for a crash', () => {
  const line = 'mkdir gone && cd gone && rmdir ../gone';
  const message = expect.stringContaining('flashfreeze: error[IO]: the working directory no longer exists');
  for (const words of ['cache stats', 'step target', 'relink --json'])
    expect(shell(`${line} && $0 ${words}`, {HOME: '/'})).toMatchObject({status: 1, text: message});
});

test('without a home, nothing lies below the working directory', () => {
  for (const environment of [{}, {HOME: ''}, {HOME: 'here'}] as const) {
    const done = shell('mkdir here && $0 cache stats; find . -mindepth 1', environment);
    expect(done.text).not.toMatch(/BUG/);
    // The user who plays has no account.
    if (isRoot)
      expect(done.text).toMatch(
        /error\[CACHE\]: cannot use the cache in \/nonexistent\/.*\nhint: .*--cache-dir/,
      );
    expect(done.text.match(/^\.\/.*$/gm)).toEqual(['./here']);
  }
});

test('a directory for temporary files that does not exist is named', () => {
  const done = shell('$0 discover --python /usr/bin/python3 --build-dir b --cache-dir c', {
    HOME: '/',
    TMPDIR: '/no/such/directory',
  });
  expect(done.status).not.toBe(0);
  expect(done.text).toContain(
    'cannot create a temporary directory in /no/such/directory: no such file or directory',
  );
});

test('files of steps in another form are an error', () => {
  for (const content of ['null', '[', '{}', '[]']) {
    const done = shell(`echo '${content}' > plan && $0 step index --plan plan --target plan --out out`, {
      HOME: '/',
    });
    expect([done.status, done.text]).toEqual([
      2,
      expect.stringMatching(/^flashfreeze: error\[USAGE\]: step index/),
    ]);
  }
});
