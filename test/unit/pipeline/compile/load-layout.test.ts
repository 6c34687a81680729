import {expect, test} from '@jest/globals';
import {knownSeries, loadLayout} from '../../../../src/pipeline/compile/load-layout.js';

test('versions are in their order as numbers', async () => {
  const known = await knownSeries();
  expect(known.slice(0, 2)).toEqual(['3.10', '3.11']);
  const minors = known.map((series) => Number(series.split('.')[1]));
  expect(minors).toEqual([...minors].sort((a, b) => a - b));
});

test('each known version has its own layout', async () => {
  for (const series of await knownSeries()) {
    expect(await loadLayout(series)).toMatchObject({ok: true, value: {series, header: `python${series}.h`}});
  }
});

test.each(['3.9', '3.1', '2.7', 'common', ''])(
  '%j is not supported, and the supported ones are named',
  async (series) => {
    expect(await loadLayout(series)).toMatchObject({
      ok: false,
      failure: {
        code: 'PYTHON_VERSION',
        message: `CPython ${series} is not supported`,
        hint: expect.stringMatching(/^supported versions: 3\.10, 3\.11, /),
      },
    });
  },
);
