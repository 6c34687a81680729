import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {parseCommandLine} from '../../../../src/cli/args/parse.js';
import type {OptionValues} from '../../../../src/cli/args/option-table.js';
import {closest, distance} from '../../../../src/model/suggest.js';
import {readWords, wordsOf} from '../../../../src/cli/args/split-argv.js';

const parse = (...argv: string[]) => parseCommandLine(readWords(argv), '/here', 100);

async function optionsOf(...argv: string[]): Promise<OptionValues> {
  const parsed = await parse(...argv);
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error(JSON.stringify(parsed));
  return parsed.value.invocation.options;
}

async function complaint(...argv: string[]): Promise<string> {
  const parsed = await parse(...argv);
  if (parsed.ok) throw new Error(JSON.stringify(parsed));
  const {code, message, hint} = parsed.failure;
  expect(code).toBe('USAGE');
  return hint === undefined ? message : `${message} | ${hint}`;
}

describe('options', () => {
  test('have the types that they declare; paths start at the working directory', async () => {
    expect(
      await optionsOf(
        ...['build', '--source', 'cpython', '--build-dir=/b', '--out', '../x', '--jobs', '3', '--stdlib'],
        ...['--module', 'json', '--module=re', '--cc', 'gcc-12', '--startup=false'],
      ),
    ).toEqual({
      source: '/here/cpython',
      'build-dir': '/b',
      out: '/x',
      jobs: 3,
      stdlib: true,
      module: ['json', 're'],
      cc: 'gcc-12',
      startup: false,
    });
  });

  test('accept values that look like options, if they are arguments for another program', async () => {
    expect(
      await optionsOf(
        ...['build', '--trace', '-c "import asyncio"', '--configure-arg', '--enable-shared'],
        ...['--make-arg=-k', '--trace', '--version', '--trace', '"my program" "x y"'],
      ),
    ).toEqual({
      trace: ['-c "import asyncio"', '--version', '"my program" "x y"'],
      'configure-arg': ['--enable-shared'],
      'make-arg': ['-k'],
    });
  });

  test('given twice, the last one counts', async () => {
    expect(await optionsOf('build', '--jobs', '2', '--out=a', '--jobs=4', '--out=b')).toEqual({
      jobs: 4,
      out: '/here/b',
    });
  });

  test('may come before the command, and after its argument', async () => {
    expect(await optionsOf('--json', 'cache', '--cache-dir', 'c', 'stats', '--quiet')).toEqual({
      json: true,
      'cache-dir': '/here/c',
      quiet: true,
    });
  });

  test('a compiler with a slash is a path, and may have arguments', async () => {
    expect(await optionsOf('build', '--cc', 'tools/cc')).toEqual({cc: '/here/tools/cc'});
    expect(await optionsOf('build', '--cc', 'gcc -I/x')).toEqual({cc: 'gcc -I/x'});
  });

  test('a Python with a slash is a path, otherwise a name', async () => {
    expect(await optionsOf('relink', '--python', 'venv/bin/python', '--out', 'x', '--pie')).toEqual({
      ...{python: '/here/venv/bin/python', out: '/here/x', pie: true},
    });
    expect(await optionsOf('overlay', '--python=python3.11')).toEqual({python: 'python3.11'});
  });

  test('any text passes through the parser unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({minLength: 1}), {minLength: 1, maxLength: 4}), async (texts) => {
        const apart = texts.flatMap((text) => ['--trace', text]);
        const joined = texts.map((text) => `--configure-arg=${text}`);
        expect(await optionsOf('build', ...apart, ...joined)).toEqual({
          trace: texts,
          'configure-arg': texts,
        });
      }),
      {numRuns: 25},
    );
  });

  test('written as arguments for another process, they have the same values', async () => {
    const texts = fc.array(fc.string({minLength: 1}), {minLength: 1, maxLength: 3});
    const options = fc.record(
      {
        startup: fc.boolean(),
        snippets: fc.boolean(),
        trace: texts,
        'configure-arg': texts,
        cc: fc.constantFrom('gcc-12', '/opt/bin/cc -I/x'),
        jobs: fc.integer({min: 1, max: 99}),
      },
      {requiredKeys: []},
    );
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        const {jobs, ...passed} = given;
        const names = ['trace', 'cc', 'startup', 'snippets', 'configure-arg', 'module'] as const;
        expect(await optionsOf('release', ...wordsOf(given, names))).toEqual(passed);
        expect(wordsOf(given, ['jobs'])).toEqual(jobs === undefined ? [] : [`--jobs=${jobs}`]);
      }),
      {numRuns: 25},
    );
  });
});

