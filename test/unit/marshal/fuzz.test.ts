import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';

import type {CodeForm} from '../../../src/marshal/code.js';
import {canonicalKey} from '../../../src/marshal/key.js';
import {readMarshal} from '../../../src/marshal/reader.js';
import {pyObject} from './arbitrary.js';
import {mutated} from './mutate.js';
import {findPythons} from '../../../support/pythons.js';
import {samplesOf} from './pythons.js';
import {seededRandom} from './random.js';
import {writeMarshal} from './writer.js';

/** FLASHFREEZE_FUZZ_INPUTS=1000000 and another FLASHFREEZE_FUZZ_SEED make a long run of it. */
const INPUTS = Number(process.env['FLASHFREEZE_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['FLASHFREEZE_FUZZ_SEED'] ?? 1);
const MODULES = ['abc', 'bisect', 'contextlib', 'keyword', 'types'];
const FAILURE = /^the marshal data .*\bbyte \d+/;

/** What real Pythons wrote, as far as there are any, and what our own writer made of random graphs. */
async function corpusOf(form: CodeForm): Promise<Uint8Array[]> {
  const wanted = form === '3.10' ? ['3.10'] : ['3.11', '3.13'];
  const pythons = findPythons().filter(({series}) => wanted.includes(series));
  const samples = await Promise.all(pythons.map(({python}) => samplesOf(python, MODULES, 1)));
  const written = samples.flat().map(({data}) => data);
  const graphs = fc.sample(pyObject(form), {seed: SEED, numRuns: 100});
  return [
    ...written.filter((data) => data.length < 20_000),
    ...graphs.map((graph, index) => writeMarshal(graph, seededRandom(index))),
  ];
}

describe.each(['3.10', '3.11'] as const)('damaged marshal bytes, code form %s', (codeForm) => {
  test(
    'are read or refused, and what is read can be written',
    async () => {
      const corpus = await corpusOf(codeForm);
      const random = seededRandom(SEED);
      let read = 0;
      for (let input = 0; input < INPUTS / 2; input++) {
        const bytes = mutated(corpus, random);
        const result = readMarshal(bytes, {codeForm});
        if (!result.ok) {
          if (result.failure.code !== 'MARSHAL' || !FAILURE.test(result.failure.message)) {
            throw new Error(`input ${input} of seed ${SEED}: ${JSON.stringify(result.failure)}`);
          }
          continue;
        }
        read++;
        const key = canonicalKey(result.value);
        if (input % 8 !== 0) continue;
        const again = readMarshal(writeMarshal(result.value, random), {codeForm});
        expect(again.ok ? canonicalKey(again.value) : again.failure.message).toBe(key);
      }
      // Both ways must have been taken often, or the corpus is not what it should be.
      expect(read).toBeGreaterThan(INPUTS / 100);
      expect(read).toBeLessThan(INPUTS / 2);
    },
    60_000 + INPUTS,
  );
});
