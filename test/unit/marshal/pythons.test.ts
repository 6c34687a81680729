import {describe, expect, test} from '@jest/globals';

import {canonicalKey} from '../../../src/marshal/key.js';
import type {PyObject} from '../../../src/marshal/objects.js';
import {readMarshal} from '../../../src/marshal/reader.js';
import {describeObject} from './describe.js';
import {noteNotFound} from '../../support/not-found.js';
import {findPythons} from '../../../support/pythons.js';
import {samplesOf, type Sample} from './pythons.js';
import {writeMarshal} from './writer.js';

const VERSIONS = ['3.10', '3.11', '3.12', '3.13', '3.14', '3.15'];
/** Modules with closures, class cells, comprehensions, sets of constants, exception tables and much text. */
const MODULES = [
  'argparse',
  'ast',
  'dataclasses',
  'enum',
  'inspect',
  'locale',
  'statistics',
  'tokenize',
  'typing',
];
const pythons = new Map(findPythons().map(({series, python}) => [series, python]));
const missing = VERSIONS.filter((version) => !pythons.has(version));
for (const version of missing) noteNotFound(`Python ${version}`);

describe.each([...pythons])('what Python %s writes', (version, executable) => {
  const codeForm = version === '3.10' ? '3.10' : '3.11';
  const read = (sample: Sample): PyObject => {
    const result = readMarshal(sample.data, {codeForm});
    if (!result.ok) throw new Error(`${sample.name} in version ${sample.version}: ${result.failure.message}`);
    return result.value;
  };

  test('is read as that Python reads it, in every version of the format and under every hash seed', async () => {
    const keys = new Map<string, string>();
    const bySeed = await Promise.all([1, 2].map((seed) => samplesOf(executable, MODULES, seed)));
    for (const sample of bySeed.flat()) {
      const object = read(sample);
      if (describeObject(object) !== sample.description) {
        // Only now compare with a report of the differences, which takes long.
        expect(JSON.parse(describeObject(object))).toEqual(JSON.parse(sample.description));
      }
      const key = canonicalKey(object);
      expect([sample.name, key]).toEqual([sample.name, keys.get(sample.name) ?? key]);
      keys.set(sample.name, key);
    }
    expect(keys.size).toBeGreaterThan(MODULES.length);
    expect(new Set(keys.values()).size).toBe(keys.size);

    // From the references and short forms of the newest version to the plain bytes of version 2, nothing is lost.
    for (const sample of bySeed.flat().filter((each) => each.version === 2)) {
      // 3.10 writes sets in the order of their hash tables.
      if (version === '3.10' && /"(?:frozen)?set"/.test(sample.description)) continue;
      const newest = bySeed.flat().find((each) => each.name === sample.name && each.version > 2);
      const rewritten = newest === undefined ? new Uint8Array() : writeMarshal(read(newest));
      expect([sample.name, Buffer.compare(rewritten, sample.data)]).toEqual([sample.name, 0]);
    }
  }, 60_000);
});
