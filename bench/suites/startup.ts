/**
 * How long a start takes: nothing but the start, and the imports that programs begin with.
 *
 *     node bench/run.mjs startup [--on 'relink-3.13 source-3.11.2'] [--with '--fast-exit'] [--measure 'wall faults …'] [--rounds 60]
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {FOLDER} from '../context.js';
import {type Command, type Extent, measure} from '../measuring.js';
import {sayRow, suiteOptions, suiteWith} from '../options.js';
import {FROZEN} from '../ratios.js';
import {keepRows, type Row} from '../results.js';
import {makeContest, presentSubjects} from '../subjects.js';

/** What programs begin with. */
export const IMPORTS = [
  'asyncio',
  'argparse, json, re, dataclasses, pathlib, subprocess, logging',
  'unittest, http.client, urllib.request, email, xml.etree.ElementTree, typing, inspect',
];

/** A small file to be read by `-m json.tool`. */
const DOCUMENT = join(FOLDER, 'small.json');

/** Of these memory is measured, too. */
const HELD = new Set(['-c pass', 'import asyncio']);

function commands(): readonly Command[] {
  return [
    {name: '-c pass', words: ['-c', 'pass']},
    {name: '-I -S -c pass', words: ['-I', '-S', '-c', 'pass']},
    ...IMPORTS.map((names) => ({name: `import ${names}`, words: ['-c', `import ${names}`]})),
    {name: '-m json.tool', words: ['-m', 'json.tool', DOCUMENT]},
  ];
}

/** What all of the commands import. */
const SELECTION = [
  '--startup',
  ...IMPORTS.flatMap((names) => ['--trace', `-c "import ${names}"`]),
  ...['--trace', '-m json.tool --help'],
];

/**
 * @param only the names of commands; all if not given
 * @param options further ones of the command line
 */
export async function measureStartup(
  name: string,
  extent: Extent,
  only?: readonly string[],
  options: readonly string[] = [],
): Promise<readonly Row[]> {
  mkdirSync(FOLDER, {recursive: true});
  writeFileSync(DOCUMENT, JSON.stringify({numbers: [1, 2.5, -3e10], text: 'a small file', nothing: null}));
  const contest = await makeContest(name, [...SELECTION, ...options], 'startup');
  const rows: Row[] = [];
  for (const command of commands().filter((each) => only?.includes(each.name) ?? true)) {
    const quantities = new Set(extent.quantities);
    if (!HELD.has(command.name)) quantities.delete('memory');
    if (quantities.size > 0) rows.push(await measure(contest, command, {...extent, quantities}));
  }
  return rows;
}

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  for (const name of await presentSubjects(options.on)) {
    const rows = await measureStartup(name, options, undefined, options.with);
    for (const row of rows) sayRow(row, [FROZEN]);
    await keepRows(suiteWith('startup', options.with), rows);
  }
}
