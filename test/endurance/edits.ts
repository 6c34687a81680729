/**
 * Edits at random under `watch`: whatever was done to the sources, and whenever, in the end the interpreter has their last state as
 * static code.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, renameSync, rmSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {chanceFrom} from '../support/random.js';
import {actualAnswers, edit, editAtomically, expectedAnswers, pathOf, type Site} from './site.js';
import {watchSite} from './watching.js';

export interface EditsReport {
  readonly edits: number;
  /** How often the interpreter was compared with the sources. */
  readonly compared: number;
  /** How many builds it took. */
  readonly builds: number;
  /** After which edit the interpreter did not come to have the last state, and what it had. */
  readonly wrong: readonly string[];
}

const KINDS = ['content', 'save', 'touch', 'rename', 'delete', 'restore', 'branch'] as const;
/** Some edits come in the middle of a build, some in a quick row, some when all is quiet. */
const PAUSES = [0, 0, 30, 200, 900] as const;
const COMPARE_EVERY = 10;

/** @param gitDir where git may keep two branches of the sources */
export async function randomEdits(
  site: Site,
  {
    edits,
    seed,
    gitDir,
    say,
  }: {
    readonly edits: number;
    readonly seed: number;
    readonly gitDir: string;
    readonly say: (text: string) => void;
  },
): Promise<EditsReport> {
  const chance = chanceFrom(seed);
  const branches = makeBranches(site, gitDir);
  const fileOf = (module: string): string => join(site.library, pathOf(module));
  const watching = await watchSite(site);
  const wrong: string[] = [];
  let compared = 0;
  let branch = 0;

  async function compare(after: string): Promise<void> {
    compared += 1;
    const expected = JSON.stringify(expectedAnswers(site));
    let actual = '';
    const isThere = async (): Promise<boolean> => {
      actual = JSON.stringify(await actualAnswers(site));
      return actual === expected;
    };
    await watching.until('the last state', isThere, 200).catch((error: unknown) => {
      wrong.push(`${after}: ${actual} instead of ${expected}`);
      const last = watching.builds().slice(-4);
      const told = last.map(({time, changed, executed}) => JSON.stringify({time, changed, executed}));
      say([`  ${wrong.at(-1) ?? ''}`, ...told, String(error)].join('\n'));
    });
  }

  try {
    for (let i = 0; i < edits && wrong.length === 0; i += 1) {
      const module = chance.of(site.modules as readonly [string, ...string[]]);
      const file = fileOf(module);
      // Branches change all modules at once: now and then is enough.
      const drawn = chance.of(KINDS);
      const kind = drawn === 'branch' && chance.below(2) === 0 ? 'content' : drawn;
      const isThere = existsSync(file);
      if (kind === 'branch') {
        branch = 1 - branch;
        branches.checkOut(branch);
      } else if (kind === 'restore' || !isThere) branches.restore(module);
      else if (kind === 'content') edit(site, module, `edit ${i}`);
      else if (kind === 'save') editAtomically(site, module, `save ${i}`);
      else if (kind === 'touch') utimesSync(file, new Date(), new Date());
      else if (kind === 'delete') rmSync(file);
      else {
        // Away for a moment, or until somebody restores it.
        renameSync(file, `${file}.away`);
        if (chance.below(2) === 0) renameSync(`${file}.away`, file);
      }
      await new Promise((wake) => setTimeout(wake, chance.of(PAUSES)));
      if ((i + 1) % COMPARE_EVERY === 0 || i + 1 === edits) await compare(`edit ${i} (${kind} of ${module})`);
      if ((i + 1) % 100 === 0)
        say(`${i + 1} edits, ${watching.builds().length} builds, ${wrong.length} wrong`);
    }
    return {edits, compared, builds: watching.builds().length, wrong};
  } finally {
    await watching.stop();
    for (const module of site.modules) rmSync(`${fileOf(module)}.away`, {force: true});
    rmSync(gitDir, {recursive: true, force: true});
  }
}

/** Two branches of the library, which differ in each of its modules that may be edited, and in hundreds of other files. */
function makeBranches(
  site: Site,
  gitDir: string,
): {readonly checkOut: (branch: number) => void; readonly restore: (module: string) => void} {
  const git = (...args: string[]): void => {
    const own = ['--git-dir', gitDir, '--work-tree', site.library, '-c', 'user.name=x', '-c', 'user.email=x'];
    execFileSync('git', [...own, ...args], {cwd: site.library, stdio: ['ignore', 'ignore', 'pipe']});
  };
  const others = Array.from({length: 300}, (_, i) => `flashfreeze_endurance_${i}.txt`);
  const commit = (branch: number): void => {
    for (const module of site.modules) edit(site, module, `branch ${branch}`);
    execFileSync('sh', ['-c', `for name in ${others.join(' ')}; do echo ${branch} > $name; done`], {
      cwd: site.library,
    });
    git('add', '-f', ...site.modules.map(pathOf), ...others);
    git('commit', '-q', '-m', `branch ${branch}`);
    git('branch', '-f', `branch-${branch}`);
  };
  rmSync(gitDir, {recursive: true, force: true});
  git('init', '-q');
  commit(1);
  commit(0);
  git('checkout', '-q', '-f', 'branch-0');
  return {
    checkOut: (branch) => {
      git('checkout', '-q', '-f', `branch-${branch}`);
    },
    restore: (module) => {
      git('checkout', '-q', '--', pathOf(module));
    },
  };
}
