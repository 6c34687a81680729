import {expect, test} from '@jest/globals';
import {readMakeFlags} from '../../../src/exec/make-flags.js';

const pipe = {kind: 'pipe', read: 3, write: 4};

// As make 4.3 and 4.4 write them (4.4 names a fifo unless told otherwise).
test.each([
  ['', {dryRun: false, jobserver: undefined}],
  ['n', {dryRun: true, jobserver: undefined}],
  ['kn', {dryRun: true, jobserver: undefined}],
  [' -j4 --jobserver-auth=3,4', {dryRun: false, jobserver: pipe}],
  ['n -j4 --jobserver-auth=3,4', {dryRun: true, jobserver: pipe}],
  [' -j --jobserver-fds=3,4', {dryRun: false, jobserver: pipe}],
  [' -j4 --jobserver-auth=fifo:/folder/GMfifo12', {jobserver: {kind: 'fifo', path: '/folder/GMfifo12'}}],
  [' --jobserver-auth=5,6 -j4 --jobserver-auth=3,4', {jobserver: pipe}],
  [' -j2 --jobserver-auth=-2,-2', {jobserver: {kind: 'pipe', read: -2, write: -2}}],
  [' -j2 -- NAME=--jobserver-auth=3,4', {jobserver: undefined}],
  ['--no-print-directory', {dryRun: false}],
  ['NAME=n', {dryRun: false}],
  ['--jobserver-auth=nonsense', {jobserver: undefined}],
])('MAKEFLAGS=%j', (text, expected) => {
  expect(readMakeFlags(text)).toMatchObject(expected);
});
