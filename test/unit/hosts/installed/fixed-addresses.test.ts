import {expect, test} from '@jest/globals';
import {addressOption} from '../../../../src/hosts/installed/fixed-addresses.js';

test.each([
  ['GNU ld (GNU Binutils for Debian) 2.40\nCopyright', '-Wl,-Ttext-segment=0x70000000'],
  ['GNU gold (GNU Binutils for Debian 2.40) 1.16', '-Wl,-Ttext-segment=0x70000000'],
  ['LLD 14.0.6 (compatible with GNU linkers)', '-Wl,--image-base=0x70000000'],
  ['Debian LLD 14.0.6', '-Wl,--image-base=0x70000000'],
  // It takes the first option for a file, and ignores the second one.
  ['mold 1.10.1 (compatible with GNU ld)', ''],
  ['Solaris Link Editors: 5.11', ''],
  ['', ''],
])('%s', (version, option) => {
  expect(addressOption(version)).toBe(option);
});
