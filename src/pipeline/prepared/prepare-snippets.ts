import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {
  type CompiledSnippet,
  type Snippet,
  compileSnippets,
  compiledSnippetsSchema,
} from '../../cpython/interpreter/snippets.js';
import type {Artifact} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {type Result, ok} from '../../model/result.js';
import {output} from '../module-images.js';
import {mentionsLocalPath} from '../local-paths.js';
import type {HostContext} from '../build-options.js';
import type {Tools} from '../image-tools.js';

/**
 * `index:snippets`: source text that programs compile while they run, compiled by the target. Undefined where there is none.
 * Fails with DISCOVER, PYTHON and IO.
 */
export async function prepareSnippets(
  wanted: readonly Snippet[],
  {engine, places, toolchain}: Tools,
  context: HostContext,
): Promise<Result<Artifact | undefined>> {
  const snippets = wanted.filter(
    ({text, filename}) => !mentionsLocalPath(`${filename}\n${text}`, places.root, context),
  );
  if (snippets.length === 0) return ok(undefined);
  const script = await engine.source('compile_snippets.py', scriptPath('compile_snippets.py'));
  if (!script.ok) return script;
  const action = await engine.run({
    id: 'index:snippets',
    tools: [toolchain.identity],
    arguments: {snippets: digestOf(JSON.stringify(snippets))},
    environment: {},
    inputs: [script.value],
    outputs: [{name: 'snippets', path: join(places.work, 'snippets.json')}],
    storage: 'shared',
    async execute({outputs}) {
      const compiled = await compileSnippets(toolchain.interpreter, snippets);
      if (!compiled.ok) return compiled;
      await writeFile(outputs['snippets'] ?? '', JSON.stringify(compiled.value));
      return ok();
    },
  });
  return action.ok ? ok(output(action.value, 'snippets')) : action;
}

/** Reads what `prepareSnippets` made. */
export async function readSnippets({path}: Artifact): Promise<readonly CompiledSnippet[]> {
  return compiledSnippetsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}
