/* Object layouts of CPython 3.11 for generated images.
 *
 * A layout file has all that is specific to a version of CPython: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts), the headers to include, and what differs from the versions before it. The rest is
 * in common.h, made from the target's own headers; assertions stop the build when these do not match this file.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.11"
#define FF_MAGIC 3495            /* Lib/importlib/_bootstrap_external.py */
#define FF_SIPHASH 13            /* Python/pyhash.c, _Py_KeyedHash(): its rounds, for each word and at the end */
#define FF_CODE_FORM 311         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_global_objects.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_RESUME 151            /* Include/opcode.h */
#define FF_STATIC_SINGLETONS 1   /* Include/internal/pycore_global_objects.h: small ints, (), one-character strings … */
#define FF_WELL_KNOWN_INTERNED 0 /* Objects/unicodeobject.c: interned by whoever comes first */
#define FF_COUNTS_REFERENCES 1   /* Include/object.h: no object is immortal */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString _Py_Deepfreeze_Init _Py_Deepfreeze_Fini"

/* ---- read by the runtime: only what somebody has compared with the files named here; common.h has the defaults ---- */
#define FF_OBSERVERS 310                 /* Include/internal/pycore_runtime.h: audit hooks; no code watchers, no sys.monitoring */
#define FF_FROZEN_TABLES 3               /* Python/frozen.c: _PyImport_FrozenBootstrap and two more */
#define FF_HAS_DEEPFREEZE 1              /* Python/import.c: rows of these tables have a get_code() */
#define FF_HAS_STDLIB_DIR 1              /* Python/sysmodule.c: sys._stdlib_dir */
#define FF_HAS_GC_THRESHOLD 1            /* Modules/gcmodule.c: a count of objects starts a collection of the youngest */
#define FF_REPLACES_IMPORT 1             /* Lib/importlib/_bootstrap.py: _find_and_load() is what import.c does */
#define FF_HAS_DICT_VERSION 1            /* Include/cpython/dictobject.h: ma_version_tag, another one after each change */
#define FF_HAS_FUNCTION_VERSION 1        /* Objects/funcobject.c: func_version, 0 after each change of code or defaults */
#define FF_COUNTS_RECURSION 311          /* Include/cpython/pystate.h: how a thread counts nested calls */
#define FF_IGNORES_LOADING_PARENT 1      /* the same: a submodule does not wait for its parent in another thread */
#define FF_RE_MODULES "re._compiler re._parser re._constants re._casefix" /* Lib/re/: compiler, parser, what they use */
#define FF_INLINES_FUNCTIONS 1           /* Python/ceval.c, CALL: by the type of the function alone */
#define FF_REPLACES_COMPILE 1            /* Python/bltinmodule.c: compile(), eval() and exec() are what snippet-calls.c does */
#define FF_UNHANDLED_INTERRUPT _Py_UnhandledKeyboardInterrupt /* Python/pythonrun.c, run_eval_code_obj() */
#define FF_SNAPSHOT_STATE 311            /* the files that snapshot/versions.h names: where a process keeps its state */
#define FF_HAS_DEEP_FROZEN 1             /* Tools/build/deepfreeze.py: code objects in C */

/* ---- the target's headers -------------------------------------------------------------------------------------- */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#if PY_VERSION_HEX >> 16 != 0x030b
#error "flashfreeze layout 3.11: the headers are those of another version"
#endif
#include <stddef.h>
#include "opcode.h"
#include "internal/pycore_code.h"
#include "internal/pycore_global_objects.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

#include "common.h"

/* Code is quickened when it has run as often as this counter says: Objects/codeobject.c, init_code(). */
#define FF_CODE_DERIVED(nlocalsplus, stacksize, nplaincellvars) \
    .co_warmup = QUICKENING_INITIAL_WARMUP_VALUE, .co_nplaincellvars = nplaincellvars

#endif
