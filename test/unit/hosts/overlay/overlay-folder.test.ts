import {expect, test} from '@jest/globals';
import {checkOverlayFolder} from '../../../../src/hosts/overlay/overlay-folder.js';

test.each([
  ['/a:b/overlay', 'a colon'],
  ['/overlay:', 'a colon'],
  ['/a\nimport evil/overlay', 'a line break'],
  ['/a\r/overlay', 'a line break'],
])('%j is rejected: Python would read it as two', (out, what) => {
  expect(checkOverlayFolder(out)).toMatchObject({
    ok: false,
    failure: {code: 'OUTPUT', message: expect.stringContaining(what), hint: expect.any(String)},
  });
});

test.each(['/a b/overlay', '/a;b/$c/`d`/overlay', "/it's/overlay", '/größe/overlay'])(
  '%j is a directory',
  (out) => {
    expect(checkOverlayFolder(out)).toMatchObject({ok: true});
  },
);
