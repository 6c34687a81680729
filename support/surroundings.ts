/** Surroundings of a start other than those of the build of its snapshot. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

type State = 'restored' | 'ordinary';
export type Surroundings = readonly [name: string, text: string, state: State];

/** What only the superuser can set up. */
const PRIVILEGED: readonly Surroundings[] = [
  ['another group', 'exec setpriv --regid 65534 --clear-groups "$@"', 'ordinary'],
  [
    'another real user, which is how setuid programs start',
    'exec setpriv --ruid 65534 --keep-groups "$@"',
    'ordinary',
  ],
  ['another clock', 'exec unshare --time --monotonic 900000 --boottime 900000 "$@"', 'restored'],
  ['another host', 'exec unshare --uts sh -c \'hostname elsewhere; exec "$@"\' sh "$@"', 'restored'],
  ['the first process of its namespace', 'exec unshare --pid --fork --kill-child "$@"', 'restored'],
  ['no /proc', `exec unshare --mount sh -c 'mount -t tmpfs none /proc; exec "$@"' sh "$@"`, 'ordinary'],
];

/**
 * Each a shell text that runs a program as "$@", with what the start is there. Relative names are those of the directory of makeOtherLibraries().
 */
export const SURROUNDINGS: readonly Surroundings[] = [
  ['nothing else', 'exec "$@"', 'restored'],
  ['another variable', 'EXTRA=1 exec "$@"', 'restored'],
  ['an empty environment but for HOME', 'exec env -i HOME="$HOME" "$@"', 'ordinary'],
  ['no other variables', 'exec env -i HOME="$HOME" LANG="$LANG" "$@"', 'restored'],
  ['no variables at all', 'exec env -i "$@"', 'ordinary'],
  ['another HOME', 'HOME=/nonexistent exec "$@"', 'ordinary'],
  ['a variable of 100,000 bytes', 'EXTRA=$(printf %0100000d 0) exec "$@"', 'restored'],
  ['a variable that is not UTF-8', String.raw`EXTRA=$(printf "\377\376") exec "$@"`, 'restored'],
  ['a thousand variables', 'for i in $(seq 1000); do export V$i=$i; done; exec "$@"', 'restored'],
  ['PYTHONHASHSEED', 'PYTHONHASHSEED=0 exec "$@"', 'ordinary'],
  ['PYTHONUTF8=0', 'PYTHONUTF8=0 exec "$@"', 'ordinary'],
  ['PYTHONPATH', 'PYTHONPATH=. exec "$@"', 'ordinary'],
  ['PYTHONWARNINGS', 'PYTHONWARNINGS=error exec "$@"', 'ordinary'],
  ['PYTHONUNBUFFERED', 'PYTHONUNBUFFERED=1 exec "$@"', 'ordinary'],
  ['an empty PYTHONPATH', 'PYTHONPATH= exec "$@"', 'restored'],
  ['LC_ALL=C', 'LC_ALL=C exec "$@"', 'ordinary'],
  ['LC_ALL=POSIX', 'LC_ALL=POSIX exec "$@"', 'ordinary'],
  ['LC_ALL=C.UTF-8', 'LC_ALL=C.UTF-8 exec "$@"', 'restored'],
  ['a locale that is not there', 'LC_ALL=xx_YY exec "$@"', 'ordinary'],
  ['no LANG', 'unset LANG; exec "$@"', 'ordinary'],
  ['another time zone', 'TZ=Asia/Tokyo exec "$@"', 'restored'],
  ['a time zone that is none', 'TZ=nonsense/x exec "$@"', 'restored'],
  ['narrow columns', 'COLUMNS=40 exec "$@"', 'restored'],
  ['another TMPDIR, which SQLite reads', 'TMPDIR=/nonexistent exec "$@"', 'ordinary'],
  ['standard input closed', 'exec "$@" <&-', 'ordinary'],
  ['standard output closed', 'exec "$@" >&-', 'ordinary'],
  ['standard error closed', 'exec "$@" 2>&-', 'ordinary'],
  ['all standard streams closed', 'exec "$@" <&- >&- 2>&-', 'ordinary'],
  ['a full device', 'exec "$@" >/dev/full', 'restored'],
  ['a terminal', 'exec script -qec "$(printf "%q " "$@")" /dev/null </dev/null', 'restored'],
  ['SIGINT ignored', 'trap "" INT; exec "$@"', 'ordinary'],
  ['SIGHUP ignored, as with nohup', 'trap "" HUP; exec "$@"', 'ordinary'],
  ['a real-time signal ignored', 'exec env --ignore-signal=RTMIN+3 "$@"', 'ordinary'],
  ['SIGUSR2 blocked', 'exec env --block-signal=USR2 "$@"', 'restored'],
  ['a session of its own', 'exec setsid --wait "$@"', 'restored'],
  ['the root directory', 'cd /; exec "$@"', 'restored'],
  ['a working directory that is gone', 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', 'restored'],
  ['another umask', 'umask 077; exec "$@"', 'restored'],
  ['few files', 'ulimit -n 24; exec "$@"', 'restored'],
  ['no file may grow', 'ulimit -f 0; exec "$@"', 'restored'],
  ['little address space', 'ulimit -v 600000; exec "$@"', 'restored'],
  ['a small stack', 'ulimit -s 1024; exec "$@"', 'restored'],
  ['a stack without a limit', 'ulimit -s unlimited; exec "$@"', 'restored'],
  ['no randomized addresses', 'exec setarch -R "$@"', 'restored'],
  ['one processor', 'exec taskset -c 0 "$@"', 'restored'],
  ['no new privileges', 'exec setpriv --no-new-privs "$@"', 'restored'],
  [
    'fewer features of the processor',
    'GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS exec "$@"',
    'ordinary',
  ],
  ['one more library', 'LD_PRELOAD=./other.so exec "$@"', 'ordinary'],
  ['another libm', 'LD_LIBRARY_PATH=./other exec "$@"', 'ordinary'],
  ['a symbolic link', 'ln -sf "$1" ./link; shift; exec ./link "$@"', 'ordinary'],
  ...(process.getuid?.() === 0 ? PRIVILEGED : []),
];

/** A library of nothing, and a libm that is as good as the machine's, but another file with another build id. */
export function makeOtherLibraries(folder: string): void {
  execFileSync('cc', ['-shared', '-o', join(folder, 'other.so'), '-x', 'c', '/dev/null']);
  mkdirSync(join(folder, 'other'), {recursive: true});
  const own = execFileSync('cc', ['-print-file-name=libm.so.6'], {encoding: 'utf8'}).trim();
  const copy = readFileSync(own);
  // NT_GNU_BUILD_ID of 20 bytes (elf(5)), after the sizes of its name and content.
  const head = Buffer.from('\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0', 'latin1');
  const id = copy.indexOf(head) + head.length;
  if (id <= head.length) throw new Error(`${own} has no build id`);
  copy.writeUInt8(copy.readUInt8(id) ^ 1, id);
  writeFileSync(join(folder, 'other', 'libm.so.6'), copy);
}
