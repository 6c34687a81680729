import {printableLines} from '../printable.js';
import {STEPS, type Step} from '../../model/action.js';

/** Text for HTML, between tags and in quoted attributes. */
export function escape(text: string): string {
  return printableLines(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A number for an SVG attribute: a tenth of a pixel is enough. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const COLOURS: Readonly<Record<Step, string>> = {
  configure: '#7c8798',
  stage1: '#52617a',
  discover: '#b07cc6',
  compile: '#4c8bf5',
  generate: '#2ba99b',
  cc: '#e0883a',
  index: '#c4b13b',
  link: '#d4526e',
  snapshot: '#8a5a44',
};

export function colourOf(step: Step): string {
  return COLOURS[step];
}

/** Which colour is which step, for those that occur. */
export function legend(steps: ReadonlySet<Step>): string {
  const items = STEPS.filter((step) => steps.has(step)).map(
    (step) => `<span><i style="background:${COLOURS[step]}"></i>${step}</span>`,
  );
  return `<p class="legend">${items.join('')}</p>`;
}

/** A table: its head, and rows of cells that are HTML already. Columns after the first hold numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${cells('th', head)}</thead><tbody>${rows
    .map((row) => cells('td', row))
    .join('')}</tbody></table></div>`;
}

/** A bar that fills a share of its cell; none for nothing. */
export function bar(share: number, colour: string): string {
  if (share <= 0) return '';
  return `<div class="bar"><div style="width:${px(Math.max(0.3, share * 100))}%;background:${colour}"></div></div>`;
}

export const STYLE = `
:root{color-scheme:light dark;--back:#fff;--text:#1d2430;--dim:#667085;--line:#e3e7ee;--card:#f7f8fa;--good:#1f8a5b;--bad:#c2334d}
@media(prefers-color-scheme:dark){:root{--back:#14181f;--text:#e4e8ef;--dim:#94a0b3;--line:#2a313d;--card:#1b212b;--good:#4cc38a;--bad:#f2748b}}
body{font:15px/1.5 system-ui,sans-serif;background:var(--back);color:var(--text);margin:0 auto;max-width:1080px;padding:24px}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:0 0 12px}header p{margin:4px 0}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 20px;margin:18px 0}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:14px;margin:10px 0 0;font-size:13px;color:var(--dim)}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.stack{display:flex;height:22px;border-radius:5px;overflow:hidden;gap:1px}.stack div{min-width:2px}
.scroll{overflow:auto;max-height:660px}table{border-collapse:collapse;width:100%;font-size:13.5px}
th{position:sticky;top:0;background:var(--card);text-align:right;font-weight:600;color:var(--dim)}
td{text-align:right;border-top:1px solid var(--line);font-variant-numeric:tabular-nums}
th,td{padding:4px 10px;white-space:nowrap;vertical-align:top}th:first-child,td:first-child{text-align:left;padding-left:0}
.words{display:block;white-space:normal;text-align:left;color:var(--dim)}th:last-child{text-align:left}
.bar{min-width:120px;height:12px;margin-top:4px}.bar div{height:12px;border-radius:3px}
svg{display:block;width:100%;height:auto}svg text{fill:var(--text);font:12px system-ui,sans-serif}svg .dim{fill:var(--dim)}svg line{stroke:var(--line)}svg .spread{stroke:var(--text);opacity:.6}
`;
