/** Other ways to a faster start, beside ours: kept in `results/peers.json`, and written as a section of the document. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {formatted} from './formatted.js';
import {numberCell, table} from './table.js';

const peer = z.object({
  program: z.string(),
  python: z.string(),
  /** How it is started: `installed`, `relink`, `zipapp` … */
  by: z.string(),
  /** Milliseconds, medians; undefined where that cannot be measured. */
  warm: z.number().optional(),
  noBytecode: z.number().optional(),
  cold: z.number().optional(),
  /** Megabytes of what was made. */
  size: z.number().optional(),
  /** Seconds that making it took. */
  making: z.number().optional(),
  /** Megabytes of the largest process. */
  memory: z.number().optional(),
});
export type Peer = z.infer<typeof peer>;

const FILE = join(import.meta.dirname, 'results', 'peers.json');

/** Nothing where none was ever measured. */
export function readPeers(): readonly Peer[] {
  return existsSync(FILE) ? z.array(peer).parse(JSON.parse(readFileSync(FILE, 'utf8'))) : [];
}

/** New figures take the place of all old ones of these programs. */
export async function keepPeers(peers: readonly Peer[]): Promise<void> {
  const old = readPeers().filter(
    ({program, python}) => !peers.some((each) => each.program === program && each.python === python),
  );
  writeFileSync(FILE, await formatted(JSON.stringify([...old, ...peers]), FILE));
}

export function peersSection(peers: readonly Peer[]): string {
  const ratio = (each: Peer, quantity: 'warm' | 'noBytecode' | 'cold'): string => {
    const base = peers.find(
      ({program, python, by}) => program === each.program && python === each.python && by === 'installed',
    );
    const [is, was] = [each[quantity], base?.[quantity]];
    return numberCell(is === undefined || was === undefined ? undefined : is / was, 2);
  };
  return [
    '### Beside other tools',
    'The same programs as they are installed, with a frozen interpreter, and by other means: times over those of the installed program of the same Python, warm, ' +
      'without `.pyc` files, and with a cold page cache; what was made, and how long that took; the largest process. Measured in a virtual machine ' +
      'where page faults are dear.',
    table(
      ['', 'Python', 'by', 'warm, ms', 'warm', 'no `.pyc`', 'cold', 'size, MB', 'making, s', 'memory, MB'],
      peers.map((each) => [
        `\`${each.program}\``,
        each.python,
        each.by,
        numberCell(each.warm, 1),
        ratio(each, 'warm'),
        ratio(each, 'noBytecode'),
        ratio(each, 'cold'),
        numberCell(each.size, 1),
        numberCell(each.making, 1),
        numberCell(each.memory, 1),
      ]),
    ),
    'Lazy imports win where a start needs little of what a program imports: `--version` of sphinx imports next to nothing then. A zip archive has no ' +
      '`.pyc` files, so each start compiles. PyInstaller and pex are missing: neither is in the package index that was at hand, and ' +
      "Debian's pex 1.5.3 does not run in Python 3.11.",
  ].join('\n\n');
}
