import {expect, test} from '@jest/globals';
import {imageFileName} from '../../../../src/pipeline/images/image-files.js';

test('a short name is unchanged', () => {
  for (const name of ['os', 'json.decoder', 'app.migrations.0001_initial', 'größe', '日本.語']) {
    expect(imageFileName(name)).toBe(name);
  }
});

test('names of any length give different names that every file system accepts', () => {
  const long = Array.from({length: 40}, (_, i) => `${'deep.'.repeat(60)}${'ß語'.repeat(i + 10)}`);
  const names = long.map(imageFileName);
  expect(new Set(names).size).toBe(long.length);
  for (const name of names) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(160);
    expect(name).not.toMatch(/[/\0\ufffd]/u);
  }
  // Cut at every place of a character.
  for (let i = 0; i < 8; i++)
    expect(imageFileName(`${'x'.repeat(i)}${'語'.repeat(90)}`)).not.toContain('\ufffd');
});
