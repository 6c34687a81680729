import {mkdir, symlink, writeFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {z} from 'zod';
import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';
import {readRegularText} from '../../fs/regular-file.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {responseFile} from '../../hosts/link/make-files.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {quoteForShell} from '../../model/shell-words.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {selectModules, type Selected} from '../../pipeline/modules/selection.js';
import {reportTraceProblems} from '../../pipeline/modules/trace-problem.js';
import {compileAll} from '../../pipeline/prepared/all-preparations.js';
import type {StepContext, StepModule} from './step-module.js';
import {freezePlanOf, originOf, planKind, plannedModule} from './step-plan.js';
import {readStepTarget} from './step-target.js';

/**
 * `step trace`: runs a program in the target Python, and chooses of the modules that may be frozen those that it imports, in order. Writes
 * the plan for `step index`, with the regular expressions and the source text that the program compiles, the objects as arguments of the
 * linker, and the images for `step check`. Fails with USAGE, PYTHON_VERSION, PYTHON, DISCOVER, TRACE, NO_MODULE and IO.
 */
export const options: StepModule['options'] = {
  target: {type: 'string'},
  python: {type: 'string'},
  // A TraceRequest as JSON
  request: {type: 'string'},
  plan: {type: 'string'},
  objects: {type: 'string'},
  images: {type: 'string'},
};

const requestSchema = z.object({
  kind: planKind,
  /** The modules that may be frozen. */
  candidates: z.array(plannedModule.extend({source: z.string(), object: z.string()})),
  /** What is compared besides them. */
  images: z.array(z.object({module: z.string(), source: z.string()})),
  verify: z.boolean(),
  program: z.object({
    /** Its files: the path by which it finds each, and where that is. Null stands for an empty file. */
    runfiles: z.record(z.string(), z.string().nullable()),
    /** Its working directory, and the script to run: paths by which it finds them. */
    directory: z.string(),
    start: z.string(),
    /** The arguments of each run, as in a shell. */
    traces: z.array(z.string()),
  }),
});
type TraceRequest = z.infer<typeof requestSchema>;

export const run: StepModule['run'] = ({text}, context) =>
  withTemporaryFolder('runfiles', async (folder) => {
    const path = (name: string): string => resolve(context.cwd, text(name));
    const target = await readStepTarget(path('target'));
    const {kind, candidates, images, verify, program} = requestSchema.parse(
      JSON.parse(await readRegularText(path('request'))),
    );
    const layout = await loadLayout(target.series);
    if (!layout.ok) return layout;
    const {environment, signal} = context;
    const interpreter = {python: path('python'), environment, signal};
    const selected = await runTraced(program, folder, interpreter, context);
    if (!selected.ok) return selected;
    const chosen = chooseFrom(candidates, selected.value.modules, folder, target.stdlib);
    if (kind === 'overlay' && chosen.length === 0)
      return fail('NO_MODULE', 'the program imports none of the modules that may be frozen');
    const modules = chosen.map(({name, isPackage, root}) => ({name, isPackage, root}));
    const prepared = await compileAll(
      selected.value.compiled,
      freezePlanOf({kind, modules}, target),
      {layout: layout.value, interpreter, folder},
      {cwd: context.cwd, userEnvironment: environment},
    );
    if (!prepared.ok) return prepared;
    const compared = [...images, ...chosen.map(({name, source}) => ({module: name, source}))];
    await writeFile(path('plan'), JSON.stringify({kind, modules, prepared: prepared.value}));
    await writeFile(path('objects'), responseFile(chosen.map(({object}) => object)));
    await writeFile(path('images'), JSON.stringify({force: false, images: verify ? compared : []}));
    return ok();
  });

/** Runs the program as its launcher does, with its files where it looks for them. */
async function runTraced(
  {runfiles, directory, start, traces}: TraceRequest['program'],
  folder: string,
  interpreter: Parameters<typeof selectModules>[0],
  {cwd, environment}: StepContext,
): Promise<Result<Selected>> {
  for (const [name, file] of Object.entries(runfiles)) {
    const place = join(folder, name);
    await mkdir(dirname(place), {recursive: true});
    await (file === null ? writeFile(place, '') : symlink(resolve(cwd, file), place));
  }
  const selection = {
    startup: true,
    traces: traces.map((trace) => `${quoteForShell([join(folder, start)])} ${trace}`),
    modules: [],
    packages: [],
    stdlib: false,
    exclude: [],
    frozenFirst: false,
    restsCollector: false,
    exitsFast: false,
    preparesExpressions: true,
    preparesSnippets: true,
  };
  const place = {cwd: join(folder, directory), userEnvironment: environment};
  await mkdir(place.cwd, {recursive: true});
  const selected = await selectModules(interpreter, selection, place);
  if (!selected.ok) return selected;
  const reported = reportTraceProblems(selected.value.problems, true, {emit: () => undefined});
  if (reported.ok) return selected;
  return err({...reported.failure, hint: 'a program that is traced has to end with exit code 0'});
}

/** The candidates that were imported, in that order, unless another file has the name of one. */
function chooseFrom<Candidate extends TraceRequest['candidates'][number]>(
  candidates: readonly Candidate[],
  imported: readonly ModuleRecord[],
  folder: string,
  stdlib: string,
): readonly Candidate[] {
  const byName = new Map(candidates.map((each) => [each.name, each]));
  return imported.flatMap(({name, origin}) => {
    const candidate = byName.get(name);
    if (candidate === undefined) return [];
    const root = candidate.root === 'stdlib' ? 'stdlib' : join(folder, candidate.root);
    return originOf({...candidate, root}, stdlib) === origin ? [candidate] : [];
  });
}
