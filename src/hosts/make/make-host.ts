import {join, relative} from 'node:path';
import {readFile} from '../../fs/recorded-fs.js';
import {ensureFolder, writeFileAtomic} from '../../fs/files.js';
import type {AddressModel} from '../../codegen/address-model.js';
import {checkUsable} from '../../cpython/interpreter/installation/refused-builds.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {listStage1Inputs} from '../../cpython/source/stage1-inputs.js';
import {type Target, describeTarget, targetSchema} from '../../cpython/interpreter/target.js';
import type {Artifact} from '../../model/action.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {READERS} from '../../pipeline/reader-identity.js';
import type {EventSink} from '../../model/events.js';
import {type Result, ok} from '../../model/result.js';
import {shellWords} from '../../model/shell-words.js';
import {toolchainOfBuild} from '../source/built-python.js';
import {memoizedCompiler} from '../../pipeline/compile/memoized-compiler.js';
import type {Host, LinkedImages, Objects, Site} from '../../pipeline/host.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {outputMode, wrapFlags} from '../link/link.js';
import {dependencyFile, isNameForMake, responseFile} from '../link/make-files.js';
import {type CheckRequest, statementsOf} from '../link/new-images.js';
import type {MakeRequest} from './make-request.js';
import {memoize} from '../../fs/memo.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {type Places, placesOf} from '../../pipeline/build-places.js';
import {prelink} from '../link/prelink.js';
import type {Toolchain} from '../../pipeline/toolchain.js';

/** For the linker: our objects, and the flags that install the runtime. The stamps of the sources are beside it. */
const OBJECTS = 'objects.rsp';
/** For make: what they were made of. */
const DEPENDENCIES = 'objects.d';
/** For `step check`, which make runs after the link: what to compare with a fresh compile. */
const IMAGES = 'images.json';
/** The permissions of the interpreter, in octal digits; empty for those that the linker gives it. */
const MODE = 'mode';

/**
 * Images for a CPython that its own Makefile builds (Makefile.inc). Make compiles, decides what is out of date and links;
 * this host gets the toolchain from make, and gives make a response file with everything to link.
 */
export function makeHost(request: MakeRequest): Host {
  const places = placesOf(request.buildDir);
  return {
    kind: 'make',
    places,
    prepare: (site) => prepareMake(request, places, site),
    link: (objects, plan, toolchain, site) => handOver(objects, plan, toolchain, request, site),
  };
}

/** Fails with PYTHON for an interpreter that cannot have static code, with PYTHON_VERSION, NO_COMPILER, SOURCE_TREE. */
async function prepareMake(request: MakeRequest, places: Places, site: Site): Promise<Result<Toolchain>> {
  const {source, cpython, stage1, variables} = request;
  const {environment, context} = site;
  const {signal} = context;
  const interpreter = {python: stage1, environment, signal};
  const described = await describe(interpreter, places);
  if (!described.ok) return described;
  const target = described.value;
  const usable = checkUsable(target);
  if (!usable.ok) return usable;
  const layout = await loadLayout(target.version.series);
  if (!layout.ok) return layout;
  const compiler = await memoizedCompiler(variables.CC, places, {environment, signal});
  if (!compiler.ok) return compiler;
  const inputs = await inputsOf(request, target, site);
  if (!inputs.ok) return inputs;
  return ok(
    toolchainOfBuild({
      source,
      folder: cpython,
      target,
      interpreter,
      inputs: inputs.value,
      layout: layout.value,
      addressModel: addressModelOf(request),
      variables,
      compiler: compiler.value,
    }),
  );
}

/** The description of stage 1. It is valid as long as its file does not change. */
function describe(interpreter: Interpreter, places: Places): Promise<Result<Target>> {
  const {python} = interpreter;
  const question = canonicalJson({python, readers: READERS.digest});
  return memoize(join(places.work, 'target.json'), question, targetSchema, async () => {
    const target = await describeTarget(interpreter);
    return target.ok ? ok({answer: target.value, files: [python, scriptPath('describe_target.py')]}) : target;
  });
}

async function inputsOf(
  {source, cpython}: MakeRequest,
  {version}: Target,
  {engine}: Site,
): Promise<Result<readonly Artifact[]>> {
  const names = await listStage1Inputs({path: source, version});
  if (!names.ok) return names;
  return engine.sources([
    ...names.value.map((name) => ({name, path: join(source, name)})),
    {name: 'pyconfig.h', path: join(cpython, 'pyconfig.h')},
  ]);
}

