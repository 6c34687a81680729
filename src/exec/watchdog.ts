import {spawn} from 'node:child_process';

/** Kills process groups after this process has ended, even if it could not do so itself. */
export interface Watchdog {
  readonly watch: (group: number) => void;
  readonly forget: (group: number) => void;
}

/**
 * Reads `+ <group>` and `- <group>` from its input until that ends, as it does when the process at the other end is
 * gone; then kills the groups that are left.
 */
const SCRIPT = `
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`;

/**
 * Starts the watchdog: a small shell process in a group of its own, which a signal to this process's group does not
 * reach. It neither keeps this process alive nor outlives it. Where it cannot be started there is none.
 */
export function startWatchdog(): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // Node gives a socket here, which can be told not to keep the process alive.
  (shell.stdin as {readonly unref?: () => void}).unref?.();
  const say = (sign: string, group: number): void => {
    shell.stdin.write(`${sign} ${group}\n`);
  };
  return {
    watch: (group) => {
      say('+', group);
    },
    forget: (group) => {
      say('-', group);
    },
  };
}
