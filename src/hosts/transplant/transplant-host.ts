import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {checkUnfrozen} from '../../cpython/interpreter/installation/refused-builds.js';
import {readFile} from '../../fs/recorded-fs.js';
import type {Artifact} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {ok, type Result} from '../../model/result.js';
import {quoteForShell} from '../../model/shell-words.js';
import {output} from '../../pipeline/action-output.js';
import type {RelinkOptions} from '../../pipeline/build-options.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Host, LinkedImages, Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {link, wrapFlags} from '../link/link.js';
import {ENTRY_FUNCTIONS, REGION_FLAGS, RENAMED_FUNCTIONS, SENT_FUNCTIONS} from '../link/region-functions.js';
import type {InstalledToolchain} from '../installed/installed-toolchain.js';
import {executableCheck, toolchainForExecutable} from '../installed/new-executable.js';
import {copyVariables} from './copied-variables.js';
import {type ExecutableObject, objectOfExecutable} from './executable-object.js';
import {linkScript} from './link-script.js';

/** The toolchain of an installed Python whose executable is linked as one object. */
export interface TransplantToolchain extends InstalledToolchain {
  /** Of a virtual environment, its base Python's. */
  readonly original: Artifact;
  readonly object: ExecutableObject;
}

/**
 * A graft that a snapshot can be put into: the installed Python's executable is linked as one object, at its addresses, with images and the runtime.
 * Calls and data can be told apart then as in an executable that is linked from an archive. Nothing that is installed is touched.
 */
export function transplantHost(options: RelinkOptions, places: Places): Host<TransplantToolchain> {
  return {
    kind: 'transplant',
    places,
    prepare: (site) => prepare(options, places, site),
    link: (objects, plan, toolchain, site) => transplant(objects, plan, toolchain, options, places, site),
  };
}

/** Fails with PYTHON for a Python whose executable cannot be linked as an object, with OUTPUT, and as `installedToolchain` does. */
async function prepare(
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<TransplantToolchain>> {
  const toolchain = await toolchainForExecutable(options, 'absolute', places, site);
  if (!toolchain.ok) return toolchain;
  const {installation, target} = toolchain.value;
  const unfrozen = checkUnfrozen(target);
  if (!unfrozen.ok) return unfrozen;
  const {baseExecutable, libpython} = installation;
  // A shared library that holds the interpreter is all of it: the main program only calls that.
  const path = libpython ?? baseExecutable;
  const original = await site.engine.source('original', path);
  if (!original.ok) return original;
  const object = objectOfExecutable({
    path,
    bytes: await readFile(path),
    wrapped: SENT_FUNCTIONS,
    renamed: RENAMED_FUNCTIONS,
    replaced: ENTRY_FUNCTIONS,
  });
  return object.ok ? ok({...toolchain.value, original: original.value, object: object.value}) : object;
}

/** `generate:original`: the executable as text for the assembler, and the linker's script. */
async function writeParts(
  {original, object}: TransplantToolchain,
  places: Places,
  {engine}: Site,
): Promise<Result<{readonly text: Artifact; readonly script: Artifact}>> {
  const linking = linkScript(object);
  const made = await engine.run({
    id: 'generate:original',
    tools: [],
    arguments: {text: digestOf(object.assembly), script: digestOf(linking)},
    environment: {},
    inputs: [original],
    outputs: [
      {name: 'original.s', path: join(places.work, 'original.s')},
      {name: 'original.ld', path: join(places.work, 'original.ld')},
    ],
    storage: 'in-place',
    async execute({outputs}) {
      await writeFile(outputs['original.s'] ?? '', object.assembly);
      await writeFile(outputs['original.ld'] ?? '', linking);
      return ok();
    },
  });
  if (!made.ok) return made;
  return ok({text: output(made.value, 'original.s'), script: output(made.value, 'original.ld')});
}

async function transplant(
  objects: Objects,
  plan: FreezePlan,
  toolchain: TransplantToolchain,
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<LinkedImages>> {
  const {cc, object, original} = toolchain;
  const {images, tables, runtime} = objects;
  const parts = await writeParts(toolchain, places, site);
  if (!parts.ok) return parts;
  const {text, script} = parts.value;
  const {libraries, runPath, copies} = object;
  const linked = await link(
    {
      id: 'link:python',
      tools: [cc.compiler],
      compiler: cc.command,
      debugInfo: options.debugInfo,
      command: [
        ...[cc.command, '-no-pie', '-Wl,-export-dynamic', '-Wl,--no-as-needed'],
        quoteForShell(runPath.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath,${folder}`])),
        ...[...REGION_FLAGS, wrapFlags(SENT_FUNCTIONS)],
      ].join(' '),
      parts: [images, ...tables, ...runtime, text, '-Wl,-T', script],
      libraries: quoteForShell(libraries.map((name) => `-l:${name}`)),
      out: options.out,
      cwd: places.root,
      finish: {inputs: [original], apply: (python) => copyVariables(python, copies)},
      check: executableCheck(objects, plan, toolchain, 'grafted', site),
    },
    places,
    // No other linker reads such a script in the same way.
    {...site, context: {...site.context, linker: 'bfd'}},
  );
  return linked.ok ? ok({output: options.out, sha256: linked.value.digest, images: options.out}) : linked;
}
