import type {Summary, Warning} from '../model/events.js';
import type {Failure} from '../model/failure.js';
import {printable, printableLines} from './printable.js';
import {plainStyle, type Style} from './console/style.js';

/** A duration for people: `12 ms`, `0.8 s`, `95.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A size for people, in decimal units: `512 B`, `1.5 MB`. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** `1 module`, `2 modules`. */
export function count(number: number, thing: string, things = `${thing}s`): string {
  return `${number} ${number === 1 ? thing : things}`;
}

export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by);
}

/** A failure as printed on stderr: the message with its code, the tool's output, the hint. No last line break. */
export function failureText(failure: Failure, style: Style = plainStyle): string {
  const lines = [`flashfreeze: ${style('red', `error[${failure.code}]`)}: ${printable(failure.message)}`];
  const details = printableLines(failure.details?.trimEnd() ?? '');
  if (details !== '') lines.push(indent(details));
  if (failure.hint !== undefined) lines.push(`${style('cyan', 'hint')}: ${printable(failure.hint)}`);
  return lines.join('\n');
}

/** A warning as printed on stderr. No last line break. */
export function warningText(
  {message, details, hint}: Pick<Warning, 'message' | 'details' | 'hint'>,
  style: Style = plainStyle,
): string {
  const lines = [`flashfreeze: ${style('yellow', 'warning')}: ${printable(message)}`];
  if (details !== undefined) lines.push(indent(printableLines(details)));
  if (hint !== undefined) lines.push(`${style('cyan', 'hint')}: ${printable(hint)}`);
  return lines.join('\n');
}

/**
 * The last line of a successful run with actions, such as
 * `3.13.15, 179 modules: 4 actions executed, 533 fresh, 0.8 s -> PATH`. Undefined for a run without actions.
 * `dryRun`: whether nothing was done.
 */
export function summaryText(summary: Summary, dryRun = false): string | undefined {
  const {executed, cached, remote, fresh} = summary.actions;
  if (executed + cached + remote + fresh === 0) return undefined;
  const parts = [
    ...(summary.pending === true ? ['output to write'] : []),
    ...(executed > 0 ? [`${count(executed, 'action')} ${dryRun ? 'to execute' : 'executed'}`] : []),
    ...(cached > 0 ? [`${cached} cached`] : []),
    ...(remote > 0 ? [`${remote} from the remote cache`] : []),
    ...(fresh > 0 ? [`${fresh} fresh`] : []),
  ];
  const nothing = executed + cached + remote === 0 && summary.pending !== true;
  const what = [
    ...(summary.python === null ? [] : [summary.python]),
    ...(summary.modules === 0 ? [] : [count(summary.modules, 'module')]),
  ].join(', ');
  const done = nothing ? `nothing to do (${fresh} fresh)` : parts.join(', ');
  const place = summary.output === null ? '' : ` -> ${summary.output}`;
  const how = summary.method === undefined ? '' : summary.method === 'link' ? ' (linked)' : ' (grafted)';
  return `${dryRun ? 'dry run: ' : ''}${what === '' ? summary.command : what}: ${done}, ${duration(summary.wallMs)}${place}${how}`;
}
