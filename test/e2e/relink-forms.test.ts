/** Relinking in other forms than the usual one: position-independent, from a virtual environment, without --build-dir. */
import {existsSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {findPythons, systemPython} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {CACHE, flashfreeze, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const TRACE = ['--trace', '-c "import json, argparse, logging, dataclasses"'];
const folder = temporaryDirectory('relink');
const system = systemPython();
const pythons = findPythons();

describe('with the newest', () => {
  const newest = pythons.at(-1);
  const path = newest?.python ?? '';

  test.each([...new Set([path, system?.python ?? path])])(
    'a position-independent executable of %s',
    async (python) => {
      const out = join(folder, `pie${python.replaceAll('/', '_')}`);
      const done = await flashfreezeJson(['relink', '--pie', '--python', python, '--out', out, ...TRACE]);
      expect(done.summary.ok).toBe(true);
      // e_type of its ELF header: ET_DYN.
      expect(readFileSync(out).readUInt16LE(16)).toBe(3);
      expect(await flashfreeze(['verify', '--images', out])).toMatchObject({exitCode: 0, stderr: ''});
    },
  );

  test('bench measures against the same archive without images, linked once', async () => {
    const out = join(folder, 'benched');
    const words = ['--python', path, '--out', out];
    expect((await flashfreezeJson(['bench', ...words])).stderr).toMatch(/error\[BENCH\].*\nhint: .*relink/);
    expect((await flashfreezeJson(['relink', ...words, ...TRACE])).summary.ok).toBe(true);
    const bench = () => flashfreezeJson(['bench', ...words, '--runs', '3', '--command', '-c "import json"']);
    const [first, second] = [await bench(), await bench()];
    expect(first.summary).toMatchObject({ok: true, executed: ['link:plain']});
    expect(second.summary).toMatchObject({ok: true, executed: []});
    const rows = second.events.filter(({type}) => type === 'bench');
    expect(rows).toMatchObject([{command: '-c "import json"', wall: expect.any(Number)}]);
    expect(second.summary['ratios']).toEqual({
      '-c "import json"': {wall: rows[0]?.['wall'], instructions: null},
    });
  });

  test('bench measures starts without bytecode, which the baseline compiles, when it is asked to', async () => {
    const words = ['--python', path, '--out', join(folder, 'benched'), '--runs', '3'];
    const {events} = await flashfreezeJson(['bench', ...words, '--condition', 'no-bytecode']);
    expect(events.filter(({type}) => type === 'bench')).toMatchObject([
      {command: '-c pass', conditions: {'no-bytecode': {wall: expect.any(Number)}}},
    ]);
  });

  test('made from a virtual environment, it is the Python below, with the modules of the environment', async () => {
    const place = join(folder, 'venv');
    expect((await run(path, ['-B', '-m', 'venv', '--without-pip', place])).exitCode).toBe(0);
    const packages = join(place, 'lib', `python${newest?.series ?? ''}`, 'site-packages');
    writeFileSync(join(packages, 'only_here.py'), 'def f(): return 1\n');
    const out = join(folder, 'from-venv');
    const python = join(place, 'bin', 'python');
    const done = await flashfreezeJson(['relink', '--python', python, '--out', out, '--module', 'only_here']);
    expect(done.summary.ok).toBe(true);
    const code = 'import only_here, _flashfreeze as f; print(f.is_static(only_here.f.__code__))';
    const environment = {PYTHONPATH: packages};
    expect((await run(out, ['-B', '-c', code], {environment})).stdout).toBe('True\n');
    const prefix = 'import sys; print(sys.prefix == sys.base_prefix)';
    expect((await run(out, ['-B', '-c', prefix])).stdout).toBe('True\n');
  });
});

describe('without --build-dir', () => {
  test('the cache has one build directory for each Python and output', async () => {
    const cache = join(folder, 'cache');
    const out = join(folder, 'kept', 'python');
    const words = ['relink', '--python', pythons[0]?.python ?? '', '--out', out, '--cache-dir', cache];
    expect((await flashfreezeJson([...words, '--module', 'colorsys'])).summary.ok).toBe(true);
    expect(readdirSync(join(cache, 'builds'))).toEqual([expect.stringMatching(/^python-[0-9a-f]{12}$/)]);
    expect(readdirSync(dirname(out)).filter((name) => !name.endsWith('.stamps'))).toEqual(['python']);
    expect(existsSync(CACHE)).toBe(true);
  });
});
