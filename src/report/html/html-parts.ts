import {STEPS} from '../../model/action.js';
import {bar, colourOf, escape, legend, px, table} from './html-text.js';
import {onLanes} from '../lanes.js';
import type {ActionSpan, LookupSpan, Measured, Timeline} from '../timeline.js';
import {stagesOf} from '../stages.js';
import {count, duration, size} from '../wording.js';

const OUTCOMES = [
  ['executed', 'executed', '#e0883a'],
  ['cached', 'from the cache', '#4c8bf5'],
  ['remote', 'from the remote cache', '#8a6fe0'],
  ['fresh', 'up to date', '#2ba99b'],
  ['failed', 'failed', '#c2334d'],
] as const;

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

/** The outcomes of the actions, and the hit rate of the caches. */
export function casesChart(actions: readonly ActionSpan[], lookups: readonly LookupSpan[]): string {
  const cases = OUTCOMES.map(([outcome, name, colour]) => {
    return {name, colour, number: actions.filter((action) => action.outcome === outcome).length};
  }).filter(({number}) => number > 0);
  const stack = cases.map(
    ({name, colour, number}) =>
      `<div style="flex:${number};background:${colour}" title="${number} ${name}"></div>`,
  );
  const words = cases.map(
    ({name, colour, number}) =>
      `<span><i style="background:${colour}"></i>${number} ${name} (${percent(number, actions.length)})</span>`,
  );
  const hits = lookups.filter(({found}) => found !== null).length;
  const asked =
    lookups.length === 0
      ? 'The caches were not asked for anything.'
      : `The caches were asked ${count(lookups.length, 'time')} and had it ${count(hits, 'time')}: ${percent(hits, lookups.length)}.`;
  return `<div class="stack">${stack.join('')}</div><p class="legend">${words.join('')}</p><p class="dim">${asked}</p>`;
}

const WIDTH = 1000;
const LEFT = 74;
const ROW = 20;
const TICKS = 6;

/** Stages, actions and look-ups on their lanes, over the time of the run. What was up to date is left out. */
export function timeline(recording: Timeline): string {
  const {actions, lookups, summary} = recording;
  const rows = [
    {
      name: 'stages',
      spans: onLanes(stagesOf(recording).map((phase) => ({...phase, colour: '#94a0b3', text: phase.phase}))),
    },
    {
      name: 'actions',
      spans: onLanes(
        actions
          .filter(({outcome}) => outcome !== 'fresh')
          .map((action) => ({
            ...action,
            colour: colourOf(action.step),
            text: `${action.id}\n${action.reason}`,
          })),
      ),
    },
    {
      name: 'look-ups',
      spans: onLanes(
        lookups.map((lookup) => ({
          ...lookup,
          colour: lookup.found === null ? '#c9a2ab' : '#6fae8d',
          text: `cache look-up for ${lookup.id}: ${lookup.found ?? 'nothing'}`,
        })),
      ),
    },
  ].filter(({spans}) => spans.length > 0);
  if (rows.length === 0) return '';
  const end = Math.max(
    1,
    summary?.wallMs ?? 0,
    ...rows.flatMap(({spans}) => spans.map((s) => s.begin + s.ms)),
  );
  const x = (ms: number): number => LEFT + ((WIDTH - LEFT - 10) * ms) / end;
  let y = 22;
  let drawn = '';
  for (const {name, spans} of rows) {
    const lanes = Math.max(...spans.map(({lane}) => lane)) + 1;
    // Look-ups are short and many: their lanes are thin.
    const height = name === 'look-ups' ? Math.max(3, ROW / 3) : ROW;
    drawn += `<text x="0" y="${px(y + 13)}">${name}</text>`;
    for (const {begin, ms, lane, colour, text} of spans) {
      const width = Math.max(0.8, x(begin + ms) - x(begin));
      drawn +=
        `<rect x="${px(x(begin))}" y="${px(y + lane * height)}" width="${px(width)}" height="${px(height - 1.5)}" rx="2" ` +
        `fill="${colour}"><title>${escape(text)}\n${duration(ms)}</title></rect>`;
    }
    y += lanes * height + 12;
  }
  let grid = '';
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const ms = (end * tick) / TICKS;
    const anchor = tick === TICKS ? 'end' : 'middle';
    grid += `<line x1="${px(x(ms))}" x2="${px(x(ms))}" y1="18" y2="${px(y - 8)}"/>`;
    grid += `<text class="dim" x="${px(x(ms))}" y="12" text-anchor="${anchor}">${tickText(ms, end)}</text>`;
  }
  const steps = new Set(actions.filter(({outcome}) => outcome !== 'fresh').map(({step}) => step));
  return `<svg viewBox="0 0 ${WIDTH} ${px(y)}" role="img">${grid}${drawn}</svg>${legend(steps)}`;
}

/** A short run needs its time line in milliseconds, else neighbours would have the same label. */
function tickText(ms: number, end: number): string {
  return end < 1000 * TICKS ? `${Math.round(ms)} ms` : duration(ms);
}

