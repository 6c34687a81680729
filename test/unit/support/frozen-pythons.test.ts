import {describe, expect, test} from '@jest/globals';
import {isInRoot, parseSubjectName} from '../../../support/frozen-pythons.js';

const KINDS = ['source', 'relink', 'relink-pie', 'overlay', 'graft'] as const;

describe('names of subjects', () => {
  test.each([
    ['source-3.13.15', {kind: 'source', which: '3.13.15'}, false],
    ['relink-pie-3.13', {kind: 'relink-pie', which: '3.13'}, false],
    ['graft-3.12', {kind: 'graft', which: '3.12'}, false],
    ['graft-3.15', {kind: 'graft', which: '3.15'}, true],
    ['relink-3.15', {kind: 'relink', which: '3.15'}, false],
    ['graft-trixie-3.13', {kind: 'graft', which: 'trixie-3.13'}, true],
    ['overlay-trixie-3.13', {kind: 'overlay', which: 'trixie-3.13'}, true],
  ])('%s', (name, parsed, inRoot) => {
    expect(parseSubjectName(name, KINDS, [])).toEqual(parsed);
    expect(isInRoot(parsed)).toBe(inRoot);
  });

  test.each(['graft', 'graft-trixie', 'graft-3', 'trixie-3.13', 'graft-sid-3.13'])('%s is none', (name) => {
    expect(() => parseSubjectName(name, KINDS, ['graft-3.12'])).toThrow(
      `unknown interpreter ${name}: choose from graft-3.12`,
    );
  });
});
