import type {Result} from '../model/result.js';
import type {ObjectFile} from './object-file/object-file.js';
import {type ImageInput, generateImage} from './image.js';

/** What a plan says about a module. */
export interface PlannedModule {
  readonly module: string;
  readonly filename: string;
  /** Whether it is one of the modules that CPython itself freezes. */
  readonly isCPythonFrozen: boolean;
}

export interface ImageTarget extends Pick<ImageInput, 'layout' | 'imageLayout' | 'addressModel'> {
  /** CPython's own C of the frozen module, where the interpreter goes on using its bytes. */
  readonly frozenHeader?: string;
}

/** The object file of a planned module's image, from its code unit. Fails as `generateImage` does. */
export function generatePlannedImage(
  {module, filename, isCPythonFrozen}: PlannedModule,
  unit: Uint8Array,
  {frozenHeader, ...target}: ImageTarget,
): Result<ObjectFile> {
  return generateImage({
    ...target,
    module,
    unit,
    ...(isCPythonFrozen ? {} : {pathPlaceholder: filename}),
    keepMarshal: isCPythonFrozen,
    ...(frozenHeader === undefined ? {} : {marshal: parseByteArray(frozenHeader)}),
  });
}

/** The numbers of a C array of bytes, as CPython writes frozen modules (Python/frozen_modules/*.h). */
function parseByteArray(header: string): Uint8Array {
  const body = header.slice(header.indexOf('{'));
  return Uint8Array.from(body.match(/\d+/g) ?? [], Number);
}
