import type {PyCode, PyObject, PyStr} from '../../../src/marshal/objects.js';
import {encodeUtf8} from './writer.js';

type Description = string | number | readonly Description[];

/** Kinds of locals beyond those that Python's own attributes tell of are left out. */
const LOCAL_CELL_FREE = 0xe0;

/** The same text that `describe.py` makes of the same value. */
export function describeObject(object: PyObject): string {
  return JSON.stringify(descriptionOf(object));
}

function descriptionOf(object: PyObject): Description {
  switch (object.type) {
    case 'None':
    case 'Ellipsis':
    case 'StopIteration':
      return object.type;
    case 'bool':
      return object.value ? 'True' : 'False';
    case 'int':
      return [
        'int',
        object.value < 0n ? `-0x${(-object.value).toString(16)}` : `0x${object.value.toString(16)}`,
      ];
    case 'float':
      return ['float', bits(object.bits)];
    case 'complex':
      return ['complex', bits(object.realBits), bits(object.imagBits)];
    case 'str':
      return text(object);
    case 'bytes':
      return ['bytes', hex(object.value)];
    case 'tuple':
    case 'list':
      return [object.type, object.items.map(descriptionOf)];
    case 'set':
    case 'frozenset':
      return [object.type, object.items.map(describeObject).sort()];
    case 'dict':
    case 'frozendict':
      return [object.type, object.entries.map((entry) => entry.map(descriptionOf))];
    case 'slice':
      return ['slice', [object.start, object.stop, object.step].map(descriptionOf)];
    case 'code':
      return codeOf(object);
  }
}

function codeOf(code: PyCode): Description {
  const common = [
    code.argcount,
    code.posonlyargcount,
    code.kwonlyargcount,
    code.stacksize,
    code.flags,
    hex(code.code),
    code.consts.map(descriptionOf),
    code.names.map(text),
    text(code.filename),
    text(code.name),
    code.firstlineno,
    hex(code.linetable),
  ];
  if (code.form === '3.10') {
    const scopes = [code.varnames, code.freevars, code.cellvars];
    return ['code', ...common, code.nlocals, ...scopes.map((names) => names.map(text))];
  }
  const kinds = [...code.localspluskinds].map((kind) => kind & LOCAL_CELL_FREE);
  return [
    'code',
    ...common,
    code.localsplusnames.map(text),
    kinds,
    text(code.qualname),
    hex(code.exceptiontable),
  ];
}

function text(value: PyStr): Description {
  return ['str', hex(encodeUtf8(value))];
}

function bits(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
