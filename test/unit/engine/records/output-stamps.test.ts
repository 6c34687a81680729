import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {confirmStamps, recordOutputs} from '../../../../src/engine/records/output-stamps.js';
import {statFile} from '../../../../src/fs/path-state.js';
import {Recording} from '../../../../src/fs/recording.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {eventually} from '../../../support/processes.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {entryOf, MemoryJournal, specOf} from '../parts.js';

const folder = temporaryDirectory();
const path = join(folder, 'a.o');
const stampOf = (): string | null => {
  const state = statFile(path);
  return state?.settled === true ? state.stamp : null;
};
let journal: MemoryJournal;
let spec: ActionSpec;
beforeEach(() => {
  writeFileSync(path, 'object');
  journal = new MemoryJournal();
  spec = specOf('cc:a', {outputs: [{name: 'a.o', path}]});
});

describe('confirmStamps', () => {
  test('an output that is still as it was made gets the stamp of its file', async () => {
    journal.set('cc:a', entryOf({contents: {'a.o': 'object'}}));
    expect(await eventually(() => stampOf() !== null)).toBe(true);
    await confirmStamps([spec], journal);
    expect(journal.get('cc:a')?.outputs['a.o']).toEqual({digest: digestOf('object'), stamp: stampOf()});
  });

  test('one that was changed meanwhile gets none', async () => {
    const entry = entryOf({contents: {'a.o': 'another object'}});
    journal.set('cc:a', entry);
    expect(await eventually(() => stampOf() !== null)).toBe(true);
    await confirmStamps([spec], journal);
    expect(journal.get('cc:a')).toBe(entry);
  });

  test('a stamp that is known stays as it is, without a look at the file', async () => {
    const outputs = {'a.o': {digest: digestOf('object'), stamp: 'known'}};
    const entry = entryOf({outputs});
    journal.set('cc:a', entry);
    await confirmStamps([spec, specOf('cc:never-ran')], journal);
    expect(journal.get('cc:a')).toBe(entry);
    expect(journal.get('cc:never-ran')).toBeUndefined();
  });
});

describe('recordOutputs', () => {
  const record = (): Recording => {
    const recording = new Recording();
    recordOutputs([spec], journal, recording);
    return recording;
  };

  test('with a stamp, the stamp is what counts', () => {
    journal.set('cc:a', entryOf({outputs: {'a.o': {digest: digestOf('object'), stamp: '1:2:3:4:5'}}}));
    expect(record().paths()).toEqual([{path, aspect: 'file', state: '1:2:3:4:5', content: null}]);
  });

  test('without one, the content is kept beside the state of the file', () => {
    chmodSync(path, 0o600);
    journal.set('cc:a', entryOf({contents: {'a.o': 'object'}}));
    const state = statFile(path)?.stamp;
    expect(record().paths()).toEqual([{path, aspect: 'file', state, content: digestOf('object')}]);
  });

  test('an action without a result leaves a gap', () => {
    expect(record().gap()).toBe('cc:a has no output a.o');
  });
});
