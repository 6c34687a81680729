import {parseArgs} from 'node:util';
import {ZodError} from 'zod';
import {abortOnSignals} from '../exec/signals.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {bug, exitCodeOf} from '../model/failure.js';
import {err, fail, type Result} from '../model/result.js';
import {writerTo} from '../report/stream.js';
import {failureText} from '../report/wording.js';
import type {ProcessContext} from './process-context.js';
import type {StepContext, StepModule} from './steps/step-module.js';

/** Single actions, for build systems that have an engine of their own. Each reads its inputs and writes its outputs. */
const STEPS: Readonly<Record<string, () => Promise<StepModule>>> = {
  target: () => import('./steps/describe.js'),
  freeze: () => import('./steps/freeze.js'),
  'read-probe': () => import('./steps/read-probe.js'),
  probe: () => import('./steps/probe.js'),
  trace: () => import('./steps/trace.js'),
  index: () => import('./steps/index.js'),
  graft: () => import('./steps/graft.js'),
  hook: () => import('./steps/hook.js'),
  check: () => import('./steps/check.js'),
};

/** A required option of a step is missing. */
class MissingOption extends Error {}

/**
 * Runs `flashfreeze step NAME --option value …`: one action of the pipeline without engine, cache, lock or configuration
 * file. Prints nothing but failures; returns the exit code.
 */
export async function runStep(argv: readonly string[], processContext: ProcessContext): Promise<number> {
  const interruption = abortOnSignals();
  try {
    const {cwd, environment} = processContext;
    const done = await perform(argv, {
      environment: scrubbedEnvironment({}, environment),
      signal: interruption.signal,
      cwd,
    });
    if (done.ok) return 0;
    writerTo(processContext.stderr).line(failureText(done.failure));
    return exitCodeOf(done.failure.code);
  } finally {
    interruption.dispose();
  }
}

async function perform([name = '', ...args]: readonly string[], context: StepContext): Promise<Result<void>> {
  const load = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined;
  if (load === undefined) {
    return fail('USAGE', name === '' ? 'step needs a name' : `unknown step ${name}`, {
      hint: `expected one of ${Object.keys(STEPS).join(', ')}`,
    });
  }
  const step = await load();
  let given: Readonly<Record<string, unknown>>;
  try {
    given = parseArgs({args, options: step.options, strict: true}).values;
  } catch (error) {
    return fail('USAGE', `step ${name}: ${messageOf(error)}`);
  }
  const optional = (option: string): string | undefined => {
    const value = given[option];
    return typeof value === 'string' ? value : undefined;
  };
  const text = (option: string): string => {
    const value = optional(option);
    if (value === undefined) throw new MissingOption(`step ${name} needs --${option}`);
    return value;
  };
  try {
    return await step.run({text, optional, flag: (option) => given[option] === true}, context);
  } catch (error) {
    if (error instanceof MissingOption) return fail('USAGE', error.message);
    if (errnoOf(error) !== undefined) return fail('IO', `step ${name}: ${messageOf(error)}`);
    // Only build systems write these files.
    const isOddFile = error instanceof SyntaxError || error instanceof ZodError;
    if (isOddFile)
      return fail('USAGE', `step ${name}: a file that it was given has another form`, {
        details: messageOf(error),
      });
    return err(bug(`step ${name}`, error));
  }
}
