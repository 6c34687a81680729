import type {ActionId, Outcome} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import type {Explanations} from './explanations.js';
import type {ActionKey} from '../keys.js';
import {type DoneAction, type LastRun, writeLastRun} from '../records/last-run.js';

/** The log of this run, for later explanations. */
export interface RunLog {
  readonly add: (spec: ActionSpec, key: ActionKey, outcome: Outcome | 'failed', ms: number) => void;
  /** Whether any action was not up to date. */
  readonly hasWork: () => boolean;
  /** Writes it into the build directory. */
  readonly save: (buildDir: string) => Promise<void>;
}

export function createRunLog(began: Date, explanations: Explanations): RunLog {
  const fresh: ActionId[] = [];
  const done: DoneAction[] = [];
  return {
    add({id}, {producers}, outcome, ms) {
      if (outcome === 'fresh') {
        fresh.push(id);
        return;
      }
      const needs = [...new Set(producers.filter((producer) => producer !== null))];
      const account = explanations.accountOf(id, outcome);
      done.push({id, ms: Math.round(ms * 10) / 10, account, needs});
    },
    hasWork: () => done.length > 0,
    async save(buildDir) {
      const ms = Math.round(Date.now() - began.getTime());
      const run: LastRun = {run: began.toISOString(), ms, fresh, done};
      await writeLastRun(buildDir, run);
    },
  };
}
