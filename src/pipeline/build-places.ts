import {join} from 'node:path';

/** The paths in a build directory. All are absolute. */
export interface Places {
  readonly root: string;
  /** Code units, C and objects of module images. */
  readonly images: string;
  /** The index, the runtime's objects and the list of discovered modules. */
  readonly work: string;
}

export function placesOf(buildDir: string): Places {
  return {root: buildDir, images: join(buildDir, 'images'), work: join(buildDir, 'work')};
}

/** A build directory of the `source` host has CPython's build, too. */
export interface SourcePlaces extends Places {
  /** CPython's own build directory: stage 1, and the new interpreter beside it. */
  readonly cpython: string;
  readonly stage1: string;
  readonly stage2: string;
  /** A symbolic link to the source tree, for builds that need a fixed path for it. */
  readonly sourceLink: string;
}

export function sourcePlacesOf(buildDir: string): SourcePlaces {
  const cpython = join(buildDir, 'cpython');
  return {
    ...placesOf(buildDir),
    cpython,
    stage1: join(cpython, 'python'),
    stage2: join(cpython, 'python-frozen'),
    sourceLink: join(buildDir, 'source'),
  };
}