/** Whether the user or the distribution requests a position-independent executable. */
function wantsPie({pie, link}: MakeRequest): boolean {
  // Files of specs (-specs=) are how some distributions ask for it.
  return pie || shellWords(link).some((word) => /^-((Wl,|static-)?pie$|specs=)/.test(word));
}

/** Pointers can be constants only in an executable with fixed addresses. */
function addressModelOf(request: MakeRequest): AddressModel {
  return request.shared || wantsPie(request) ? 'position-independent' : 'absolute';
}

/** Writes what make needs; make links. The old interpreter stays where a write fails (IO). */
async function handOver(
  built: Objects,
  plan: FreezePlan,
  toolchain: Toolchain,
  {buildDir, cpython, source: tree, srcdir}: MakeRequest,
  site: Site,
): Promise<Result<LinkedImages>> {
  const {images, tables, runtime} = built;
  const {addressModel, layout} = toolchain;
  const list = join(buildDir, OBJECTS);
  const linked = {output: list, sha256: null, images: list};
  if (site.context.dryRun) return ok(linked);
  const folder = await ensureFolder(buildDir);
  if (!folder.ok) return folder;
  // With make's own path of the tree: if it is relative, tree and build can be moved together.
  const sources = [...plan.modules, ...plan.leftOut].map(({source}) =>
    source.startsWith(`${tree}/`) ? join(srcdir, relative(tree, source)) : source,
  );
  warnOfOddNames(sources, site.context.events);
  const told = await writeFileAtomic(
    join(buildDir, DEPENDENCIES),
    dependencyFile(relative(cpython, list), sources),
  );
  if (!told.ok) return told;
  // Only make knows the name; an empty file is the usual mode.
  const mode = outputMode([...images, ...tables], 'the interpreter', site);
  const limited = await writeFileAtomic(join(buildDir, MODE), mode === undefined ? '' : mode.toString(8));
  if (!limited.ok) return limited;
  const request = await checkRequest(built, plan, toolchain, site);
  if (!request.ok) return request;
  const asked = await writeFileAtomic(join(buildDir, IMAGES), JSON.stringify(request.value));
  if (!asked.ok) return asked;
  const grouped = await groupsOf(images, toolchain, buildDir, site);
  if (!grouped.ok) return grouped;
  const objects = [...grouped.value, ...[...tables, ...runtime].map(({path}) => path)];
  const flags = [
    ...(addressModel === 'absolute' ? ['-no-pie'] : []),
    ...shellWords(wrapFlags(layout.wrapped)),
  ];
  const text = responseFile([...flags, ...objects.map((path) => relative(cpython, path))]);
  // Last, and even if unchanged: make compares its timestamp. Under `watch`, make has already used it.
  const {executed, cached, remote} = site.engine.summary().counts;
  const mustRewrite = site.context.repetition === undefined || executed + cached + remote > 0;
  if (!mustRewrite && (await readFile(list, 'utf8').catch(() => '')) === text) return ok(linked);
  const written = await writeFileAtomic(list, text);
  return written.ok ? ok(linked) : written;
}

/** make does not look at the sources of these modules; the interpreter notices by their stamps that they changed. */
function warnOfOddNames(sources: readonly string[], events: EventSink): void {
  const odd = [...new Set(sources)].filter((path) => !isNameForMake(path));
  if (odd.length === 0) return;
  events.emit({
    type: 'warning',
    message: `make will not notice edits of ${odd.join(', ')}, because a makefile cannot hold such names`,
    hint: 'after an edit, touch Makefile.inc',
  });
}

/** What the new interpreter is to compare before it gets its stamps: nothing, if the user turned that off. */
async function checkRequest(
  objects: Objects,
  plan: FreezePlan,
  toolchain: Toolchain,
  site: Site,
): Promise<Result<CheckRequest>> {
  const {verify, force} = site.context;
  const images = verify ? await statementsOf(objects, plan, toolchain, site) : ok([]);
  return images.ok ? ok({force, images: images.value}) : images;
}

/** Links images with fixed addresses in groups, like every host: make links as fast, and gets the same bytes. */
async function groupsOf(
  images: readonly Artifact[],
  {addressModel, cc}: Toolchain,
  buildDir: string,
  {environment, context: {signal}}: Site,
): Promise<Result<readonly string[]>> {
  if (addressModel !== 'absolute') return ok(images.map(({path}) => path));
  const folder = join(buildDir, 'work', 'groups');
  return prelink(images, {
    ...{compiler: cc.command, tools: [cc.compiler], folder},
    ...{cwd: buildDir, environment, signal},
  });
}
