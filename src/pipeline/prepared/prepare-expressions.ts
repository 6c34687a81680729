import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
  type CompiledExpression,
  type Expression,
  compileExpressions,
  compiledExpressionsSchema,
} from '../../cpython/interpreter/expressions.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import type {Artifact} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {type Result, ok} from '../../model/result.js';
import {output} from '../module-images.js';
import type {FreezePlan} from '../modules/module-plan.js';
import {mentionsLocalPath} from '../local-paths.js';
import type {HostContext} from '../build-options.js';
import type {Tools} from '../image-tools.js';

/**
 * The modules that compile regular expressions: since 3.11, and in 3.10. The runtime knows them, too (src/runtime/expressions.c):
 * only when all of them are what was frozen is it the same to take what they made beforehand.
 */
const COMPILERS = [
  ['re._compiler', 're._parser', 're._constants', 're._casefix'],
  ['sre_compile', 'sre_parse', 'sre_constants'],
];

/**
 * `index:expressions`: regular expressions, compiled by the target. Undefined where there are none, or where what compiles
 * them is not frozen itself. Fails with DISCOVER, PYTHON and IO.
 */
export async function prepareExpressions(
  wanted: readonly Expression[],
  plan: FreezePlan,
  tools: Tools,
  context: HostContext,
): Promise<Result<Artifact | undefined>> {
  const {engine, places, toolchain} = tools;
  const compilers = COMPILERS.map((names) => plan.modules.filter(({module}) => names.includes(module))).find(
    (found, i) => found.length === COMPILERS[i]?.length,
  );
  const expressions = wanted.filter(({text}) => !mentionsLocalPath(text, places.root, context));
  if (compilers === undefined || expressions.length === 0) return ok(undefined);
  const sources = await engine.sources([
    {name: 'compile_expressions.py', path: scriptPath('compile_expressions.py')},
    ...compilers.map(({sourceName, source}) => ({name: sourceName, path: source})),
  ]);
  if (!sources.ok) return sources;
  const action = await engine.run({
    id: 'index:expressions',
    tools: [toolchain.identity],
    arguments: {expressions: digestOf(JSON.stringify(expressions))},
    environment: {},
    inputs: sources.value,
    outputs: [{name: 'expressions', path: join(places.work, 'expressions.json')}],
    storage: 'shared',
    async execute({outputs}) {
      const compiled = await compileExpressions(toolchain.interpreter, expressions);
      if (!compiled.ok) return compiled;
      await writeFile(outputs['expressions'] ?? '', JSON.stringify(compiled.value));
      return ok();
    },
  });
  return action.ok ? ok(output(action.value, 'expressions')) : action;
}

/** Reads what `prepareExpressions` made. */
export async function readExpressions({path}: Artifact): Promise<readonly CompiledExpression[]> {
  return compiledExpressionsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}
