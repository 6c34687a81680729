/* Object layouts of CPython 3.10 for generated images.
 *
 * A layout file has all that is specific to a version of CPython: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts), the headers to include, and what differs from the versions before it. The rest is
 * in common.h, made from the target's own headers; assertions stop the build when these do not match this file.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.10"
#define FF_MAGIC 3439            /* Lib/importlib/_bootstrap_external.py */
#define FF_SIPHASH 24            /* Python/pyhash.c, _Py_KeyedHash(): its rounds, for each word and at the end */
#define FF_CODE_FORM 310         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_interp.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_STATIC_SINGLETONS 0   /* Include/internal/pycore_interp.h: small ints, () … are made at run time */
#define FF_WELL_KNOWN_INTERNED 0 /* the interpreter has no static strings */
#define FF_COUNTS_REFERENCES 1   /* Include/object.h: no object is immortal */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString"

/* ---- read by the runtime: only what somebody has compared with the files named here; common.h has the defaults ---- */
#define FF_OBSERVERS 310                 /* Include/internal/pycore_runtime.h: audit hooks; no code watchers, no sys.monitoring */
#define FF_FROZEN_TABLES 1               /* Python/frozen.c: PyImport_FrozenModules */
#define FF_HAS_GC_THRESHOLD 1            /* Modules/gcmodule.c: a count of objects starts a collection of the youngest */
#define FF_REPLACES_IMPORT 1             /* Lib/importlib/_bootstrap.py: _find_and_load() is what import.c does */
#define FF_HAS_DICT_VERSION 1            /* Include/cpython/dictobject.h: ma_version_tag, another one after each change */
#define FF_COUNTS_RECURSION 310          /* Include/cpython/pystate.h: how a thread counts nested calls */
#define FF_HANDLES_THREE_PARTS 1         /* the same, _PyErr_StackItem: an exception that is handled has its type and traceback beside it */
#define FF_SEARCHES_BYTES 1              /* _bootstrap_external.py, PathFinder._get_spec(): entries of the path may be bytes */
#define FF_IGNORES_LOADING_PARENT 1      /* the same: a submodule does not wait for its parent in another thread */
#define FF_RE_MODULES "sre_compile sre_parse sre_constants" /* Lib/: compiler, parser, what they use */
#define FF_REPLACES_COMPILE 1            /* Python/bltinmodule.c: compile(), eval() and exec() are what snippet-calls.c does */
#define FF_UNHANDLED_INTERRUPT _Py_UnhandledKeyboardInterrupt /* Python/pythonrun.c, run_eval_code_obj() */
#define FF_SNAPSHOT_STATE 310            /* the files that snapshot/versions.h names: where a process keeps its state */

/* ---- the target's headers -------------------------------------------------------------------------------------- */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#if PY_VERSION_HEX >> 16 != 0x030a
#error "flashfreeze layout 3.10: the headers are those of another version"
#endif
#include <stddef.h>
#include "longintrepr.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

#include "common.h"

/* code: Include/cpython/code.h; the bytecode is a bytes object, what specialises it is allocated when it has run often. */
#define FF_CODE_TYPE PyCodeObject
#define FF_CODE_POINTERS(X) \
    X(co_code) X(co_consts) X(co_names) X(co_varnames) X(co_freevars) X(co_cellvars) X(co_cell2arg) X(co_filename) \
    X(co_name) X(co_linetable)
#define FF_CODE(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, firstlineno, code, consts, names, \
                varnames, freevars, cellvars, cell2arg, filename, name, linetable) \
    { \
        .ob_base = FF_OBJECT(PyCode_Type), .co_argcount = argcount, .co_posonlyargcount = posonlyargcount, \
        .co_kwonlyargcount = kwonlyargcount, .co_nlocals = nlocals, .co_stacksize = stacksize, .co_flags = flags, \
        .co_firstlineno = firstlineno, .co_code = code, .co_consts = consts, .co_names = names, \
        .co_varnames = varnames, .co_freevars = freevars, .co_cellvars = cellvars, \
        .co_cell2arg = (Py_ssize_t *)(cell2arg), .co_filename = filename, .co_name = name, .co_linetable = linetable \
    }

#endif
