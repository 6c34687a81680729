/** A traced program that ends with an error: a warning, or, with --strict-traces, an error, until it is mended. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, jest} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const root = temporaryDirectory('strict-traces');
const newest = findPythons().at(-1);

testWith(newest, 'an installed Python')(
  'a program that fails is told with its own frames, and strictly an error',
  async () => {
    const program = join(root, 'main.py');
    mkdirSync(root, {recursive: true});
    const write = (body: string): void => {
      writeFileSync(program, `import colorsys\ndef main():\n    ${body}\nmain()\n`);
    };
    const discover = (...more: string[]) =>
      flashfreeze([
        ...['discover', '--python', newest?.python ?? '', '--build-dir', join(root, 'build')],
        ...['--cache-dir', join(root, 'cache'), '--trace', program, ...more],
      ]);
    write("raise KeyError('missing')");
    const mild = await discover();
    expect(mild).toMatchObject({exitCode: 0, stdout: expect.stringMatching(/^colorsys$/m)});
    expect(mild.stderr).toMatch(/warning: the traced program .*main\.py" ended with exit code 1;/);
    expect(mild.stderr).toMatch(/File ".*main\.py", line 3, in main\n/);
    expect(mild.stderr).toContain("KeyError: 'missing'");
    expect(mild.stderr).not.toContain('trace_imports.py');

    const strict = await discover('--strict-traces');
    expect(strict.exitCode).toBe(1);
    expect(strict.stderr).toMatch(/error\[TRACE\]: the traced program .*main\.py" ended with exit code 1\n/);
    expect(strict.stderr).toContain("KeyError: 'missing'");

    write('pass');
    const mended = await discover('--strict-traces');
    expect(mended.exitCode).toBe(0);
    expect(mended.stderr).not.toMatch(/\b(warning|error)[:[]/);
  },
);
