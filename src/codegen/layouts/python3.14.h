/* Object layouts of CPython 3.14 for generated images.
 *
 * A layout file has all that is specific to a version of CPython: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts), the headers to include, and what differs from the versions before it. The rest is
 * in common.h, made from the target's own headers; assertions stop the build when these do not match this file.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.14"
#define FF_MAGIC 3627            /* Include/internal/pycore_magic_number.h */
#define FF_SIPHASH 13            /* Python/pyhash.c, _Py_KeyedHash(): its rounds, for each word and at the end */
#define FF_CODE_FORM 311         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_runtime_structs.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_RESUME 128            /* Include/opcode_ids.h */
#define FF_STATIC_SINGLETONS 1   /* Include/internal/pycore_global_objects.h: small ints, (), one-character strings … */
#define FF_SHARES_ONE_BYTE 1     /* Python/marshal.c, TYPE_STRING: bytes of one byte are the interpreter's own */
#define FF_WELL_KNOWN_INTERNED 1 /* Objects/unicodeobject.c, init_global_interned_strings(): at run-time start */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString"

/* ---- read by the runtime: only what somebody has compared with the files named here; common.h has the defaults ---- */
#define FF_OBSERVERS 312                 /* pycore_runtime.h, pycore_interp.h: audit hooks, code watchers, sys.monitoring */
#define FF_FROZEN_TABLES 3               /* Python/frozen.c: _PyImport_FrozenBootstrap and two more */
#define FF_HAS_STDLIB_DIR 1              /* Python/sysmodule.c: sys._stdlib_dir */
#define FF_PREFIX_OF_ENVIRONMENT 1       /* Modules/getpath.py: sys.prefix is that of the virtual environment */
#define FF_HAS_RAISED_EXCEPTION 1        /* Python/errors.c: PyErr_GetRaisedException() */
#define FF_REPLACES_IMPORT 1             /* Lib/importlib/_bootstrap.py: _find_and_load() is what import.c does */
#define FF_COUNTS_RECURSION 312          /* Include/cpython/pystate.h: how a thread counts nested calls */
#define FF_COPIES_META_PATH 1            /* the same, _find_spec(): finders are asked by a copy of sys.meta_path */
#define FF_HAS_DICT_WATCHERS 1           /* Include/cpython/dictobject.h: PyDict_Watch(), which tells of each change */
#define FF_REQUIRES_FIND_SPEC 1          /* the same, _find_spec(): finders without find_spec() are passed over */
#define FF_RE_MODULES "re._compiler re._parser re._constants re._casefix" /* Lib/re/: compiler, parser, what they use */
#define FF_HAS_SET_VECTORCALL 1          /* Objects/funcobject.c: PyFunction_SetVectorcall() */
#define FF_REPLACES_COMPILE 1            /* Python/bltinmodule.c: compile(), eval() and exec() are what snippet-calls.c does */

/* ---- the target's headers -------------------------------------------------------------------------------------- */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#if PY_VERSION_HEX >> 16 != 0x030e
#error "flashfreeze layout 3.14: the headers are those of another version"
#endif
#include <stddef.h>
#include "opcode_ids.h"
#include "internal/pycore_code.h"
#include "internal/pycore_global_objects.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

#include "common.h"

#endif
