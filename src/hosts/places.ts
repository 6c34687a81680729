import {join} from 'node:path';

/** Where things lie in a build folder of the `source` host. All paths are absolute. */
export interface Places {
  readonly root: string;
  /** CPython's own build folder: stage 1, and the new interpreter beside it. */
  readonly cpython: string;
  readonly stage1: string;
  readonly stage2: string;
  /** Code units, C and objects of module images. */
  readonly images: string;
  /** The index, the runtime's objects and what was discovered. */
  readonly work: string;
}

export function placesOf(buildDir: string): Places {
  const cpython = join(buildDir, 'cpython');
  return {
    root: buildDir,
    cpython,
    stage1: join(cpython, 'python'),
    stage2: join(cpython, 'python-frozen'),
    images: join(buildDir, 'images'),
    work: join(buildDir, 'work'),
  };
}
