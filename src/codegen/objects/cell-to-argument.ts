import type {PyCode310} from '../../marshal/objects.js';

const CO_VARARGS = 0x4;
const CO_VARKEYWORDS = 0x8;
/** CO_CELL_NOT_AN_ARG (Include/cpython/code.h, 3.10). */
const NOT_AN_ARGUMENT = -1;

/**
 * For each cell variable the index of the argument of that name, or -1; undefined when none is an argument:
 * `co_cell2arg`, which marshal leaves out (Objects/codeobject.c of 3.10, `PyCode_NewWithPosOnlyArgs()`).
 */
export function cellToArgument(code: PyCode310): readonly number[] | undefined {
  const count =
    code.argcount +
    code.kwonlyargcount +
    (code.flags & CO_VARARGS ? 1 : 0) +
    (code.flags & CO_VARKEYWORDS ? 1 : 0);
  const argumentNames = code.varnames.slice(0, count).map(({value}) => value);
  const indexes = code.cellvars.map(({value}) => argumentNames.indexOf(value));
  return indexes.some((index) => index !== NOT_AN_ARGUMENT) ? indexes : undefined;
}
