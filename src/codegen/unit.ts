import type {PyCode, PyObject} from '../marshal/objects.js';
import {MOST_BYTES, readMarshal} from '../marshal/reader.js';
import {type Result, fail, ok} from '../model/result.js';
import type {Layout} from './layout.js';

/** The result of the stage-1 worker for one source file (src/cpython/interpreter/scripts/compile_modules.py). */
export interface CodeUnit {
  readonly code: PyCode;
  /** The same code object as marshal bytes without reference flags. */
  readonly marshal: Uint8Array;
  /** Bytecode as the interpreter prepares it (`_co_code_adaptive`), of each code object in pre-order. */
  readonly prepared: readonly Uint8Array[];
  /** Names among the constants that are interned although they are not ASCII. */
  readonly interned: ReadonlySet<string>;
}

/**
 * The code objects of a module in pre-order: each before the code objects among its constants. One that several others hold comes
 * once for each, so few bytes can mean any number: the list ends after `most`. Does not recurse.
 */
export function codeObjects(code: PyCode, most = Infinity): PyCode[] {
  const found: PyCode[] = [];
  const pending = [code];
  for (let next = pending.pop(); next !== undefined && found.length < most; next = pending.pop()) {
    found.push(next);
    for (const inner of innerCode(next).reverse()) pending.push(inner);
  }
  return found;
}

/** The same in post-order: each after the code objects among its constants. */
export function codeObjectsInnerFirst(code: PyCode): PyCode[] {
  const found: PyCode[] = [];
  const pending = [code];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    found.push(next);
    for (const inner of innerCode(next)) pending.push(inner);
  }
  return found.reverse();
}

function innerCode({consts}: PyCode): PyCode[] {
  return consts.filter((constant) => constant.type === 'code');
}

/**
 * Reads a code unit: the marshal bytes of `(marshal bytes of the code, prepared bytecode)`, perhaps with interned names.
 * Fails with MARSHAL for bytes that are not one.
 */
export function readCodeUnit(bytes: Uint8Array, layout: Layout): Result<CodeUnit> {
  // Our own worker wrote it, from source that Python compiles: it is as large as it is.
  const options = {codeForm: layout.codeForm, limits: {bytes: MOST_BYTES}};
  const outer = readMarshal(bytes, options);
  if (!outer.ok) return outer;
  const [marshal, prepared, names] = tupleItems(outer.value);
  if (marshal?.type !== 'bytes' || prepared === undefined) return fail('MARSHAL', 'not a code unit');
  const inner = readMarshal(marshal.value, options);
  if (!inner.ok) return inner;
  if (inner.value.type !== 'code')
    return fail('MARSHAL', `the code unit contains a ${inner.value.type} instead of code`);
  const given = tupleItems(prepared).flatMap((item) => (item.type === 'bytes' ? [item.value] : []));
  // Each has its bytecode in the unit, or was written as often as it occurs.
  const most = prepared.type === 'None' ? marshal.value.length : given.length;
  const codes = codeObjects(inner.value, most + 1);
  if (codes.length > most) return fail('MARSHAL', 'the code objects of the code unit share each other');
  const bytecodes = prepared.type === 'None' ? codes.map((code) => code.code) : given;
  if (
    bytecodes.length !== codes.length ||
    bytecodes.some((bytecode, i) => bytecode.length !== codes[i]?.code.length)
  ) {
    return fail('MARSHAL', 'the prepared bytecode of the code unit does not match its code objects');
  }
  const interned = new Set(
    names === undefined ? [] : tupleItems(names).flatMap((name) => (name.type === 'str' ? [name.value] : [])),
  );
  return ok({code: inner.value, marshal: marshal.value, prepared: bytecodes, interned});
}

function tupleItems(object: PyObject): readonly PyObject[] {
  return object.type === 'tuple' ? object.items : [];
}
