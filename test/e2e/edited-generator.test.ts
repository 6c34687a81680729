/** A checkout never stores what an older generator made under the key of an edited one. */
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {run} from '../../support/rig.js';
import {compileCheckout, copyCheckout} from '../support/checkout.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

describe('a checkout', () => {
  const python = findPythons().at(-1)?.python ?? 'python3';
  const home = temporaryDirectory('edited-generator');
  const cache = join(home, 'cache');
  const buildDir = join(home, 'build');
  let checkout: string;
  let generator: string;
  let original: string;

  const flashfreeze = (...args: string[]) =>
    run(process.execPath, [join(checkout, 'bin/flashfreeze.mjs'), ...args], {
      environment: {FLASHFREEZE_CACHE_DIR: cache},
    });
  const relink = async () => {
    const out = ['--python', python, '--out', join(home, 'python'), '--build-dir', buildDir];
    return flashfreeze('relink', ...out, '--module', 'this', '--json');
  };
  const executed = (stdout: string) =>
    (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {executed: string[]}).executed;
  /** The object file of the image. */
  const image = () => {
    const name = readdirSync(buildDir, {recursive: true, encoding: 'utf8'}).find((each) =>
      /(^|\/)this\.o$/.test(each),
    );
    return readFileSync(join(buildDir, name ?? 'this.o'), 'latin1');
  };

  beforeAll(async () => {
    checkout = copyCheckout();
    generator = join(checkout, 'src/codegen/image.ts');
    original = readFileSync(generator, 'utf8');
    await compileCheckout(checkout);
    const first = await relink();
    expect(first).toMatchObject({exitCode: 0});
    expect(executed(first.stdout)).toContain('generate:this');
  });

  test('is refused when its generator was edited and not compiled', async () => {
    writeFileSync(generator, original.replace('`${input.module}\\0`', '`${input.module}\\0/* edited */`'));
    const refused = await relink();
    expect(refused).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'flashfreeze: error[NOT_BUILT]: dist/ is older than src/codegen/image.ts\n' +
        'hint: run "npm run build" in the directory of flashfreeze\n',
    });
    expect(image()).not.toContain('/* edited */');
  });

  test('is refused by the API, too, in the projects that link to it', async () => {
    const project = temporaryDirectory('consumer');
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(checkout, join(project, 'node_modules', 'flashfreeze'));
    writeFileSync(
      join(project, 'freeze.mjs'),
      `import {relink} from 'flashfreeze';
const result = await relink({python: ${JSON.stringify(python)}, out: 'out', module: ['this']});
console.log(JSON.stringify(result));`,
    );
    const refused = await run(process.execPath, [join(project, 'freeze.mjs')], {cwd: project});
    expect(JSON.parse(refused.stdout)).toEqual({
      ok: false,
      failure: {
        code: 'NOT_BUILT',
        message: 'dist/ is older than src/codegen/image.ts',
        hint: 'run "npm run build" in the directory of flashfreeze',
      },
    });
    expect(existsSync(join(project, 'out'))).toBe(false);
  });

  test('generates anew once the edited generator is compiled', async () => {
    await compileCheckout(checkout);
    const {exitCode, stdout} = await relink();
    expect(exitCode).toBe(0);
    expect(executed(stdout)).toContain('generate:this');
    expect(image()).toContain('/* edited */');
  });

  test('finds what the first generator made when the edit is undone', async () => {
    // A comment more is another source, but the same generator.
    writeFileSync(generator, `// A comment.\n${original}`);
    await compileCheckout(checkout);
    const {exitCode, stdout} = await relink();
    expect(exitCode).toBe(0);
    expect(executed(stdout)).not.toContain('generate:this');
    expect(image()).not.toContain('/* edited */');
  });

  test('is used when a source was written again with the same text', async () => {
    writeFileSync(generator, readFileSync(generator));
    expect(await flashfreeze('--version')).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('is refused when a source is gone, and when nothing was compiled', async () => {
    rmSync(generator);
    expect((await flashfreeze('--version')).stderr).toContain('dist/ is older than src/codegen/image.ts\n');
    rmSync(join(checkout, 'dist'), {recursive: true});
    expect(await flashfreeze('--version')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('error[NOT_BUILT]: src/ has not been compiled yet\n'),
    });
  });
});
