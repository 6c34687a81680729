import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {generateEntry} from '../../codegen/tables/entry-code.js';
import {marshalSource} from '../../cpython/interpreter/marshal-source.js';
import {RUNTIME_FOLDER} from '../../fs/package-files.js';
import type {Artifact} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import type {HostKind} from '../host.js';
import {READERS} from '../reader-identity.js';
import type {Tools} from './image-tools.js';
import {output} from './module-images.js';

/**
 * `index:entry`, `cc:_flashfreeze.entry`: for grafts, the code that the interpreter runs in the place of `encodings`
 * (src/runtime/graft/library.c); nothing for other hosts. Fails with COMPILE and CC.
 */
export async function buildEntry(host: HostKind, tools: Tools): Promise<Result<readonly Artifact[]>> {
  if (host !== 'graft') return ok([]);
  const {engine, places, toolchain, compiler, layoutHeader, generator} = tools;
  const source = await engine.source('runtime/graft/entry.py', join(RUNTIME_FOLDER, 'graft', 'entry.py'));
  if (!source.ok) return source;
  const generated = await engine.run({
    id: 'index:entry',
    tools: [toolchain.identity, READERS, generator],
    arguments: {layout: toolchain.layout.header},
    environment: {},
    inputs: [layoutHeader, source.value],
    outputs: [{name: 'c', path: join(places.work, 'entry.c')}],
    storage: 'shared',
    async execute({outputs}) {
      const bytes = await marshalSource(toolchain.interpreter, source.value.path, '<frozen encodings>');
      if (!bytes.ok) return bytes;
      await writeFile(outputs['c'] ?? '', generateEntry(toolchain.layout, bytes.value));
      return ok();
    },
  });
  if (!generated.ok) return generated;
  const compiled = await engine.run(
    compiler.action({
      target: '_flashfreeze.entry',
      source: output(generated.value, 'c'),
      kind: 'data',
      output: {name: 'o', path: join(places.work, 'entry.o')},
    }),
  );
  return compiled.ok ? ok([output(compiled.value, 'o')]) : compiled;
}
