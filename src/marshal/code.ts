import type {PyBytes, PyCode, PyObject, PyStr} from './objects.js';

/** Which of the two shapes a code object has in the stream: 3.10's, or that of 3.11 and later. */
export type CodeForm = PyCode['form'];

/**
 * What follows the type code of a code object (Python/marshal.c, TYPE_CODE: 3.10; 3.11 to 3.15): so many numbers, then
 * objects, with `firstlineno` after the first eight of them.
 */
export const CODE_SHAPES: Readonly<Record<CodeForm, {readonly numbers: number; readonly objects: number}>> = {
  '3.10': {numbers: 6, objects: 9},
  '3.11': {numbers: 5, objects: 10},
};
export const OBJECTS_BEFORE_FIRSTLINENO = 8;

const CO_VARARGS = 0x4;
const CO_VARKEYWORDS = 0x8;
/** Bit of `localspluskinds` for what is a local variable (Include/internal/pycore_code.h, 3.11 to 3.15). */
const CO_FAST_LOCAL = 0x20;

/**
 * Makes a code object from its numbers (`firstlineno` last) and objects, in stream order. Returns a clause
 * that says what is wrong when a field is not of its type, or if CPython would reject it
 * (Objects/codeobject.c, `_PyCode_Validate` in 3.11 to 3.15, `PyCode_NewWithPosOnlyArgs` in 3.10).
 */
export function assembleCode(
  form: CodeForm,
  numbers: readonly number[],
  objects: readonly PyObject[],
): PyCode | string {
  const fields = new Fields(objects);
  const code = form === '3.10' ? assemble310(numbers, fields) : assemble311(numbers, fields);
  return fields.problem ?? counterProblem(code) ?? code;
}

function assemble310(numbers: readonly number[], fields: Fields): PyCode {
  const [argcount = 0, posonlyargcount = 0, kwonlyargcount = 0, nlocals = 0, stacksize = 0, flags = 0] =
    numbers;
  return {
    type: 'code',
    form: '3.10',
    argcount,
    posonlyargcount,
    kwonlyargcount,
    nlocals,
    stacksize,
    flags,
    code: fields.bytes('code'),
    consts: fields.tuple('consts'),
    names: fields.names('names'),
    varnames: fields.names('varnames'),
    freevars: fields.names('freevars'),
    cellvars: fields.names('cellvars'),
    filename: fields.str('filename'),
    name: fields.str('name'),
    firstlineno: numbers[6] ?? 0,
    linetable: fields.bytes('linetable'),
  };
}

function assemble311(numbers: readonly number[], fields: Fields): PyCode {
  const [argcount = 0, posonlyargcount = 0, kwonlyargcount = 0, stacksize = 0, flags = 0] = numbers;
  return {
    type: 'code',
    form: '3.11',
    argcount,
    posonlyargcount,
    kwonlyargcount,
    stacksize,
    flags,
    code: fields.bytes('code'),
    consts: fields.tuple('consts'),
    names: fields.names('names'),
    localsplusnames: fields.names('localsplusnames'),
    localspluskinds: fields.bytes('localspluskinds'),
    filename: fields.str('filename'),
    name: fields.str('name'),
    qualname: fields.str('qualname'),
    firstlineno: numbers[5] ?? 0,
    linetable: fields.bytes('linetable'),
    exceptiontable: fields.bytes('exceptiontable'),
  };
}

/** How many bytes and objects the fields of a code object refer to, which several code objects can share. */
export function codeExtent(code: PyCode): number {
  const own = [code.code, code.consts, code.names, code.linetable];
  const scopes =
    code.form === '3.10'
      ? [code.varnames, code.freevars, code.cellvars]
      : [code.localsplusnames, code.localspluskinds, code.exceptiontable];
  return [...own, ...scopes].reduce((sum, field) => sum + field.length, 0);
}

/** Returns the objects of a code object in order, and records the first one of a wrong type. */
class Fields {
  problem: string | undefined;
  #next = 0;

  constructor(private readonly objects: readonly PyObject[]) {}

  bytes(field: string): Uint8Array {
    return (
      this.#take(field, 'bytes', (object): object is PyBytes => object.type === 'bytes')?.value ??
      new Uint8Array()
    );
  }

  str(field: string): PyStr {
    return this.#take(field, 'a str', isStr) ?? {type: 'str', value: ''};
  }

  tuple(field: string): readonly PyObject[] {
    return this.#take(field, 'a tuple', (object) => object.type === 'tuple')?.items ?? [];
  }

  names(field: string): readonly PyStr[] {
    const items = this.tuple(field);
    if (items.every(isStr)) return items;
    this.problem ??= `the ${field} of a code object are not all str`;
    return [];
  }

  #take<T extends PyObject>(
    field: string,
    expected: string,
    is: (object: PyObject) => object is T,
  ): T | undefined {
    const object = this.objects[this.#next++];
    if (object !== undefined && is(object)) return object;
    this.problem ??= `the ${field} of a code object is ${object === undefined ? 'missing' : `of type ${object.type}`}, not ${expected}`;
    return undefined;
  }
}

function isStr(object: PyObject): object is PyStr {
  return object.type === 'str';
}

/** The error in the numbers of a code object, given its names, if there is one. */
function counterProblem(code: PyCode): string | undefined {
  const {argcount, posonlyargcount, kwonlyargcount, stacksize, flags} = code;
  if (Math.min(posonlyargcount, kwonlyargcount, stacksize, flags) < 0 || argcount < posonlyargcount) {
    return 'a code object has argument counts, a stack size or flags out of range';
  }
  if (code.code.length % 2 !== 0) return 'the bytecode of a code object has an odd length';
  let locals: number;
  if (code.form === '3.10') {
    if (code.nlocals < 0) return 'a code object has a negative number of locals';
    locals = code.varnames.length;
  } else {
    if (code.localspluskinds.length !== code.localsplusnames.length) {
      return 'a code object has not as many localspluskinds as localsplusnames';
    }
    locals = code.localspluskinds.reduce((count, kind) => count + ((kind & CO_FAST_LOCAL) === 0 ? 0 : 1), 0);
  }
  const star = ((flags & CO_VARARGS) === 0 ? 0 : 1) + ((flags & CO_VARKEYWORDS) === 0 ? 0 : 1);
  return argcount + kwonlyargcount + star > locals
    ? 'a code object has more arguments than local variables'
    : undefined;
}
