/**
 * Writes what the other suites found into docs/performance.md, between two marks, and a chart beside it.
 *
 *     node bench/run.mjs document
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {PACKAGE} from '../../test/e2e/rig.js';
import {buildingSection, readBuildCosts} from '../building.js';
import {type Bar, chart} from '../chart.js';
import {formatted} from '../formatted.js';
import {goalsSection} from '../goals.js';
import {FROZEN, type Pair} from '../ratios.js';
import {type Results, type Row, readResults} from '../results.js';
import {
  isImport,
  programsSection,
  runtimeSection,
  startupSection,
  subjectsOf,
  unusedSection,
} from '../sections.js';
import {meanOf} from '../table.js';

const DOCUMENT = join(PACKAGE, 'docs', 'performance.md');
const CHART = 'performance.svg';
const BEGIN = '<!-- written by: node bench/run.mjs document -->';
const END = '<!-- end of what is written -->';

const SECTIONS: Readonly<Record<string, (results: Results) => string>> = {
  startup: startupSection,
  programs: programsSection,
  unused: unusedSection,
  runtime: runtimeSection,
};

export async function suite(): Promise<void> {
  const found = Object.keys(SECTIONS).flatMap((name) => readResults(name) ?? []);
  writeFileSync(join(DOCUMENT, '..', CHART), chart('Frozen over unmodified: 1.0 is no gain', bars()));
  const sections = Object.entries(SECTIONS).flatMap(([name, section]) => {
    const results = readResults(name);
    return results === undefined ? [] : [section(results)];
  });
  const costs = readBuildCosts();
  const machines = [...new Set(found.map(({machine}) => machine))];
  const text = [
    `Measured on: ${machines.join('; ')}.`,
    `![Frozen over unmodified, as bars](${CHART})`,
    goalsSection(readResults),
    ...sections,
    ...(costs.length === 0 ? [] : [buildingSection(costs)]),
  ].join('\n\n');
  const document = between(readFileSync(DOCUMENT, 'utf8'), text);
  writeFileSync(DOCUMENT, await formatted(document, DOCUMENT));
}

/** The document with another text between the marks. Throws when they are not there. */
function between(document: string, text: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} lacks the marks ${BEGIN} and ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n\n${text}\n\n${document.slice(end)}`;
}

/** The imports of each subject, and the programs. */
function bars(): Bar[] {
  const bar = (label: string, rows: readonly Row[], pair: Pair): Bar => ({
    label,
    wall: meanOf(rows, pair, 'wall'),
    instructions: meanOf(rows, pair, 'instructions'),
  });
  const startup = readResults('startup')?.rows ?? [];
  const programs = readResults('programs')?.rows ?? [];
  const subjects = subjectsOf(startup);
  const rowsOf = (subject: string, isWanted: (row: Row) => boolean): Row[] =>
    startup.filter((row) => row.subject === subject && isWanted(row));
  return [
    ...subjects.map((name) =>
      bar(
        `${name}, -c pass`,
        rowsOf(name, ({command}) => command === '-c pass'),
        FROZEN,
      ),
    ),
    ...subjects.map((name) => bar(`${name}, imports`, rowsOf(name, isImport), FROZEN)),
    ...(programs.length === 0
      ? []
      : [
          bar('five programs, relink', programs, ['relink', 'unmodified']),
          bar('five programs, overlay', programs, ['overlay', 'unmodified']),
        ]),
  ];
}
