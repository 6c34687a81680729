/** What others wrote cannot make the terminal do or show anything: in every reporter, in every place. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import type {ActionId} from '../../../src/model/action.js';
import type {Failure} from '../../../src/model/failure.js';
import {reportersFor, type View} from '../../../src/report/choose.js';
import {htmlOf} from '../../../src/report/html/html.js';
import {printable, printableJson, printableLines} from '../../../src/report/printable.js';
import {recordTimeline} from '../../../src/report/timeline.js';
import {warningText, failureText} from '../../../src/report/wording.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {cli} from '../cli/rig.js';
import {BEGIN, capture, play, summary, type Recorded} from './rig.js';

/** Texts that terminals obey, or that read as something else. */
const ATTACKS: Readonly<Record<string, string>> = {
  'clear the screen': '\u001b[2J\u001b[H',
  'set the title': '\u001b]0;owned\u0007',
  'a link (OSC 8)': '\u001b]8;;http://evil\u001b\\here\u001b]8;;\u001b\\',
  'copy to the clipboard (OSC 52)': '\u001b]52;c;ZXZpbA==\u0007',
  'device control': '\u001bP$q"p\u001b\\',
  'ask for an answer': '\u001b[6n\u0005',
  'the same in one byte': '\u009b2J\u009d0;owned\u009c',
  'overwrite the line': 'x\rflashfreeze: all is well\u0008\u0008',
  'another line': 'x\nflashfreeze: error[VERIFY]: forged',
  'other ends of lines': 'x\u0085y\u2028z\u2029w\u000b\u000c',
  'turn text around': '\u202egnp.exe\u202c \u2066a\u2069 \u200f\u061c',
  'hide text': 'pay\u200bpal \u00ad \u2060 \ufeff \u{e0041}',
  'end the text': 'a\u0000b\u007f',
  'half a character': '\ud83d x \ude00',
  'in colours': '\u001b[31mred\u001b[0m',
};

const OBEYED =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]|[\u{e0000}-\u{e007f}]/u;

/** A run in which every text is hostile. */
function hostileRun(text: string): readonly Recorded[] {
  const id = `cc:${text}` as ActionId;
  const failure: Failure = {code: 'CC', message: text, details: text, hint: text};
  return [
    {type: 'command-started', command: text},
    {type: 'phase-started', phase: text},
    {type: 'action-started', id, step: 'cc', reason: text, wait: 5000},
    {type: 'action-started', id: `stage1:${text}`, step: 'stage1', reason: text},
    {type: 'tool-output', id, text, wait: 5000},
    {type: 'action-finished', id, step: 'cc', outcome: 'executed', reason: text, ms: 1},
    {type: 'action-failed', id, step: 'cc', failure, ms: 1},
    {type: 'phase-finished', phase: text, ms: 5000},
    {type: 'notice', message: text},
    {type: 'warning', message: text, details: text, hint: text},
    {type: 'error', failure: {...failure, code: 'VERIFY'}},
    summary({
      python: text,
      output: text,
      modules: 1,
      actions: {executed: 1, cached: 0, remote: 0, fresh: 0, failed: 0},
    }),
  ];
}

describe.each(Object.entries(ATTACKS))('what would %s', (_, text) => {
  test.each<[string, Partial<View>, {readonly columns: number} | undefined]>([
    ['the plain log', {}, undefined],
    ['the verbose log', {verbose: true}, undefined],
    ['errors only', {quiet: true}, undefined],
    ['a terminal', {}, {columns: 100}],
    ['JSON', {json: true}, undefined],
  ])('does not in %s', (_, wanted, terminal) => {
    const view: View = {json: false, quiet: false, verbose: false, dryRun: false, yields: false, ...wanted};
    const [out, errors] = [capture(terminal), capture(terminal)];
    // Without colours of our own.
    const reporters = reportersFor(view, out, errors, {NO_COLOR: '1'});
    for (const reporter of reporters) {
      play(reporter, hostileRun(text));
      reporter.product({text, record: {type: 'x', text}});
      reporter.close();
    }
    // The line that a terminal keeps is ours to erase.
    const said = (out.text() + errors.text()).replaceAll('\r\u001b[2K', '');
    expect(said).not.toBe('');
    expect(said).not.toMatch(OBEYED);
    // No line looks like one of this program that is not.
    expect(said).not.toMatch(/^flashfreeze: (all is well|error\[VERIFY\]: forged)/m);
  });

  test('does not in a web page', () => {
    const recorder = recordTimeline();
    play({event: recorder.event, product: recorder.product, close: () => undefined}, hostileRun(text));
    expect(htmlOf(recorder.recording())).not.toMatch(OBEYED);
  });

  test('does not where there is no reporter', () => {
    expect(failureText({code: 'IO', message: text, details: text, hint: text})).not.toMatch(OBEYED);
    expect(warningText({message: text, details: text, hint: text})).not.toMatch(OBEYED);
  });

  test('is the same value in JSON', () => {
    const json = printableJson(JSON.stringify({[text]: text}));
    expect(json).not.toMatch(OBEYED);
    expect(JSON.parse(json)).toEqual({[text]: text});
  });
});

