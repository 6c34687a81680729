import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {fileReporter} from '../../../../src/report/file-report.js';
import {htmlOf} from '../../../../src/report/html/html.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {finished, recordingOf} from '../timelines.js';
import {FAILURE, play, REBUILD, summary} from '../rig.js';

const BENCH = {command: '-c "import a & b"', stage1Ms: 20, stage2Ms: 8, spreadMs: 1};

/** The rows of a table under a heading, cells as text. */
function rows(html: string, heading: string): string[][] {
  const part = html.split('<section>').find((section) => section.startsWith(`<h2>${heading}</h2>`)) ?? '';
  return [...part.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[dh]>(.*?)<\/t[dh]>/gs)].map(([, cell = '']) => cell.replaceAll(/<[^>]*>/g, '')),
  );
}

describe('a report', () => {
  const html = htmlOf(
    recordingOf(
      [
        {type: 'command-started', command: 'build'},
        {type: 'cache-lookup', id: 'cc:a', found: null, ms: 1},
        {type: 'cache-lookup', id: 'cc:b', found: 'cached', ms: 1},
        finished('compile:a', 30, 5, {bytes: 100}),
        finished('generate:a', 20, 5, {bytes: 2000, reason: 'input <compile:a> changed'}),
        finished('cc:a', 300, 5, {bytes: 30_000}),
        finished('generate:b', 5, 5, {bytes: 1000, outcome: 'fresh'}),
        finished('cc:b', 5, 5, {bytes: 90_000, outcome: 'cached'}),
        finished('cc:_flashfreeze.index', 5, 5, {bytes: 5}),
        {type: 'warning', message: 'the disk is <full>'},
        summary({python: '3.13.15', modules: 2, output: '/out/"python"', wallMs: 500}),
      ],
      [BENCH],
    ),
  );

  test('is one file that needs no other, and no script', () => {
    expect(html).not.toMatch(/<script|<link|<img|https?:|url\(|@import|src=/i);
    expect(html).toMatch(/^<!doctype html>/);
    expect(html.trimEnd()).toMatch(/<\/html>$/);
  });

  test('escapes all text', () => {
    expect(html).toContain('the disk is &lt;full&gt;');
    expect(html).toContain('/out/&quot;python&quot;');
    expect(html).toContain('import a &amp; b');
    expect(html).not.toMatch(/<(full|compile)/);
  });

  test('has the slowest actions first, with their reasons', () => {
    expect(rows(html, 'Slowest actions').map(([id, time, , why]) => [id, time, why])).toEqual([
      ['action', 'time', 'why'],
      ['cc:a', '0.3 s', 'first build'],
      ['compile:a', '30 ms', 'first build'],
      ['generate:a', '20 ms', 'input &lt;compile:a&gt; changed'],
      ['cc:_flashfreeze.index', '5 ms', 'first build'],
    ]);
  });

  test('has the modules with their sizes, the largest first', () => {
    expect(rows(html, 'Modules').map((row) => row.slice(0, 4))).toEqual([
      ['module', 'code unit', 'C', 'object file'],
      ['2 modules', '100 B', '3.0 kB', '120.0 kB'],
      ['b', '', '1.0 kB', '90.0 kB'],
      ['a', '100 B', '2.0 kB', '30.0 kB'],
    ]);
  });

  test('has the rates of the caches and the start-up times', () => {
    expect(html).toContain('The caches were asked 2 times and had it 1 time: 50.0 %.');
    expect(html).toContain('4 executed (66.7 %)');
    expect(html).toContain('20.0 ms without');
    expect(html).toContain('8.0 ms with frozen modules: 40.0 %');
    const [chart = ''] = /<h2>Start-up[^]*?<\/svg>/.exec(html) ?? [];
    const widths = [...chart.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).toHaveLength(2);
    expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(0.4, 2);
  });

  test('has a bar on the timeline for everything that took time', () => {
    const [drawing = ''] = /<h2>Timeline<\/h2><svg.*?<\/svg>/s.exec(html) ?? [];
    expect(drawing.match(/<rect /g)).toHaveLength(5 + 3 + 2);
    expect(drawing).not.toMatch(/NaN|Infinity|width="-/);
    const ticks = [...drawing.matchAll(/<text class="dim"[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(ticks).toEqual(['0 ms', '83 ms', '167 ms', '250 ms', '333 ms', '417 ms', '500 ms']);
  });

  test('of a run without actions, or one that failed, shows what there is', () => {
    const failed = htmlOf(recordingOf(FAILURE));
    expect(failed).toContain('<b class="bad">failed</b>');
    expect(failed).toContain('error[CC]: the C compiler failed to compile os.c');
    const empty = htmlOf(
      recordingOf([{type: 'command-started', command: 'doctor'}, summary({command: 'doctor'})]),
    );
    expect(empty).not.toContain('<section>');
    expect(empty + failed).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('a file', () => {
  const folder = temporaryDirectory();

  test('is written at the end of the run, atomically', () => {
    const path = join(folder, 'report.html');
    const reporter = fileReporter(path, 'the report', htmlOf);
    play(reporter, REBUILD);
    expect(existsSync(path)).toBe(false);
    reporter.close();
    expect(reporter.failure()).toBeUndefined();
    expect(readFileSync(path, 'utf8')).toContain('cc:json');
    expect(readdirSync(folder)).toEqual(['report.html']);
  });

  test('that cannot be written is a failure, not an exception', () => {
    const reporter = fileReporter('/nowhere/at/all.html', 'the report', htmlOf);
    play(reporter, REBUILD);
    reporter.close();
    expect(reporter.failure()).toMatchObject({
      code: 'IO',
      message: expect.stringContaining('cannot write the report'),
    });
  });
});
