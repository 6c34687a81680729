/** A build directory as CPython's own tests expect it, with one of our interpreters in the place of `python`. */
import {execFileSync} from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {parseLayout} from '../../src/codegen/layout.js';
import {PACKAGE} from '../../support/rig.js';

interface MakeVariables {
  readonly [name: string]: string;
}

/**
 * Links CPython's test program for embedding with our images, as the interpreter itself is: test_embed starts that
 * program, not the interpreter.
 */
function linkTestEmbed(buildDir: string, series: string, output: string): void {
  const cpython = join(buildDir, 'cpython');
  const read = (name: string): string => readFileSync(join(cpython, name), 'utf8');
  const variables = JSON.parse(read('flashfreeze-variables.json')) as MakeVariables;
  const header = `python${series}.h`;
  const layout = parseLayout(header, readFileSync(join(PACKAGE, 'src/codegen/layouts', header), 'utf8'));
  if (!layout.ok) throw new Error(layout.failure.message);
  const of = (name: string): string => variables[name] ?? '';
  const wraps = layout.value.wrapped.map((name) => `-Wl,--wrap=${name}`).join(' ');
  // What the interpreter itself was linked from (src/hosts/link/link.ts), with the other program in the place of its own.
  const parts = readFileSync(join(buildDir, 'work', 'link-python.txt'), 'utf8');
  const program = '"Programs/python.o"';
  if (!parts.includes(program)) throw new Error(`${program} is not among what ${buildDir} was linked from`);
  const list = `${output}.txt`;
  writeFileSync(list, parts.replace(program, '"Programs/_testembed.o"'));
  const command =
    `${of('LINKCC')} ${of('PY_CORE_LDFLAGS')} ${of('LINKFORSHARED')} ${wraps} -o "$0" "@$1" ` +
    `${of('LIBS')} ${of('MODLIBS')} ${of('SYSLIBS')}`;
  execFileSync('sh', ['-c', command, output, list], {cwd: cpython});
}

function linkAll(from: string, to: string, except: readonly string[]): void {
  mkdirSync(to, {recursive: true});
  for (const name of readdirSync(from))
    if (!except.includes(name)) symlinkSync(join(from, name), join(to, name));
}

/** Makes the directory anew and returns the path of its `python`. */
export function makeView(
  buildDir: string,
  series: string,
  stage: 'stage1' | 'stage2',
  folder: string,
): string {
  const cpython = join(buildDir, 'cpython');
  const python = join(folder, 'python');
  rmSync(folder, {recursive: true, force: true});
  linkAll(cpython, folder, ['python', 'Programs']);
  linkAll(join(cpython, 'Programs'), join(folder, 'Programs'), ['_testembed']);
  const testEmbed = join(folder, 'Programs', '_testembed');
  if (stage === 'stage1') {
    copyFileSync(join(cpython, 'python'), python);
    copyFileSync(join(cpython, 'Programs', '_testembed'), testEmbed);
  } else {
    copyFileSync(join(cpython, 'python-frozen'), python);
    linkTestEmbed(buildDir, series, testEmbed);
  }
  return python;
}
