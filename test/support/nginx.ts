/** A real nginx that keeps what is put to it, as docs/caching.md says how a team sets one up. */
import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import {makeDirectory} from '../../support/make-directory.js';
import {unpackPackages} from './debian-packages.js';

const PROGRAM = 'usr/sbin/nginx';

export interface Nginx {
  readonly url: string;
  readonly pid: number;
  /** The directory that it serves: `ac` and `cas` lie in it, below `prefix`. */
  readonly folder: string;
  /** The lines of its access log so far: `<method> <path> <status>`. */
  readonly requests: () => readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * nginx: that on PATH, else Debian's package, downloaded and unpacked into the tests' cache directory, not installed. Where it
 * cannot be had it says why on standard error and gives undefined.
 */
export function findNginx(): string | undefined {
  try {
    return execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v nginx'], {
      encoding: 'utf8',
    }).trim();
  } catch {
    // Not installed.
  }
  const root = unpackPackages('nginx', ['nginx'], (unpacked) => {
    execFileSync(join(unpacked, PROGRAM), ['-v'], {stdio: 'ignore'});
  });
  return root === undefined ? undefined : join(root, PROGRAM);
}

export interface NginxOptions {
  /** A path before `/ac` and `/cas`, such as `/python`. */
  readonly prefix?: string;
  /** Whether PUT is allowed. */
  readonly writable?: boolean;
  /** Who may PUT, as `<user>:<password>`; everybody when left out. */
  readonly writer?: string;
  /** `client_max_body_size`; no limit when left out. */
  readonly maxBody?: string;
}

/** Starts it on a free port of the loopback interface, in one process that ends with `stop`. */
export async function startNginx(program: string, options: NginxOptions = {}): Promise<Nginx> {
  const {prefix = '', writable = true, writer, maxBody = '0'} = options;
  const home = makeDirectory('nginx');
  const folder = join(home, 'served');
  const log = join(home, 'access.log');
  mkdirSync(folder);
  mkdirSync(join(home, 'temporary'));
  const port = await freePort();
  const temporary = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${home}/temporary;`,
  );
  const dav = 'dav_methods PUT; create_full_put_path on; dav_access user:rw group:r all:r;';
  const [user, password] = writer?.split(':') ?? [];
  const auth = `limit_except GET { auth_basic "cache"; auth_basic_user_file ${home}/htpasswd; }`;
  writeFileSync(join(home, 'htpasswd'), `${user}:{PLAIN}${password}\n`);
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off;
master_process off;
pid ${home}/pid;
error_log ${home}/error.log;
events {}
http {
  log_format short '$request_method $uri $status';
  access_log ${log} short;
  ${temporary.join(' ')}
  client_body_temp_path ${home}/temporary;
  client_max_body_size ${maxBody};
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    location ~ "^${prefix}/(ac|cas)/[0-9a-f]{64}$" { ${writable ? dav : ''} ${writer === undefined ? '' : auth} }
    location / { return 403; }
  }
}
`,
  );
  const child = spawn(program, ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = ending(child);
  const url = `http://127.0.0.1:${port}${prefix}`;
  await answering(url, child);
  return {
    url,
    pid: child.pid ?? 0,
    folder,
    requests: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => / \S*\/(?:ac|cas)\//.test(line)),
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(home, {recursive: true, force: true});
    },
  };
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

function ending(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => {
      done();
    });
  });
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400 && child.exitCode === null; tries += 1) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((wake) => setTimeout(wake, 25));
    }
  }
  throw new Error('nginx does not start');
}
