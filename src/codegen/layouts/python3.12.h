/* Object layouts of CPython 3.12 for generated images.
 *
 * A layout file has all that is specific to a version of CPython: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts), the headers to include, and what differs from the versions before it. The rest is
 * in common.h, made from the target's own headers; assertions stop the build when these do not match this file.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.12"
#define FF_MAGIC 3531            /* Lib/importlib/_bootstrap_external.py */
#define FF_SIPHASH 13            /* Python/pyhash.c, _Py_KeyedHash(): its rounds, for each word and at the end */
#define FF_CODE_FORM 311         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_global_objects.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_RESUME 151            /* Include/opcode.h */
#define FF_STATIC_SINGLETONS 1   /* Include/internal/pycore_global_objects.h: small ints, (), one-character strings … */
#define FF_WELL_KNOWN_INTERNED 0 /* identifiers are, other strings only from 3.12.7 on */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString _Py_Deepfreeze_Init _Py_Deepfreeze_Fini"

/* ---- read by the runtime: only what somebody has compared with the files named here; common.h has the defaults ---- */
#define FF_OBSERVERS 312                 /* pycore_runtime.h, pycore_interp.h: audit hooks, code watchers, sys.monitoring */
#define FF_FROZEN_TABLES 3               /* Python/frozen.c: _PyImport_FrozenBootstrap and two more */
#define FF_HAS_DEEPFREEZE 1              /* Python/import.c: rows of these tables have a get_code() */
#define FF_HAS_STDLIB_DIR 1              /* Python/sysmodule.c: sys._stdlib_dir */
#define FF_HAS_GC_THRESHOLD 1            /* Modules/gcmodule.c: a count of objects starts a collection of the youngest */
#define FF_HAS_RAISED_EXCEPTION 1        /* Python/errors.c: PyErr_GetRaisedException() */
#define FF_REPLACES_IMPORT 1             /* Lib/importlib/_bootstrap.py: _find_and_load() is what import.c does */
#define FF_HAS_DICT_VERSION 1            /* Include/cpython/dictobject.h: ma_version_tag, another one after each change */
#define FF_HAS_FUNCTION_VERSION 1        /* Objects/funcobject.c: func_version, 0 after each change of code or defaults */
#define FF_COUNTS_RECURSION 312          /* Include/cpython/pystate.h: how a thread counts nested calls */
#define FF_IGNORES_LOADING_PARENT 1      /* the same: a submodule does not wait for its parent in another thread */
#define FF_REQUIRES_FIND_SPEC 1          /* the same, _find_spec(): finders without find_spec() are passed over */
#define FF_RE_MODULES "re._compiler re._parser re._constants re._casefix" /* Lib/re/: compiler, parser, what they use */
#define FF_HAS_SET_VECTORCALL 1          /* Objects/funcobject.c: PyFunction_SetVectorcall() */
#define FF_REPLACES_COMPILE 1            /* Python/bltinmodule.c: compile(), eval() and exec() are what snippet-calls.c does */
#define FF_UNHANDLED_INTERRUPT _PyRuntime.signals.unhandled_keyboard_interrupt /* Python/pythonrun.c, run_eval_code_obj() */
#define FF_SNAPSHOT_STATE 312            /* the files that snapshot/versions.h names: where a process keeps its state */
#define FF_HAS_DEEP_FROZEN 1             /* Tools/build/deepfreeze.py: code objects in C */

/* ---- the target's headers -------------------------------------------------------------------------------------- */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#if PY_VERSION_HEX >> 16 != 0x030c
#error "flashfreeze layout 3.12: the headers are those of another version"
#endif
#include <stddef.h>
#include "opcode.h"
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_global_objects.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

/* How strings are interned changed within the series (gh-113993, in 3.12.7; Objects/unicodeobject.c). Before, strings that
 * call themselves static go to a table that all interpreters share, without a look at those that this interpreter has
 * interned: ours do not call themselves so. Since then, those that do not are freed at the end, as in 3.13. */
#if PY_VERSION_HEX < 0x030c0700
#define FF_STR_STATE .statically_allocated = 0
#endif

#include "common.h"

static inline void ff_intern(PyObject **slot)
{
#if PY_VERSION_HEX < 0x030c0700
    /* The interpreter's own strings call themselves static. */
    PyObject *text = *slot;
    if (!PyUnicode_CHECK_INTERNED(text) && _PyASCIIObject_CAST(text)->state.statically_allocated) {
        PyObject *strings = _Py_INTERP_CACHED_OBJECT(PyInterpreterState_Get(), interned_strings);
        PyObject *interned = PyDict_GetItemWithError(strings, text);
        if (interned != NULL) {
            *slot = Py_NewRef(interned);
            return;
        }
    }
    PyUnicode_InternInPlace(slot);
#else
    _PyUnicode_InternImmortal(PyInterpreterState_Get(), slot);
#endif
}

/* Code objects and functions get their versions from two counters, which start at the same number: Objects/codeobject.c
 * counts in _Py_next_func_version, which a shared libpython does not export, Objects/funcobject.c (for functions that were
 * changed) in the interpreter's state. Ours come from the second, far away from where the first one gets. */
#define FF_FIRST_VERSION 0x80000000u
static inline uint32_t ff_reserve_versions(uint32_t count)
{
    struct _py_func_state *state = &PyInterpreterState_Get()->func_state;
    uint32_t first = state->next_version;
    if (first != 0 && first < FF_FIRST_VERSION) {
        first = FF_FIRST_VERSION;
    }
    if (first == 0 || first + count < first) {
        return 0;
    }
    state->next_version = first + count;
    return first;
}

#endif
