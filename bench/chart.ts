/** Bars beside each other, as the text of an SVG. */

export interface Bar {
  readonly label: string;
  /** Ratios; undefined where nothing was measured. */
  readonly wall: number | undefined;
  readonly instructions: number | undefined;
}

const LEFT = 190;
const WIDTH = 560;
const RIGHT = 60;
const TOP = 54;
const ROW = 34;
const THICK = 12;
const COLOURS = {wall: '#2a6f97', instructions: '#a9cfe0'} as const;

/** What is as fast as unmodified ends at the line. */
export function chart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1.05, ...bars.flatMap(({wall, instructions}) => [wall ?? 0, instructions ?? 0]));
  const x = (ratio: number): number => LEFT + (WIDTH * ratio) / most;
  const bottom = TOP + ROW * bars.length;
  const width = LEFT + WIDTH + RIGHT;
  const lines = [0, 0.2, 0.4, 0.6, 0.8, 1].map((ratio) => {
    const stroke = ratio === 1 ? '#c2334d' : '#dddddd';
    return (
      `<line x1="${px(x(ratio))}" x2="${px(x(ratio))}" y1="${TOP - 6}" y2="${bottom}" stroke="${stroke}"/>` +
      text(x(ratio), bottom + 16, ratio.toFixed(1), 'middle')
    );
  });
  const parts = bars.map(({label, ...ratios}, i) => {
    const y = TOP + ROW * i;
    const drawn = (['wall', 'instructions'] as const).map((kind, j) => {
      const ratio = ratios[kind];
      if (ratio === undefined) return '';
      const at = y + THICK * j;
      return (
        `<rect x="${LEFT}" y="${at}" width="${px(x(ratio) - LEFT)}" height="${THICK - 1}" fill="${COLOURS[kind]}"/>` +
        text(x(ratio) + 4, at + THICK - 2, ratio.toFixed(2), 'start')
      );
    });
    return text(LEFT - 8, y + THICK + 4, label, 'end') + drawn.join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 28}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${bottom + 28}" fill="white"/>`,
    `<text x="8" y="18" font-size="14">${escaped(title)}</text>`,
    legend(LEFT, 34),
    ...lines,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function legend(x: number, y: number): string {
  const part = (at: number, kind: keyof typeof COLOURS, name: string): string =>
    `<rect x="${at}" y="${y - 9}" width="10" height="10" fill="${COLOURS[kind]}"/>${text(at + 14, y, name, 'start')}`;
  return part(x, 'wall', 'time') + part(x + 60, 'instructions', 'instructions');
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const px = (value: number): string => value.toFixed(1);

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
