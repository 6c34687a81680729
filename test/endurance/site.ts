/**
 * What is built again and again: sources that may be edited in every way, and a build of them. A large one, CPython 3.13.15 with all
 * of its library, and a small one for the ordinary test run, an installed Python with a small program.
 */
import {createHash} from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {copyTreeOnce, releasedSource} from '../../support/cpython-trees.js';
import {CACHE, flashfreezeJson, run, type Run, type SummaryEvent} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';

export interface Site {
  readonly host: 'build' | 'relink' | 'overlay';
  /** The directory that modules are imported from. */
  readonly library: string;
  /** Modules of it that may be edited, renamed and removed: nothing else needs them. */
  readonly modules: readonly string[];
  /** The options that say what is built where, without the cache. */
  readonly options: readonly string[];
  readonly buildDir: string;
  readonly cacheDir: string;
  /** The interpreter that is built. */
  readonly frozen: string;
  /** Undoes whatever was done to the sources. */
  readonly restore: () => void;
}

const WORD = /^def _endurance_word\(\):\n {4}return '(.*)'\n/m;

/** Modules of the standard library that only those who ask for them import. */
const LEAVES = [
  'colorsys',
  'sched',
  'nturl2path',
  'wsgiref.util',
  'xml.sax.saxutils',
  'json.tool',
  'tomllib._re',
];

/** CPython 3.13.15 from source, the whole standard library, in directories of our own. */
export async function largeSite(): Promise<Site> {
  const {path: pristine, version} = await releasedSource('3.13.15');
  const folder = join(CACHE, 'endurance', version);
  const source = join(folder, 'source');
  copyTreeOnce(pristine, source);
  const buildDir = join(folder, 'build');
  const site: Site = {
    host: 'build',
    library: join(source, 'Lib'),
    modules: LEAVES,
    options: ['--source', source, '--build-dir', buildDir, '--startup', '--stdlib'],
    buildDir,
    cacheDir: join(folder, 'store'),
    frozen: join(buildDir, 'cpython', 'python-frozen'),
    restore() {
      restoreFolder(join(pristine, 'Lib'), join(source, 'Lib'));
    },
  };
  site.restore();
  return site;
}

/** A program of a dozen modules and the newest Python that is installed, in the directory that is given. */
export function smallSite(folder: string, host: 'relink' | 'overlay' = 'relink'): Site {
  const python = findPythons().at(-1);
  if (python === undefined) throw new Error('there is no Python');
  const library = join(folder, 'app');
  const modules = Array.from({length: 6}, (_, i) => [`one_${i}`, `package.two_${i}`]).flat();
  const write = (): void => {
    rmSync(library, {recursive: true, force: true});
    mkdirSync(join(library, 'package'), {recursive: true});
    writeFileSync(join(library, 'package/__init__.py'), '');
    for (const module of modules) writeFileSync(join(library, pathOf(module)), `"""${module}"""\n`);
    const imports = modules.map((name) => `try: import ${name}\nexcept ModuleNotFoundError: pass\n`);
    writeFileSync(join(library, 'main.py'), imports.join(''));
  };
  write();
  const out = join(folder, host === 'relink' ? 'python' : 'overlay');
  const buildDir = join(folder, 'build');
  return {
    host,
    library,
    modules,
    options: [
      ...['--python', python.python, '--out', out, '--build-dir', buildDir],
      ...['--trace', join(library, 'main.py')],
    ],
    buildDir,
    cacheDir: join(folder, 'store'),
    frozen: host === 'relink' ? out : join(out, 'bin', `python${python.series}`),
    restore: write,
  };
}

/** Where a module's source lies in the library. */
export function pathOf(module: string): string {
  return `${module.replaceAll('.', '/')}.py`;
}

/** The command line of one build. */
export function commandOf(site: Site, cacheDir = site.cacheDir): readonly string[] {
  return [site.host, ...site.options, '--cache-dir', cacheDir, '--jobs', '2'];
}

