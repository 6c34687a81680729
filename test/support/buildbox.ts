/** buildbox-casd, a server of the Remote Execution API that is in use, in a Debian root (support/debian-root.sh). */
import {readdirSync, readFileSync} from 'node:fs';
import {connect, createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {makeDirectory} from '../../support/make-directory.js';
import {debianRoot, runInRoot} from '../../support/debian-root.js';

/** The root, built when it is not there yet; undefined, with a word on standard error, where it cannot be had. */
export const buildboxRoot = (): Promise<string | undefined> => debianRoot('buildbox-root');

export interface Casd {
  readonly url: string;
  /** Where it keeps contents: `cas/objects/ab/…`, `ac/…`. */
  readonly store: string;
  readonly stop: () => Promise<void>;
  /** Ends it without any warning to it. */
  readonly kill: () => Promise<void>;
}

export interface CasdOptions {
  /** A store that another one left. */
  readonly store?: string;
  readonly port?: number;
  /** Words for its command line. */
  readonly words?: readonly string[];
}

/**
 * Words with which it executes actions, two at a time, by bubblewrap: an action sees its inputs, and the root's programs and libraries,
 * but neither the rest of the root nor anything of this machine.
 */
export const EXECUTION = [
  '--buildbox-run=/usr/bin/buildbox-run-bubblewrap',
  '--jobs=2',
  // Bubblewrap follows no symbolic links, such as Debian's /bin.
  ...['/usr:/usr', '/usr/bin:/bin', '/usr/lib:/lib', '/usr/lib64:/lib64'].map(
    (mount) => `--runner-arg=--ro-bind-mount=${mount}`,
  ),
];

/** Starts it on the loopback interface; it ends with `stop`. */
export async function startCasd(root: string, {store, port, words = []}: CasdOptions = {}): Promise<Casd> {
  const place = store ?? join(makeDirectory('casd'), 'store');
  const at = port ?? (await freePort());
  const abortion = new AbortController();
  const state = {said: '', isOver: false};
  const ended = runInRoot(root, ['buildbox-casd', `--bind=127.0.0.1:${at}`, ...words, place], {
    binds: {[join(place, '..')]: 'write'},
    node: false,
    signal: abortion.signal,
    onOutput(text) {
      state.said += text;
    },
  }).then(() => {
    state.isOver = true;
  });
  while (!(await answers(at))) {
    if (state.isOver) throw new Error(`buildbox-casd did not start: ${state.said}`);
    await setTimeout(50);
  }
  return {
    url: `grpc://127.0.0.1:${at}`,
    store: place,
    async stop() {
      abortion.abort();
      await ended;
    },
    async kill() {
      for (const pid of processesWith(`--bind=127.0.0.1:${at}`)) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** The processes of buildbox-casd with that word on their command line. */
function processesWith(word: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words[0] === 'buildbox-casd' && words.includes(word);
    } catch {
      return false; // It has ended.
    }
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => {
      done(false);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const {port} = server.address() as AddressInfo;
      server.close(() => {
        done(port);
      });
    });
  });
}
