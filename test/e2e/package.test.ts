/** The packed package, installed elsewhere without a network, on every supported version of Node.js. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {PACKAGE, type Run, run} from '../../support/rig.js';
import {copyCheckout} from '../support/checkout.js';
import {NODE_VERSIONS, nodeDirectory} from '../support/node-binaries.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const prefix = temporaryDirectory('installed');
const installed = join(prefix, 'lib/node_modules/flashfreeze');
let files: readonly string[];

async function succeed(file: string, args: readonly string[], cwd = prefix): Promise<Run> {
  const done = await run(file, args, {cwd});
  if (done.exitCode !== 0) throw new Error(`${file} ${args.join(' ')}:\n${done.stdout}\n${done.stderr}`);
  return done;
}

const filesOf = (directory: string): string[] =>
  readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));

beforeAll(async () => {
  const packed = temporaryDirectory('packed');
  // A copy that nobody has compiled: packing has to do that.
  await succeed('npm', ['pack', '--pack-destination', packed], copyCheckout());
  const [tarball = ''] = readdirSync(packed);
  expect(tarball).toBe('flashfreeze-0.1.0.tgz');
  // With an empty cache and no network, only what is in the tarball can be installed.
  const offline = ['--offline', '--cache', temporaryDirectory('npm-cache')];
  await succeed('npm', ['install', '--global', '--prefix', prefix, ...offline, join(packed, tarball)]);
  files = filesOf(installed);
});

describe('the package', () => {
  test('installs nothing but itself', () => {
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['flashfreeze']);
    expect(files.filter((name) => name.includes('node_modules'))).toEqual([]);
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as object;
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('optionalDependencies');
  });

  test('has the sources that it reads at run time, all of them, and no others', () => {
    const needed = filesOf(join(PACKAGE, 'src')).filter((name) => /\.(c|h|ld|py)$/.test(name));
    expect(files.filter((name) => name.startsWith('src/')).sort()).toEqual(
      needed.map((name) => `src/${name}`).sort(),
    );
    const rules = filesOf(join(PACKAGE, 'rules')).filter((name) => /\.bzl$|BUILD\.bazel$/.test(name));
    expect(files).toEqual(expect.arrayContaining(rules.map((name) => `rules/${name}`)));
    expect(files).toEqual(
      expect.arrayContaining([
        'Makefile.inc',
        'BUILD.bazel',
        'MODULE.bazel',
        'LICENSE',
        'README.md',
        'docs/guide.md',
      ]),
    );
  });

  test('has no source maps, and of TypeScript only declarations', () => {
    expect(files.filter((name) => /\.map$|(?<!\.d)\.ts$|sources\.json$/.test(name))).toEqual([]);
    const code = files.filter((name) => name.endsWith('.js'));
    expect(code).toContain('dist/cli/main.js');
    for (const name of code) {
      expect(readFileSync(join(installed, name), 'utf8')).not.toContain('sourceMappingURL');
    }
  });

  test('holds the licences of all packages that it contains code of', () => {
    const notices = readFileSync(join(installed, 'dist/third-party-notices.txt'), 'utf8');
    const noted = [...notices.matchAll(/^-{80}\n\n(\S+) \S+ \(.+\)\n\n\S/gm)].map(([, name]) => name);
    const imported = filesOf(join(PACKAGE, 'src'))
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(join(PACKAGE, 'src', name), 'utf8').matchAll(
          /^(?:import|export) (?!type ).*?from '(?!\.|node:)((?:@[\w.-]+\/)?[\w.-]+)/gms,
        ),
      ])
      .map(([, name]) => name);
    expect(imported).toContain('zod');
    expect(noted).toEqual(expect.arrayContaining([...new Set(imported)]));
    // What those import in their turn.
    expect(noted).toContain('yargs-parser');
    expect(notices).toContain('Permission is hereby granted, free of charge');
  });
});

const nodes = await Promise.all(
  NODE_VERSIONS.map(async (version) => [version, await nodeDirectory(version)] as const),
);
for (const [version, directory] of nodes) {
  describeWith(directory, `Node.js ${version} from npm`)(`on Node.js ${version}`, () => {
    const home = temporaryDirectory(`on-node-${version}`);
    const flashfreeze = (...args: string[]) =>
      run(join(prefix, 'bin/flashfreeze'), args, {
        cwd: home,
        environment: {
          PATH: `${directory ?? ''}:${process.env['PATH'] ?? ''}`,
          FLASHFREEZE_CACHE_DIR: join(home, 'cache'),
        },
      });

    test('it says its version, and finds what it needs', async () => {
      expect((await run(join(directory ?? '', 'node'), ['--version'])).stdout).toBe(`v${version}\n`);
      expect(await flashfreeze('--version')).toEqual({exitCode: 0, stdout: '0.1.0\n', stderr: ''});
      const doctor = await flashfreeze('doctor');
      expect(doctor).toMatchObject({exitCode: 0});
      expect(doctor.stdout + doctor.stderr).toContain(version);
    });

    test('it makes an interpreter that runs', async () => {
      const python = findPythons().at(-1)?.python ?? 'python3';
      const out = join(home, 'python');
      const made = await flashfreeze('relink', '--python', python, '--out', out, '--module', 'json');
      expect(made).toMatchObject({exitCode: 0});
      const code =
        'import json, _flashfreeze; print(_flashfreeze.is_static(json.loads.__code__), json.loads("[1]"))';
      expect((await succeed(out, ['-c', code], home)).stdout).toBe('True [1]\n');
    });
  });
}
