/** Snapshots of the system's Python with extension modules that a test writes. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from '@jest/globals';
import {SYSTEM_PYTHON} from './linkable-python.js';
import {flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';

/** What a test does with the system's Python, in a home directory of its own. */
export interface ExtensionRig {
  /** The user's own packages. */
  readonly packages: string;
  start(file: string, ...args: string[]): ReturnType<typeof run>;
  /** Makes a snapshot, and returns what the command said. */
  build(out: string, ...words: string[]): Promise<string>;
  /** A library from C, or from C++ if its name has `cxx` in it. */
  compile(text: string, file: string, ...flags: string[]): Promise<void>;
}

/** Makes the directories in `folder`. */
export async function extensionRig(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ExtensionRig> {
  const home = join(folder, 'home');
  const environment = {
    ...withoutUsersVariables(),
    HOME: home,
    LANG: 'C.UTF-8',
    LC_ALL: undefined,
    ...variables,
  };
  const start: ExtensionRig['start'] = (file, ...args) => run(file, args, {cwd: folder, environment});
  const ask = async (code: string): Promise<string> => (await start(SYSTEM_PYTHON, '-c', code)).stdout.trim();
  for (const name of ['home', 'bin']) mkdirSync(join(folder, name));
  const packages = await ask('import site; print(site.getusersitepackages())');
  mkdirSync(packages, {recursive: true});
  const headers = await ask('import sysconfig; print(sysconfig.get_path("include"))');
  return {
    packages,
    start,
    async build(out, ...words) {
      const places = ['--python', SYSTEM_PYTHON, '--out', out, '--build-dir', join(folder, 'build')];
      const done = await flashfreezeJson(['snapshot', ...places, ...words], {cwd: folder, environment});
      if (!done.summary.ok) throw new Error(done.stderr);
      return done.stderr;
    },
    async compile(text, file, ...flags) {
      const isCxx = file.includes('cxx');
      const source = join(folder, `source${isCxx ? '.cc' : '.c'}`);
      writeFileSync(source, text);
      const words = ['-shared', '-fPIC', '-O1', `-I${headers}`, source, '-o', join(packages, file), ...flags];
      expect(await start(isCxx ? 'c++' : 'cc', ...words)).toMatchObject({exitCode: 0});
    },
  };
}

/** An extension module with a function `state()` that returns `value`. */
export function moduleSource(name: string, before: string, value: string): string {
  return `#include <Python.h>
${before}
static PyObject *state(PyObject *module, PyObject *unused) { return ${value}; }
static PyMethodDef methods[] = {{"state", state, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "${name}", NULL, -1, methods};
PyMODINIT_FUNC PyInit_${name}(void) { return PyModule_Create(&definition); }
`;
}
