import {expect, test} from '@jest/globals';
import {warnAboutLateStart} from '../../../../src/hosts/overlay/late-start.js';
import type {SelectionSettings} from '../../../../src/pipeline/modules/selection-settings.js';
import {ofType, recorder} from '../../engine/toys.js';

function warnings(settings: SelectionSettings): string[] {
  const record = recorder();
  warnAboutLateStart(settings, record);
  return ofType(record, 'warning').map(({message}) => message);
}

test('an overlay of start-up modules alone comes too late, and a warning says so', () => {
  expect(warnings({})).toEqual([expect.stringContaining('cannot serve most start-up modules')]);
  expect(warnings({startup: true})).toHaveLength(1);
});

test.each<[string, SelectionSettings]>([
  ['a trace', {trace: ['main.py']}],
  ['a package', {package: ['json']}],
  ['the library', {stdlib: true}],
])('with %s there is something to serve', (_, settings) => {
  expect(warnings(settings)).toEqual([]);
});
