import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {CACHE, run} from '../../support/rig.js';
import {temporaryDirectory} from './temporary-directory.js';

/** The versions of Node.js that the package is tested on, and the digests of the npm packages that hold them. */
const RELEASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  x64: {
    '20.19.6': 'nSaDjLjUZdsLMDckfinsQl+hvKifYUuzO7swyacVzrKAIi0ByaORSE1DpaRTjxfCq3mETV/3uTlKXStzd2nJWQ==',
    '22.23.3': 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    '24.21.0': '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    '20.19.6': 'T28TZKZJ9yyf/ZZI1hVnzkvD3HhVrVe8O/5oSNO2WtlYVshqJrWuGnOOOk/7R3xF7psP2aVzHnbtQ1Q5UeWKmA==',
    '22.23.3': 'l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    '24.21.0': 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** The versions of Node.js that there are for this processor. */
export const NODE_VERSIONS: readonly string[] = Object.keys(RELEASES[process.arch] ?? {});

/** A directory that holds `node` of a version; undefined where the version cannot be downloaded. */
export async function nodeDirectory(version: string): Promise<string | undefined> {
  const archive = await nodeArchive(version);
  if (archive === undefined) return undefined;
  const directory = temporaryDirectory(`node-${version}`);
  const words = [
    '--extract',
    '--file',
    archive,
    '--directory',
    directory,
    '--strip-components=2',
    'package/bin/node',
  ];
  const {exitCode, stderr} = await run('tar', words);
  if (exitCode !== 0) throw new Error(stderr);
  return directory;
}

/** The archive is kept between test runs, and its digest is checked in each of them. */
async function nodeArchive(version: string): Promise<string | undefined> {
  const name = `node-linux-${process.arch}`;
  const digest = RELEASES[process.arch]?.[version];
  const archives = join(CACHE, 'node');
  const archive = join(archives, `${name}-${version}.tgz`);
  if (existsSync(archive) && sha512Of(archive) === digest) return archive;
  mkdirSync(archives, {recursive: true});
  const download = mkdtempSync(join(archives, 'download-'));
  try {
    const {exitCode} = await run('npm', ['pack', `${name}@${version}`, '--pack-destination', download]);
    const [file] = readdirSync(download);
    if (exitCode !== 0 || file === undefined) return undefined;
    const found = sha512Of(join(download, file));
    if (found !== digest) throw new Error(`${file} has the digest ${found}, not ${digest ?? 'a known one'}`);
    renameSync(join(download, file), archive);
    return archive;
  } finally {
    rmSync(download, {recursive: true, force: true});
  }
}

function sha512Of(path: string): string {
  return createHash('sha512').update(readFileSync(path)).digest('base64');
}
