import {linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/**
 * One set-up of a checkout at a time. The lock is a row of generations, the files 1, 2, … of a directory; the highest one
 * counts. It names its holder, or is empty when the holder let go. `link` never replaces a file, so of all who want to
 * succeed a holder that let go or died, one succeeds.
 *
 * @param {string} directory @param {(holder: number) => void} onWait called once, if there is somebody to wait for
 * @returns {Promise<() => void>} lets go
 */
export async function takeLock(folder, onWait) {
  mkdirSync(folder, {recursive: true});
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (let waited = false; ;) {
    const highest = Math.max(0, ...generations(folder));
    const holder = livingHolder(join(folder, String(highest)));
    if (holder !== undefined) {
      if (!waited) onWait(holder);
      waited = true;
      await new Promise((wake) => setTimeout(wake, 100));
      continue;
    }
    const mine = join(folder, String(highest + 1));
    if (!create(folder, mine, own)) continue;
    const all = generations(folder);
    if (Math.max(...all) > highest + 1) {
      rmSync(mine, {force: true});
      continue;
    }
    for (const old of all) if (old <= highest) rmSync(join(folder, String(old)), {force: true});
    return () => writeFileSync(mine, '');
  }
}

function generations(folder) {
  return readdirSync(folder)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);
}

function create(folder, generation, content) {
  const temporary = join(folder, `new-${process.pid}`);
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, generation);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, {force: true});
  }
}

function livingHolder(path) {
  let content;
  try {
    content = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const [pid, start] = content.split(' ');
  if (!pid) return undefined;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code === 'ESRCH') return undefined;
  }
  return startOf(pid) === start ? Number(pid) : undefined;
}

/** When a process started, in the kernel's clock ticks: process ids are used again. Empty where there is no /proc. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
