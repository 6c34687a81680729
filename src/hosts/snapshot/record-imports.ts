import {dirname, join} from 'node:path';
import {writeFile} from 'node:fs/promises';
import {readFile, realpath} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {runProcess} from '../../exec/process.js';
import {messageOf} from '../../model/errno.js';
import {fail, type Result} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import type {DumpPlace} from './dump-place.js';
import type {Entry} from './program-entry.js';
import {parseRecording, type RecordedImports} from './recorded-imports.js';

/** What is imported, and by which Python. */
export interface Recording {
  /** The interpreter without a program or a snapshot. */
  readonly python: string;
  /** The path by which it is called: it decides which packages are found. By default its own. */
  readonly name?: string | undefined;
  readonly modules: readonly string[];
  readonly entry: Entry | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly place: DumpPlace;
}

/**
 * Imports the modules in a process of its own, without images, and returns what they looked at and left behind. Fails with SNAPSHOT when the
 * imports end the process.
 */
export async function recordImports(
  {python, name, modules, entry, environment, folder, place}: Recording,
  {context: {signal, cwd}}: Pick<Site, 'context'>,
): Promise<Result<RecordedImports>> {
  const own = (name: string): string => join(folder, name);
  const [request, out, output] = [own('recorded.txt'), own('recorded.jsonl'), own('recorded.output')];
  try {
    const paths = entry?.kind === 'script' ? [dirname(await realpath(entry.path))] : [];
    const lines = [...paths.map((path) => `path ${path}`), ...modules.map((name) => `module ${name}`)];
    await writeFile(request, lines.map((line) => `${line}\n`).join(''));
    const files = [scriptPath('record_imports.py'), request, out, output].map((path) => place.inside(path));
    const args = ['-X', 'flashfreeze=off', ...files];
    const done = await runProcess({
      ...place.command({file: python, args, environment}),
      ...(name === undefined ? {} : {argv0: name}),
      ...{cwd, signal},
    });
    if (!done.ok) return done;
    const text = await readFile(out, 'utf8').catch(() => undefined);
    if (text === undefined) {
      const {stdout, stderr} = done.value;
      const printed = await readFile(output, 'utf8').catch(() => '');
      return fail('SNAPSHOT', 'the imports end the process', {
        details: `${printed}${stdout}${stderr}`.trim(),
      });
    }
    return parseRecording(text);
  } catch (error) {
    return fail('IO', `cannot record the imports: ${messageOf(error)}`);
  } finally {
    await Promise.all([request, out, output].map((file) => clearFile(file)));
  }
}
