import {currentRecording} from '../../fs/recording.js';
import type {Artifact} from '../../model/action.js';
import type {Failure} from '../../model/failure.js';
import type {Result} from '../../model/result.js';
import type {LeftOut} from './left-out.js';
import type {ModulePlan} from './module-plan.js';

/** Modules that Python compiles, and that no image can be made of: they are too large, for example. */
export interface Refusals {
  /** Whether the build can do without the image that failed in this way; remembers the module if so. */
  readonly accept: (module: ModulePlan, failure: Failure) => boolean;
  /** The failure of the build if there is no image at all: then it is the compiler that does not work. */
  readonly unlessAnyHas: (objects: readonly Result<Artifact | undefined>[]) => Failure | undefined;
  readonly leftOut: () => readonly LeftOut[];
}

/** What speaks against one module. Others, such as headers of another layout, speak against all of them. */
const OF_ONE_MODULE: readonly Failure['code'][] = ['GENERATE', 'MARSHAL', 'CC'];

export function createRefusals(): Refusals {
  const refused = new Map<ModulePlan, Failure>();
  return {
    accept(module, failure) {
      if (module.isRequired || !OF_ONE_MODULE.includes(failure.code)) return false;
      refused.set(module, failure);
      if (mayPass(failure)) currentRecording()?.addGap('a module has no image');
      return true;
    },
    unlessAnyHas(objects) {
      const [first] = refused.values();
      return objects.some((object) => !object.ok || object.value !== undefined) ? undefined : first;
    },
    leftOut: () =>
      [...refused].map(([{module, source}, failure]) => ({
        module,
        source,
        problem: {type: failure.code, text: reasonOf(failure)},
      })),
  };
}

/** Whether the same tool may succeed next time: it ran out of memory or disk space, or something ended it. */
function mayPass({message, details = ''}: Failure): boolean {
  return /\bkilled\b|\bmemory\b|no space|timed out|did not end|terminat/i.test(`${message}\n${details}`);
}

/** One line: what failed, and the first error of the tool. */
function reasonOf({message, details}: Failure): string {
  const line = details?.split('\n').find((each) => /\berror\b|killed|exhausted/i.test(each));
  return line === undefined ? message : `${message}: ${line.trim()}`;
}
