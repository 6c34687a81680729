import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type ImageLayout, decodeImageLayout, encodeImageLayout} from '../../codegen/probe/image-layout.js';
import {readProbe} from '../../codegen/probe/probe-object.js';
import {generateProbe} from '../../codegen/probe/probe-source.js';
import type {WellKnownStrings} from '../../codegen/objects/well-known.js';
import type {Engine} from '../../engine/engine.js';
import {readFile} from '../../fs/recorded-fs.js';
import type {Artifact, ToolIdentity} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import type {Places} from '../build-places.js';
import type {CCompiler} from '../compile/c-compiler.js';
import type {Toolchain} from '../toolchain.js';
import {output} from '../action-output.js';

/** How images of the target look: an output of an action, the same from compilers that lay objects out alike. */
export interface TargetLayout {
  readonly artifact: Artifact;
  /** Reads the output, once. */
  readonly read: () => Promise<ImageLayout>;
}

export interface LayoutInputs {
  readonly engine: Engine;
  readonly places: Places;
  readonly toolchain: Toolchain;
  readonly compiler: CCompiler;
  readonly generator: ToolIdentity;
  readonly layoutHeader: Artifact;
  /** The header of the interpreter's own strings, if it has any. */
  readonly wellKnownHeaders: readonly Artifact[];
  readonly wellKnown: WellKnownStrings;
}

/**
 * `index:probe`, `cc:_flashfreeze.probe`, `index:layout`: has the target's compiler say how objects look. Fails with LAYOUT when the target's
 * headers are not those of its layout file, and with CC.
 */
export async function findTargetLayout(inputs: LayoutInputs): Promise<Result<TargetLayout>> {
  const {engine, places, toolchain, compiler, generator, wellKnown} = inputs;
  const {layout, addressModel} = toolchain;
  const isPositionIndependent = addressModel === 'position-independent';
  const headers = [inputs.layoutHeader, ...inputs.wellKnownHeaders];
  const source = await engine.run({
    id: 'index:probe',
    tools: [generator],
    arguments: {addressModel},
    environment: {},
    inputs: headers,
    outputs: [{name: 'c', path: join(places.work, 'probe.c')}],
    storage: 'shared',
    inProcess: true,
    async execute({outputs}) {
      await writeFile(outputs['c'] ?? '', generateProbe(layout, wellKnown, isPositionIndependent));
      return ok();
    },
  });
  if (!source.ok) return source;
  const compilation = compiler.action({
    target: '_flashfreeze.probe',
    source: output(source.value, 'c'),
    kind: 'data',
    output: {name: 'o', path: join(places.work, 'probe.o')},
  });
  const compiled = await engine.run({...compilation, turn: 'early'});
  if (!compiled.ok) return compiled;
  const object = output(compiled.value, 'o');
  const read = await engine.run({
    id: 'index:layout',
    tools: [generator],
    arguments: {addressModel},
    environment: {},
    inputs: [object, ...headers],
    outputs: [{name: 'json', path: join(places.work, 'layout.json')}],
    storage: 'shared',
    inProcess: true,
    async execute({outputs}) {
      const found = readProbe(await readFile(object.path), layout, wellKnown, isPositionIndependent);
      if (!found.ok) return found;
      await writeFile(outputs['json'] ?? '', encodeImageLayout(found.value));
      return ok();
    },
  });
  if (!read.ok) return read;
  const artifact = output(read.value, 'json');
  let decoded: Promise<ImageLayout> | undefined;
  return ok({
    artifact,
    read: () => (decoded ??= readFile(artifact.path, 'utf8').then(decodeImageLayout)),
  });
}