/** Builds; throws when that fails. */
export async function buildSite(
  site: Site,
  options: {readonly cacheDir?: string; readonly command?: string; readonly more?: readonly string[]} = {},
): Promise<Run & {readonly summary: SummaryEvent; readonly ms: number}> {
  const {cacheDir = site.cacheDir, command = site.host, more = []} = options;
  const began = performance.now();
  // Certificates that the machine adds cost Node 50 ms at each start, whatever it runs; a build has no use for them.
  const environment = {NODE_EXTRA_CA_CERTS: undefined};
  const done = await flashfreezeJson([command, ...commandOf(site, cacheDir).slice(1), ...more], {
    environment,
  });
  const ms = performance.now() - began;
  if (done.exitCode !== 0) throw new Error(done.stderr.slice(-4000));
  return {...done, ms};
}

/** Gives a module a function that tells a word; one that is gone comes back. */
export function edit(site: Site, module: string, word: string): void {
  const file = join(site.library, pathOf(module));
  writeFileSync(file, withWord(readText(file), word));
}

/** The same, saved the way that editors do: the new text is renamed over the old one. */
export function editAtomically(site: Site, module: string, word: string): void {
  const file = join(site.library, pathOf(module));
  writeFileSync(`${file}.new`, withWord(readText(file), word));
  renameSync(`${file}.new`, file);
}

function withWord(text: string, word: string): string {
  const tells = `def _endurance_word():\n    return '${word}'\n`;
  return WORD.test(text) ? text.replace(WORD, tells) : `${text}\n${tells}`;
}

function readText(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** What each module tells, and whether its code is static: `[word, true]`; null for a module that is not there. */
export type Answers = Readonly<Record<string, readonly [string, boolean] | null>>;

/** What the sources say now. */
export function expectedAnswers(site: Site): Answers {
  return Object.fromEntries(
    site.modules.map((module) => {
      const file = join(site.library, pathOf(module));
      return [module, existsSync(file) ? [WORD.exec(readText(file))?.[1] ?? '', true] : null];
    }),
  );
}

/** What the interpreter has; undefined when it is not there. */
export async function actualAnswers(site: Site): Promise<Answers | undefined> {
  if (!existsSync(site.frozen)) return undefined;
  const done = await run(site.frozen, ['-B', '-c', question(site)], {
    environment: {PYTHONPATH: undefined, FLASHFREEZE: undefined},
  });
  if (done.exitCode !== 0) throw new Error(`${site.frozen}: ${done.stderr}`);
  return JSON.parse(done.stdout) as Answers;
}

function question({host, library, modules}: Site): string {
  return `
import sys, json, importlib, _flashfreeze
${host === 'build' ? '' : `sys.path.insert(0, ${JSON.stringify(library)})`}
answers = {}
for name in ${JSON.stringify(modules)}:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        answers[name] = None
        continue
    tell = getattr(module, '_endurance_word', None)
    code = module.__spec__.loader.get_code(name) if tell is None else tell.__code__
    answers[name] = [tell() if tell else '', _flashfreeze.is_static(code)]
print(json.dumps(answers))`;
}

/** One digest of all that a build made: the interpreter, and the C and objects of every module. */
export function digestOfBuild(site: Site): string {
  const hash = createHash('sha256');
  const images = join(site.buildDir, 'images');
  const names = readdirSync(images, {recursive: true, encoding: 'utf8'}).filter((name) =>
    /\.(c|o)$/.test(name),
  );
  for (const name of names.sort()) hash.update(`${name}\0`).update(readFileSync(join(images, name)));
  return hash.update(readFileSync(site.frozen)).digest('hex');
}

/** Makes the Python files of a directory what they are in another one. */
function restoreFolder(from: string, to: string): void {
  const list = (folder: string): Set<string> =>
    new Set(
      readdirSync(folder, {recursive: true, withFileTypes: true, encoding: 'utf8'})
        .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('__pycache__'))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name))),
    );
  const wanted = list(from);
  for (const name of list(to)) if (!wanted.has(name)) rmSync(join(to, name));
  for (const name of wanted) {
    const [source, target] = [join(from, name), join(to, name)];
    const same =
      existsSync(target) &&
      statSync(source).size === statSync(target).size &&
      (!name.endsWith('.py') || readFileSync(source).equals(readFileSync(target)));
    if (same) continue;
    mkdirSync(dirname(target), {recursive: true});
    copyFileSync(source, target);
  }
}