describe('wrong usage', () => {
  test.each([
    [[], 'no command given | flashfreeze --help lists the commands'],
    [['--quiet'], 'no command given | flashfreeze --help lists the commands'],
    [['biuld'], 'unknown command biuld | did you mean build?'],
    [['xyzzy'], 'unknown command xyzzy | flashfreeze --help lists the commands'],
    [['demos'], 'unknown command demos | flashfreeze --help lists the commands'],
    [['toString'], 'unknown command toString | flashfreeze --help lists the commands'],
    [['build', '--sorce', 'x'], 'unknown option --sorce for build | did you mean --source?'],
    [['build', '--jbos=3'], 'unknown option --jbos for build | did you mean --jobs?'],
    [
      ['relink', '--builtin-extensions'],
      'unknown option --builtin-extensions for relink | it is an option of build, regen, watch, discover, release, verify',
    ],
    [['regen', '--banana'], 'unknown option --banana for regen | flashfreeze regen --help lists its options'],
    [['build', '--no-stdlib'], 'unknown option --no-stdlib for build | did you mean --stdlib?'],
    [['build', '-z'], 'unknown option -z | flashfreeze build --help lists its options'],
    [['build', 'more'], 'unexpected argument more | flashfreeze build --help lists its options'],
    [['build', '--', '--more'], 'unexpected argument --more'],
    [['build', '--out'], '--out needs a value'],
    [['build', '--out', '--force'], '--out needs a value'],
    [['build', '--trace'], '--trace needs a value'],
    [['build', '--cc', ' '], '--cc needs a value that is not empty'],
    [['build', '--out='], '--out needs a value that is not empty'],
    [['build', '--module', ''], '--module needs a value that is not empty'],
    [['build', '--jobs', '0'], '--jobs needs a whole number of at least 1, not 0'],
    [['build', '--jobs=2.5'], '--jobs needs a whole number of at least 1, not 2.5'],
    [['build', '--json=perhaps'], '--json=perhaps: the value must be true or false'],
    [['build', '--quiet', '--verbose'], '--quiet and --verbose cannot be combined'],
    [['cache'], 'cache needs an argument | expected one of stats, gc, verify, clear'],
    [['cache', 'statz'], 'cache: unknown argument statz | did you mean stats?'],
    [['cache', 'burn'], 'cache: unknown argument burn | expected one of stats, gc, verify, clear'],
    [['cache', 'gc', 'now'], 'unexpected argument now | flashfreeze cache --help lists its options'],
  ])('%j', async (argv, expected) => {
    expect(await complaint(...argv)).toBe(expected);
  });
});

describe('help', () => {
  const text = async (...argv: string[]): Promise<string> => {
    const parsed = await parse(...argv);
    return parsed.ok && parsed.value.kind === 'text' ? parsed.value.text : '';
  };

  test('lists the commands, but not the hidden one', async () => {
    const help = await text('--help');
    for (const command of [
      'build',
      'relink',
      'overlay',
      'regen',
      'discover',
      'verify',
      'bench',
      'cache',
      'doctor',
    ]) {
      expect(help).toContain(`flashfreeze ${command}`);
    }
    expect(help).not.toContain('demo');
  });

  test('of a command lists its options, and not those of others', async () => {
    const help = await text('build', '--help');
    expect(help).toContain('--configure-arg');
    expect(help).toContain('--json');
    expect(help).not.toContain('--images');
    expect(await text('verify', '-h')).toContain('--images');
  });
});

describe('suggestions', () => {
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['biuld', 'build', 1],
    ['buld', 'build', 1],
    ['kitten', 'sitting', 3],
  ])('the distance of %s and %s is %d', (a, b, expected) => {
    expect(distance(a, b)).toBe(expected);
    expect(distance(b, a)).toBe(expected);
  });
  test('are the closest word, if it is close', () => {
    expect(closest('tarce', ['source', 'trace', 'track'])).toBe('trace');
    expect(closest('xy', ['build'])).toBeUndefined();
  });
});