test('what is printable stays as it is', () => {
  for (const text of ['', 'plain', 'Grüße, Łódź, 日本語, 🐍, עברית, é', '\\x1b and \\n are text']) {
    expect(printable(text)).toBe(text);
    expect(printableLines(text)).toBe(text);
    expect(printableJson(JSON.stringify(text))).toBe(JSON.stringify(text));
  }
  expect(printableLines('one\r\n\ttwo\n')).toBe('one\n\ttwo\n');
  expect(printableLines('os.c:1: \u001b[01;31m\u001b[Kerror: \u001b[m\u001b[Kno')).toBe('os.c:1: error: no');
  expect(printable('\u001b[2J\n\u202e\u{e0041}\ud800')).toBe('\\x1b[2J\\n\\u202e\\u{e0041}\\ud800');
});

describe('a command line', () => {
  const evil = 'x\u001b[2J\nflashfreeze: forged\u009b';

  test.each([
    [['build', '--source', evil]],
    [['relink', '--python', evil, '--out', 'x']],
    [[evil]],
    [['build', `--${evil}`]],
    [['doctor', evil]],
    [['verify', evil]],
    [['explain', evil, '--build-dir', evil]],
    [['cache', 'stats', '--cache-dir', `/dev/null/${evil}`]],
    [['regen', '--config', evil]],
    [['step', evil]],
    [['step', 'freeze', `--${evil}`]],
    [['step', 'freeze', '--series', evil]],
  ])('%j is answered printably', async (argv) => {
    const {stdout, stderr, exitCode} = await cli(argv, {cwd: temporaryDirectory()});
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout + stderr).not.toMatch(OBEYED);
    expect(stdout + stderr).not.toMatch(/^flashfreeze: forged/m);
  });

  test('of names in a cache is answered printably', async () => {
    const cache = temporaryDirectory();
    const name = 'ab'.repeat(32);
    mkdirSync(join(cache, 'cas/ab'), {recursive: true});
    writeFileSync(join(cache, 'cas/ab', name), 'not what the name says');
    for (const each of ['ac', 'cas', 'tmp']) mkdirSync(join(cache, each, 'a\u001b[2Jb'), {recursive: true});
    for (const word of ['stats', 'verify', 'gc', 'clear']) {
      const {stdout, stderr} = await cli(['cache', word, '--cache-dir', cache]);
      expect(stdout + stderr).not.toMatch(OBEYED);
    }
  });

  test('of what a configuration file says is answered printably', async () => {
    const folder = temporaryDirectory();
    for (const content of [`{"${evil.replace('\n', '\\n')}": 1}`, `{"source": 5, "\u202e": "x"}`, evil]) {
      writeFileSync(join(folder, 'flashfreeze.config.json'), content);
      const {stdout, stderr, exitCode} = await cli(['build'], {cwd: folder});
      expect(exitCode).toBe(2);
      expect(stdout + stderr).not.toMatch(OBEYED);
    }
  });

  test('of what a build directory remembers is answered printably', async () => {
    const buildDir = temporaryDirectory();
    const account = {
      run: evil,
      outcome: 'executed',
      causes: [{text: evil}],
      causeCount: 1,
      roots: [evil],
      rootCount: 1,
    };
    const done = [{id: `cc:${evil}`, ms: 1, account, needs: [`generate:${evil}`]}];
    const lastRun = {schema: 1, run: new Date(BEGIN).toISOString(), ms: 1, fresh: [`cc:${evil}2`], done};
    writeFileSync(join(buildDir, 'last-run.json'), JSON.stringify(lastRun));
    for (const argv of [
      ['explain'],
      ['explain', evil],
      ['explain', '--json'],
      ['graph', 'dot'],
      ['graph', 'json'],
    ]) {
      const {stdout, stderr, exitCode} = await cli([...argv, '--build-dir', buildDir]);
      expect(exitCode).toBe(0);
      expect(stdout + stderr).not.toMatch(OBEYED);
      expect(stdout + stderr).not.toMatch(/^flashfreeze: forged/m);
    }
  });
});
