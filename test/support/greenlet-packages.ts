/** gevent and eventlet for the system's Python: Debian's packages, unpacked into the tests' cache directory, not installed. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {systemPython} from '../../support/pythons.js';
import {unpackPackages} from './debian-packages.js';

const PACKAGES = [
  ...[
    'python3-gevent',
    'python3-eventlet',
    'python3-greenlet',
    'python3-zope.interface',
    'python3-zope.event',
  ],
  ...[
    'python3-dnspython',
    'python3-six',
    'python3-monotonic',
    'python3-pkg-resources',
    'libc-ares2',
    'libev4',
  ],
];

export interface Greenlets {
  /** The Python that they are for. */
  readonly python: string;
  readonly series: string;
  /** The directory of their packages. */
  readonly packages: string;
  /** How that Python finds them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Undefined where there is no such Python, or where the packages cannot be had. */
export function findGreenlets(): Greenlets | undefined {
  const found = systemPython();
  if (found === undefined) return undefined;
  const environmentOf = (root: string): Record<string, string> => ({
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
    LD_LIBRARY_PATH: join(root, 'usr/lib', MULTIARCH),
  });
  const root = unpackPackages('greenlets', PACKAGES, (unpacked) => {
    execFileSync(found.python, ['-B', '-c', 'import gevent.monkey, eventlet'], {
      env: environmentOf(unpacked),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  });
  if (root === undefined) return undefined;
  const environment = environmentOf(root);
  return {python: found.python, series: found.series, packages: environment['PYTHONPATH'] ?? '', environment};
}

/** Debian's name for this machine's libraries. */
const MULTIARCH = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
