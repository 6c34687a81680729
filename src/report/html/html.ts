import {casesChart, measuredChart, moduleTable, slowestTable, stepTable, timeline} from './html-parts.js';
import {escape, STYLE} from './html-text.js';
import type {Timeline} from '../timeline.js';
import {count, duration} from '../wording.js';

/** A run as one HTML file that needs nothing else: no script, no network. */
export function htmlOf(recording: Timeline): string {
  const {command, summary, began, warnings, measured, actions, lookups} = recording;
  const title = `flashfreeze ${command}`;
  const what = [
    ...(summary === undefined || summary.python === null ? [] : [`Python ${summary.python}`]),
    ...(summary === undefined || summary.modules === 0 ? [] : [count(summary.modules, 'module')]),
    duration(summary?.wallMs ?? 0),
    new Date(began).toLocaleString('sv-SE'),
  ].join(' · ');
  const outcome = summary?.ok === true ? '<b class="good">done</b>' : '<b class="bad">failed</b>';
  const sections = [
    section('Start-up, without and with frozen modules', measuredChart(measured)),
    section('Where the results came from', actions.length === 0 ? '' : casesChart(actions, lookups)),
    section('Timeline', timeline(recording)),
    section('Steps', stepTable(actions)),
    section('Slowest actions', slowestTable(actions)),
    section('Modules', moduleTable(actions)),
    section('Warnings and errors', list(warnings)),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style></head><body>
<header><h1>${escape(title)}</h1><p>${outcome} · ${escape(what)}</p>${outputOf(recording)}</header>
${sections.join('')}</body></html>
`;
}

function outputOf({summary}: Timeline): string {
  if (summary === undefined || summary.output === null) return '';
  const digest = summary.sha256 === null ? '' : `<br>sha256 ${escape(summary.sha256)}`;
  return `<p class="dim"><code>${escape(summary.output)}${digest}</code></p>`;
}

/** A part of the page; nothing when there is nothing to show. */
function section(title: string, content: string): string {
  return content === '' ? '' : `<section><h2>${escape(title)}</h2>${content}</section>\n`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<ul>${lines.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`;
}
