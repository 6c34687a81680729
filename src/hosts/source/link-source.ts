import {join} from 'node:path';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {tryImages, type TriedDifference, type TriedModule} from '../../cpython/interpreter/try-images.js';
import type {Artifact} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {type Result, ok} from '../../model/result.js';
import {shellWords} from '../../model/shell-words.js';
import type {Objects, Site} from '../../pipeline/host.js';
import type {ImageCheck} from '../link/image-check.js';
import {redirectExports} from '../link/exported-functions.js';
import {type LinkRecipe, link, wrapFlags} from '../link/link.js';
import type {SourcePlaces} from '../../pipeline/build-places.js';
import type {Stage1} from './stage1.js';
import {withoutArchived} from './static-libraries.js';

/** What stage 2 is linked from, besides images. */
export interface Stage2Request {
  readonly stage1: Stage1;
  /** How stage 1 is run. */
  readonly interpreter: Interpreter;
  /** The functions whose calls the linker sends to the runtime. */
  readonly wrapped: readonly string[];
  /** Those of them that are so for shared libraries, too. */
  readonly redirected: readonly string[];
  readonly debugInfo: boolean;
  readonly check: ImageCheck;
  /** Further flags of the linker. */
  readonly flags: readonly string[];
  readonly places: SourcePlaces;
}

export interface Stage2 {
  readonly executable: Artifact;
  /** What holds the images: the executable, or the library that it loads. */
  readonly images: Artifact;
}

/** The directory of a shared libpython with images, seen from the executable beside stage 1. */
export const SHARED_FOLDER = 'frozen-lib';

/** The flags with which CPython links its executable, as words of a shell. */
export function executableFlags({variables}: Stage1): string {
  return `${variables.PY_CORE_LDFLAGS} ${variables.LINKFORSHARED}`;
}

/**
 * Stage 1's objects and ours become stage 2, linked as CPython's own Makefile links (Makefile.pre.in, the rules of
 * $(BUILDPYTHON) and libpython$(LDVERSION).so). Fails with LINK and SMOKE.
 */
export function linkStage2(objects: Objects, request: Stage2Request, site: Site): Promise<Result<Stage2>> {
  return request.stage1.target.shared
    ? linkShared(objects, request, site)
    : linkStatic(objects, request, site);
}

/** `link:python`. */
async function linkStatic(
  {images, tables, runtime}: Objects,
  request: Stage2Request,
  site: Site,
): Promise<Result<Stage2>> {
  const {stage1, interpreter, wrapped, redirected, check, flags, places} = request;
  const executable = await link(
    {
      ...executableRecipe(request),
      command: `${stage1.variables.LINKCC} ${[executableFlags(stage1), ...flags, wrapFlags(wrapped)].join(' ')}`,
      // In the same order as in make, where our objects are among the flags, so that the bytes are the same.
      parts: [
        images,
        ...[...tables, ...runtime, 'Programs/python.o', ...shellWords(stage1.variables.LINK_PYTHON_OBJS)],
        ...stage1.archives,
      ],
      finish: {inputs: [], apply: (python) => redirectExports(python, redirected)},
      check: (python, isNew) => check(isNew, (modules) => tryLinked({...interpreter, python}, modules)),
    },
    places,
    site,
  );
  return executable.ok ? ok({executable: executable.value, images: executable.value}) : executable;
}

/** `link:libpython`: a library with images in a directory of its own; `link:python`: an executable that finds it there. */
async function linkShared(
  {images, tables, runtime}: Objects,
  request: Stage2Request,
  site: Site,
): Promise<Result<Stage2>> {
  const {stage1, interpreter, wrapped, debugInfo, check, places} = request;
  const {BLDSHARED, INSTSONAME, LIBRARY_OBJS, LINKCC, MODLIBS, SHLIBS, LIBC, LIBM} = stage1.variables;
  const library = await link(
    {
      id: 'link:libpython',
      ...toolsOf(stage1),
      compiler: stage1.variables.CC,
      debugInfo,
      command: `${BLDSHARED} -Wl,-h${INSTSONAME} ${wrapFlags(wrapped)}`,
      parts: [...images, ...tables, ...runtime, ...shellWords(LIBRARY_OBJS)],
      libraries: `${MODLIBS} ${SHLIBS} ${LIBC} ${LIBM}`,
      out: join(places.cpython, SHARED_FOLDER, INSTSONAME),
      cwd: places.cpython,
      // Stage 1 asks for a library of this name, and has one when it starts.
      check: (path, isNew) =>
        check(isNew, (modules) =>
          tryLinked({...interpreter, environment: {...interpreter.environment, LD_PRELOAD: path}}, modules),
        ),
    },
    places,
    site,
  );
  if (!library.ok) return library;
  // DT_RPATH takes precedence over LD_LIBRARY_PATH, which may lead to stage 1's library.
  const rpath = `-Wl,-rpath,'$ORIGIN/${SHARED_FOLDER}' -Wl,--disable-new-dtags`;
  const executable = await link(
    {
      ...executableRecipe(request),
      command: `${LINKCC} ${rpath} ${executableFlags(stage1)}`,
      parts: ['Programs/python.o', library.value],
      // Its images were compared when the library was linked.
      async check(python, isNew) {
        if (!isNew) return ok();
        const tried = await tryLinked({...interpreter, python}, []);
        return tried.ok ? ok() : tried;
      },
    },
    places,
    site,
  );
  return executable.ok ? ok({executable: executable.value, images: library.value}) : executable;
}

function executableRecipe({
  stage1,
  debugInfo,
  places,
}: Stage2Request): Omit<LinkRecipe, 'command' | 'parts' | 'check'> {
  const {LIBS, MODLIBS, SYSLIBS} = stage1.variables;
  return {
    id: 'link:python',
    ...toolsOf(stage1),
    compiler: stage1.variables.CC,
    debugInfo,
    libraries: withoutArchived(`${LIBS} ${MODLIBS} ${SYSLIBS}`, stage1.archives),
    out: places.stage2,
    cwd: places.cpython,
  };
}

/** `tryImages` for images that are part of the interpreter, isolated from the user's own site-packages and variables. */
function tryLinked(
  interpreter: Interpreter,
  modules: readonly TriedModule[],
): Promise<Result<readonly TriedDifference[]>> {
  return tryImages(interpreter, ['-I', '-B'], {kind: 'linked'}, modules);
}

/** Stage 1 contains its build directory in its debugging information; its inputs do not. */
function toolsOf({compiler, python, inputs, variables}: Stage1): Pick<LinkRecipe, 'tools' | 'identity'> {
  const sources = inputs.map(({name, digest}) => `${digest} ${name}`);
  return {
    tools: [compiler, {name: 'stage 1', digest: python.digest}],
    identity: [
      compiler,
      {name: 'stage 1', digest: digestOf([...sources, canonicalJson(variables)].join('\n'))},
    ],
  };
}
