import {spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {describe, expect, test} from '@jest/globals';
import {reportersFor} from '../../../src/report/choose.js';
import {jsonReporter} from '../../../src/report/json-lines.js';
import {quietReporter} from '../../../src/report/console/quiet.js';
import {sinkOf} from '../../../src/report/reporter.js';
import {writerTo} from '../../../src/report/stream.js';
import {colourStyle, plainStyle, styleFor} from '../../../src/report/console/style.js';
import {BEGIN, capture, FAILURE, play, REBUILD, summary} from './rig.js';

describe('JSON', () => {
  test('is one object a line for every event, type and time first', () => {
    const stream = capture();
    play(
      jsonReporter(stream, () => BEGIN),
      REBUILD,
    );
    const lines = stream.text().trimEnd().split('\n');
    expect(lines).toHaveLength(REBUILD.length);
    expect(lines[0]).toBe(`{"type":"command-started","time":${BEGIN},"command":"build"}`);
    for (const [index, line] of lines.entries()) {
      expect(JSON.parse(line)).toEqual({...REBUILD[index], time: BEGIN + index});
    }
  });

  test('ends in the whole summary, its fields in the order of the guide', () => {
    const stream = capture();
    const ratios = {'-c pass': {wall: 0.5, instructions: null}};
    play(
      jsonReporter(stream, () => BEGIN),
      [summary({ok: false, ratios})],
    );
    expect(stream.text()).toBe(
      `{"type":"summary","time":${BEGIN},"ok":false,"command":"build","python":null,"modules":0,"output":null,` +
        '"stage1":null,"sha256":null,"wallMs":0,' +
        '"actions":{"executed":0,"cached":0,"remote":0,"fresh":0,"failed":0},"executed":[],' +
        '"ratios":{"-c pass":{"wall":0.5,"instructions":null}}}\n',
    );
  });

  test("has the command's result, without text for people only", () => {
    const stream = capture();
    const reporter = jsonReporter(stream, () => BEGIN);
    reporter.product({text: 'the head of a table'});
    reporter.product({text: 'os', record: {type: 'module', name: 'os'}});
    expect(stream.text()).toBe(`{"type":"module","time":${BEGIN},"name":"os"}\n`);
  });
});

test("quiet prints only errors and the command's result", () => {
  const [errors, products] = [capture(), capture()];
  const reporter = quietReporter({errors, products}, plainStyle);
  play(reporter, [...REBUILD, ...FAILURE]);
  reporter.product({text: 'os'});
  expect(errors.text()).toMatch(/^flashfreeze: error\[CC\]: the C compiler failed to compile os\.c\n/);
  expect(errors.text().match(/error\[CC\]/g)).toHaveLength(1);
  expect(products.text()).toBe('os\n');
});

const typeOf = (line: string): unknown => (JSON.parse(line) as {type: unknown}).type;

describe('the streams', () => {
  const view = {json: false, quiet: false, verbose: false, dryRun: false, yields: false};
  const run = (options: Partial<typeof view>, environment: Record<string, string>, isTerminal = false) => {
    const [stdout, stderr] = [0, 1].map(() => capture(isTerminal ? {columns: 80} : undefined));
    if (stdout === undefined || stderr === undefined) throw new Error('two streams');
    const reporters = reportersFor({...view, ...options}, stdout, stderr, environment);
    const sink = sinkOf(reporters, () => BEGIN);
    sink.emit({type: 'phase-started', phase: 'freezing'});
    sink.product({text: 'os', record: {type: 'module'}});
    for (const reporter of reporters) reporter.close();
    return [stdout.text(), stderr.text()];
  };

  test('the log of a build goes to stdout', () => {
    expect(run({}, {})).toEqual(['freezing ...\nos\n', '']);
  });
  test('the log goes to stderr if stdout is for programs', () => {
    expect(run({yields: true}, {})).toEqual(['os\n', 'freezing ...\n']);
  });
  test('with --json text goes to stderr, and the result is printed once', () => {
    const [stdout = '', stderr] = run({json: true}, {});
    expect(stdout.split('\n').map((line) => (line === '' ? '' : typeOf(line)))).toEqual([
      'phase-started',
      'module',
      '',
    ]);
    expect(stderr).toBe('freezing ...\n');
  });
  test('with --json and --quiet there is no text', () => {
    expect(run({json: true, quiet: true}, {})[1]).toBe('');
  });
  test.each([
    ['under make', {MAKELEVEL: '1'}],
    ['in CI', {CI: 'true'}],
    ['on a terminal that can do nothing', {TERM: 'dumb'}],
  ])('%s a terminal gets plain lines', (_where, environment) => {
    expect(run({}, {NO_COLOR: '1', ...environment}, true)).toEqual(['freezing ...\nos\n', '']);
  });
  test('else a terminal gets a live line', () => {
    expect(run({}, {NO_COLOR: '1'}, true)[0]).toMatch(/^freezing {2}[^\r\n]+\r\u001b\[2Kos\n/);
  });
});

describe('colours', () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, {TERM: 'dumb'}, false],
    [true, {NO_COLOR: '1'}, false],
    [true, {NO_COLOR: ''}, true],
    [false, {FORCE_COLOR: '1'}, true],
    [false, {FORCE_COLOR: ''}, true],
    [true, {FORCE_COLOR: '0'}, false],
    [false, {FORCE_COLOR: '1', NO_COLOR: '1'}, true],
  ])('terminal %p, environment %p: %p', (isTerminal, environment, coloured) => {
    expect(styleFor(isTerminal, environment)).toBe(coloured ? colourStyle : plainStyle);
  });
});

describe('a stream whose reader goes away', () => {
  const failing = (code: string) => {
    const stream = new EventEmitter();
    let written = '';
    const writer = writerTo(Object.assign(stream, {write: (text: string) => (written += text)}));
    writer.line('one');
    stream.emit('error', Object.assign(new Error(code), {code}));
    writer.line('two');
    return {written: () => written, writer};
  };

  test('gets nothing more, which is not an error', () => {
    const {written, writer} = failing('EPIPE');
    expect(written()).toBe('one\n');
    expect(writer.broken()).toBeUndefined();
  });
  test('other errors are reported', () => {
    expect(failing('ENOSPC').writer.broken()).toMatchObject({code: 'ENOSPC'});
  });
  test('is the same for a real pipe', async () => {
    const child = spawn('true', {stdio: ['pipe', 'ignore', 'ignore']});
    const writer = writerTo(child.stdin);
    await once(child, 'exit');
    const closed = once(child.stdin, 'close');
    writer.line('nobody reads this');
    await closed;
    writer.line('nor this');
    expect(writer.broken()).toBeUndefined();
  });
});
