/** CPython's own Makefile with `include Makefile.inc`, where an image links and is wrong: the new interpreter does not stay. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, jest, test} from '@jest/globals';
import type {Run} from '../../support/rig.js';
import {imageResults, plantResult} from '../support/planted-result.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {actionsOf, chosen, makeBuildOf} from '../support/make-rig.js';

jest.setTimeout(30 * 60_000);

const cache = temporaryDirectory('make-wrong-image');
const MODULE = 'json.scanner';

describe.each(chosen.filter(({plain = false, slow = false}) => !plain && !slow))(
  'CPython $version, $name',
  (configuration) => {
    const {build, prepare, make, command, edit, restore} = makeBuildOf(configuration);
    const write = (value: string): void => {
      edit('Lib/json/scanner.py', (text) => `${text.replace(/\n(ODD = .*\n)?$/, '')}\nODD = ${value}\n`);
    };
    /** Without a look at the stamps, which say of which code an image has to be. */
    const value = async (): Promise<string> => {
      const code = 'import json.scanner; print(json.scanner.ODD)';
      const environment = {LD_LIBRARY_PATH: build};
      return (await command('./python', ['-B', '-X', 'flashfreeze=on', '-c', code], {environment})).stdout;
    };
    const freeze = (...words: string[]): Promise<Run> =>
      make('freeze-startup', `FLASHFREEZE_CACHE_DIR=${cache}`, ...words);

    beforeAll(async () => {
      const done = await prepare();
      if (done.exitCode !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
      write('1234567');
      expect(await freeze()).toMatchObject({exitCode: 0});
      const first = imageResults(cache, MODULE);
      write('7654321');
      expect(await freeze()).toMatchObject({exitCode: 0});
      expect(await value()).toBe('7654321\n');
      plantResult(first, imageResults(cache, MODULE));
      write('1234567');
      expect(await freeze()).toMatchObject({exitCode: 0});
      write('7654321');
    });
    afterAll(restore);

    test('make fails, each time, and removes the interpreter', async () => {
      for (let i = 0; i < 2; i++) {
        const refused = await freeze();
        expect(refused.exitCode).toBe(2);
        expect(refused.stderr).toMatch(
          /error\[VERIFY\]: the image of json\.scanner differs from a fresh compile of .*Lib\/json\/scanner\.py\n {2}json\.scanner, <module>: co_consts\[\d+\]: 1234567 instead of 7654321\n/,
        );
        expect(refused.stderr).toMatch(
          /\nhint: the interpreter was removed; .*FLASHFREEZE_FLAGS=--force.*FLASHFREEZE_VERIFY=no/,
        );
        expect(existsSync(join(build, 'python'))).toBe(false);
      }
    });

    test('FLASHFREEZE_VERIFY=no builds it, and the next make without that refuses it again', async () => {
      expect(await freeze('FLASHFREEZE_VERIFY=no')).toMatchObject({exitCode: 0});
      expect(await value()).toBe('1234567\n');
      expect(await freeze()).toMatchObject({exitCode: 2});
    });

    test('a build by force mends it, and the next make does nothing', async () => {
      expect(await freeze('FLASHFREEZE_FLAGS=--force')).toMatchObject({exitCode: 0});
      expect(await value()).toBe('7654321\n');
      const again = await freeze();
      expect(again).toMatchObject({exitCode: 0});
      expect(actionsOf(again)).toEqual([]);
    });
  },
);
