/** `flashfreeze completion`: its scripts in real shells. */
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {COMMANDS} from '../../../../src/cli/commands.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {describeWith} from '../../../support/with.js';
import {cli} from '../rig.js';

const folder = temporaryDirectory('completion');
const TYPE = resolve(import.meta.dirname, '../../../support/type_in_shell.py');
const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const visible = Object.entries(COMMANDS).filter(([, {hidden}]) => hidden !== true);

beforeAll(async () => {
  for (const shell of ['bash', 'zsh']) {
    const {stdout, stderr, exitCode} = await cli(['completion', shell]);
    expect({stderr, exitCode}).toEqual({stderr: '', exitCode: 0});
    writeFileSync(join(folder, `completion.${shell}`), stdout);
  }
  mkdirSync(join(folder, 'my sources'));
  writeFileSync(join(folder, 'my sources', 'it is here.txt'), '');
  writeFileSync(join(folder, 'my settings.json'), '');
});

test('needs the name of a shell', async () => {
  expect(await cli(['completion'])).toMatchObject({exitCode: 2});
  expect(await cli(['completion', 'fish'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('bash, zsh'),
  });
});

/**
 * What command lines, completed where they have a tab, give to flashfreeze: the words that a function of this name gets. One
 * shell gets all of the lines, because it takes a while to start.
 */
function typed(shell: 'bash' | 'zsh', lines: readonly string[]): string[][] {
  const setup = [
    `cd '${folder}'`,
    ...(shell === 'zsh' ? ['autoload -Uz compinit', 'compinit -u -D', 'zstyle ":completion:*" menu no'] : []),
    `source ./completion.${shell}`,
    `flashfreeze() { printf 'CALLED\\n'; printf 'WORD<%s>\\n' "$@"; }`,
  ].join('\n');
  const options = shell === 'bash' ? ['--norc', '--noprofile', '-i'] : ['-f', '-i'];
  const keys = lines.map((line) => `flashfreeze ${line}`).join('\n');
  const printed = execFileSync('python3', [TYPE, setup, keys, shell, ...options], {
    encoding: 'utf8',
    env: {PATH: process.env['PATH'], HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8', PS1: '$ '},
  });
  const calls = printed.split(/CALLED\r\n/).slice(1);
  return calls.map((call) => [...call.matchAll(/^WORD<(.*)>\r$/gm)].map(([, word = '']) => word));
}

/** zsh appends `=` to an option that takes a value, and drops the slash after a directory at the end of the line. */
const separated = (words: readonly string[]): string[] =>
  words.flatMap((word) => word.split(/(?<=^--[a-z-]+)=/)).map((word) => word.replace(/\/$/, ''));

const LINES: readonly (readonly [what: string, line: string, words: readonly string[]])[] = [
  ['a command', 'reli\t', ['relink']],
  ['an option', 'relink --pyth\tp', ['relink', '--python', 'p']],
  ['an option of the command only', 'cache --max-s\t9', ['cache', '--max-size', '9']],
  [
    'an option after values',
    'build --source . --trace "-c pass" --build-\tb',
    ['build', '--source', '.', '--trace', '-c pass', '--build-dir', 'b'],
  ],
  ['a choice', 'relink --precedence froz\t', ['relink', '--precedence', 'frozen-first']],
  ['a choice after =', 'relink --precedence=froz\t', ['relink', '--precedence=frozen-first']],
  ['a flag turned off', 'relink --snippets=fa\t', ['relink', '--snippets=false']],
  ['a task', 'cache st\t', ['cache', 'stats']],
  ['a shell', 'completion z\t', ['completion', 'zsh']],
  ['what is watched', 'watch over\t', ['watch', 'overlay']],
  ['a file with a space', 'relink --config my\\ se\t', ['relink', '--config', 'my settings.json']],
  ['a quoted file', 'relink --config "my se\t', ['relink', '--config', 'my settings.json']],
  ['a file after =', 'relink --config=my\\ se\t', ['relink', '--config=my settings.json']],
  ['a directory with a space', 'build --source my\t', ['build', '--source', 'my sources/']],
  ['a file below it', 'verify my\\ so\tit\t', ['verify', 'my sources/it is here.txt']],
  ['a program', 'relink --python ./comp\tb\t', ['relink', '--python', './completion.bash']],
];

describe.each(['bash', 'zsh'] as const)('in %s', (shell) => {
  describeWith(has(shell), shell)('what is typed is completed', () => {
    let calls: string[][];
    beforeAll(() => {
      calls = typed(
        shell,
        LINES.map(([, line]) => line),
      );
    });

    test.each(LINES.map(([what, , words], index) => ({what, words, index})))('$what', ({words, index}) => {
      expect(separated(calls[index] ?? [])).toEqual(separated(words));
    });
  });
});

describe('bash offers', () => {
  /** What the function offers for the last of these words. */
  const offered = (...words: string[]): string[] => {
    const script =
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flashfreeze; printf "%s\\n" "${COMPREPLY[@]}"';
    const run = ['-c', script, 'bash', join(folder, 'completion.bash'), 'flashfreeze', ...words];
    return execFileSync('bash', run, {encoding: 'utf8', cwd: folder, stdio: 'pipe'}).trim().split('\n');
  };

  test('the commands that help lists', () => {
    expect(offered('')).toEqual(visible.map(([name]) => name));
    expect(offered('--json', '')).toEqual(visible.map(([name]) => name));
    expect(offered('--jobs', '2', 're')).toEqual(['relink', 'regen', 'release']);
    expect(offered('--jobs', '=', '2', 're')).toEqual(['relink', 'regen', 'release']);
  });

  test.each(visible)('the options of %s', (name, {options}) => {
    expect(offered(name, '--')).toEqual([...options.map((option) => `--${option}`), '--help']);
  });

  test('nothing where text is free, and no options where a value is missing', () => {
    expect(offered('relink', '--trace', '')).toEqual(['']);
    expect(offered('relink', '--trace', '--')).toEqual(['']);
    expect(offered('relink', '--precedence', '=', '')).toEqual(['path', 'frozen-first']);
    expect(offered('relink', '--precedence', '=')).toEqual(['path', 'frozen-first']);
  });
});