/** For each step: how many actions, how many ran, and the time of those together (they run side by side). */
export function stepTable(actions: readonly ActionSpan[]): string {
  const rows = STEPS.flatMap((step) => {
    const own = actions.filter((action) => action.step === step);
    if (own.length === 0) return [];
    const ran = own.filter(({outcome}) => outcome === 'executed' || outcome === 'failed');
    return [{step, all: own.length, ran: ran.length, ms: ran.reduce((sum, {ms}) => sum + ms, 0)}];
  });
  const longest = Math.max(...rows.map(({ms}) => ms), 1);
  if (rows.length === 0) return '';
  return table(
    ['step', 'actions', 'ran', 'time of those that ran', ''],
    rows.map(({step, all, ran, ms}) => [
      step,
      String(all),
      String(ran),
      duration(ms),
      bar(ms / longest, colourOf(step)),
    ]),
  );
}

const SLOWEST = 20;

export function slowestTable(actions: readonly ActionSpan[]): string {
  const slowest = actions
    .filter(({outcome}) => outcome === 'executed' || outcome === 'failed')
    .sort((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST);
  const longest = Math.max(...slowest.map(({ms}) => ms), 1);
  if (slowest.length === 0) return '';
  return table(
    ['action', 'time', '', 'why'],
    slowest.map(({id, ms, step, outcome, reason}) => [
      outcome === 'failed' ? `<b class="bad">${escape(id)}</b>` : escape(id),
      duration(ms),
      bar(ms / longest, colourOf(step)),
      `<span class="words">${escape(reason)}</span>`,
    ]),
  );
}

/** The outputs of each module's actions: code unit, C, object. The largest objects first. */
export function moduleTable(actions: readonly ActionSpan[]): string {
  interface Sizes {
    compile?: number;
    generate?: number;
    cc?: number;
  }
  const modules = new Map<string, Sizes>();
  for (const {id, step, bytes} of actions) {
    if (bytes === undefined || (step !== 'compile' && step !== 'generate' && step !== 'cc')) continue;
    const module = id.slice(id.indexOf(':') + 1);
    modules.set(module, {...modules.get(module), [step]: bytes});
  }
  // The runtime's own files are compiled, too, but are not modules.
  const rows = [...modules].filter(([, sizes]) => sizes.generate !== undefined);
  if (rows.length === 0) return '';
  rows.sort(([, a], [, b]) => (b.cc ?? 0) - (a.cc ?? 0));
  const largest = Math.max(...rows.map(([, {cc = 0}]) => cc), 1);
  const sum = (step: keyof Sizes): number => rows.reduce((total, [, sizes]) => total + (sizes[step] ?? 0), 0);
  const shown = (bytes: number | undefined): string => (bytes === undefined ? '' : size(bytes));
  const total = [
    `<b>${count(rows.length, 'module')}</b>`,
    size(sum('compile')),
    size(sum('generate')),
    size(sum('cc')),
    '',
  ];
  return table(
    ['module', 'code unit', 'C', 'object file', ''],
    [
      total,
      ...rows.map(([module, {compile, generate, cc}]) => [
        escape(module),
        shown(compile),
        shown(generate),
        shown(cc),
        bar((cc ?? 0) / largest, colourOf('cc')),
      ]),
    ],
  );
}

/** Two bars for each command that was measured. */
export function measuredChart(measured: readonly Measured[]): string {
  if (measured.length === 0) return '';
  const ends = measured.flatMap(({stage1Ms, stage2Ms, spreadMs}) => [
    stage1Ms + spreadMs,
    stage2Ms + spreadMs,
  ]);
  const longest = Math.max(...ends, 0.001);
  const left = 8;
  const x = (ms: number): number => ((WIDTH - 330) * ms) / longest;
  const row = (y: number, ms: number, spread: number, colour: string, text: string): string =>
    `<rect x="${left}" y="${y}" width="${px(x(ms))}" height="15" rx="3" fill="${colour}"/>` +
    `<line class="spread" x1="${px(left + x(Math.max(0, ms - spread)))}" x2="${px(left + x(ms + spread))}" y1="${y + 7.5}" y2="${y + 7.5}"/>` +
    `<text x="${px(left + x(ms + spread) + 8)}" y="${y + 12}">${text}</text>`;
  const drawn = measured.map(({command, stage1Ms, stage2Ms, spreadMs}, index) => {
    const y = index * 68;
    return (
      `<text x="${left}" y="${y + 14}" font-weight="600">${escape(command)}</text>` +
      row(y + 21, stage1Ms, spreadMs, '#94a0b3', `${stage1Ms.toFixed(1)} ms without`) +
      row(
        y + 39,
        stage2Ms,
        spreadMs,
        '#2ba99b',
        `${stage2Ms.toFixed(1)} ms with frozen modules: ${percent(stage2Ms, stage1Ms)}`,
      )
    );
  });
  return `<svg viewBox="0 0 ${WIDTH} ${measured.length * 68}" role="img">${drawn.join('')}</svg>`;
}
