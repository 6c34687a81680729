import {describe, expect, test} from '@jest/globals';
import {type Cause, explainWhy, sentence, type Why} from '../../../src/engine/causes.js';
import type {ActionId} from '../../../src/model/action.js';

const RUN = '2026-01-02T03:04:05.000Z';

/** Explains actions one after the other, as a run does. */
function chain(steps: Readonly<Record<ActionId, readonly Cause[]>>): Map<ActionId, Why> {
  const known = new Map<ActionId, Why>();
  for (const [id, causes] of Object.entries(steps)) {
    known.set(
      id as ActionId,
      explainWhy(RUN, causes, (producer) => known.get(producer)),
    );
  }
  return known;
}

function sentences(steps: Readonly<Record<ActionId, readonly Cause[]>>): string[] {
  return [...chain(steps)].map(([id, why]) => `${id} ran: ${sentence(why)}`);
}

const changed = (producer: ActionId): Cause => ({text: `input ${producer} changed`, producer});

describe('causes', () => {
  test('are followed to their roots', () => {
    const module = 'json.decoder';
    expect(
      sentences({
        [`compile:${module}`]: [{text: 'input Lib/json/decoder.py changed'}],
        [`generate:${module}`]: [changed(`compile:${module}`)],
        [`cc:${module}`]: [changed(`generate:${module}`)],
        'link:python': [changed(`cc:${module}`)],
      }),
    ).toEqual([
      'compile:json.decoder ran: input Lib/json/decoder.py changed',
      'generate:json.decoder ran: input compile:json.decoder changed; because Lib/json/decoder.py changed',
      'cc:json.decoder ran: input generate:json.decoder changed; because Lib/json/decoder.py changed',
      'link:python ran: input cc:json.decoder changed; because Lib/json/decoder.py changed',
    ]);
  });

  test('that many actions share are reported once, others are counted', () => {
    const steps: Record<ActionId, readonly Cause[]> = {
      'cc:a': [{text: 'tool gcc changed'}, {text: 'input a.c changed'}],
      'cc:b': [{text: 'tool gcc changed'}, {text: 'arguments changed: -O2 is new'}],
      'link:python': [changed('cc:a'), changed('cc:b')],
    };
    expect(chain(steps).get('link:python')?.roots).toEqual([
      'tool gcc changed',
      'a.c changed',
      'cc:b: arguments changed: -O2 is new',
    ]);
    expect(sentences(steps).at(-1)).toBe(
      'link:python ran: input cc:a changed (and 1 more); because tool gcc changed (and 2 more)',
    );
  });

  test('end at an action without a record', () => {
    expect(sentences({'link:python': [changed('cc:a')]})).toEqual(['link:python ran: input cc:a changed']);
    expect(sentence(explainWhy(RUN, [], () => undefined))).toBe('unknown reason');
  });

  test('are kept up to a number, and counted beyond it', () => {
    const steps: Record<ActionId, readonly Cause[]> = {};
    const ids = Array.from({length: 1000}, (_, index): ActionId => `cc:m${index}`);
    for (const id of ids) steps[id] = [{text: `input ${id.slice(3)}.c changed`}];
    steps['index:all'] = ids.map(changed);
    steps['link:python'] = [changed('index:all')];
    const known = chain(steps);
    expect(known.get('index:all')).toMatchObject({causeCount: 1000, rootCount: 1000});
    expect(known.get('link:python')).toMatchObject({causeCount: 1, rootCount: 1000});
    expect(JSON.stringify(known.get('index:all')).length).toBeLessThan(2000);
    expect(sentence(known.get('link:python') ?? explainWhy(RUN, [], () => undefined))).toBe(
      'input index:all changed; because m0.c changed (and 999 more)',
    );
  });
});
