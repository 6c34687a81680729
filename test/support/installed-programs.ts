import {execFileSync} from 'node:child_process';

/** The programs that are not on PATH. */
export function missingOf(programs: readonly string[]): readonly string[] {
  return programs.filter((program) => {
    try {
      execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], {stdio: 'ignore'});
      return false;
    } catch {
      return true;
    }
  });
}
