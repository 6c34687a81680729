/* Object layouts of CPython 3.11 for generated images.
 *
 * A layout file is all that a version of CPython costs: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts), the headers to include, and what is not as in the versions before it. The rest is
 * in common.h, made from the target's own headers; assertions stop the build when those are not what this was written for.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.11"
#define FF_MAGIC 3495            /* Lib/importlib/_bootstrap_external.py */
#define FF_CODE_FORM 311         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_global_objects.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_RESUME 151            /* Include/opcode.h */
#define FF_STATIC_SINGLETONS 1   /* Include/internal/pycore_global_objects.h: small ints, (), one-character strings … */
#define FF_WELL_KNOWN_INTERNED 0 /* Objects/unicodeobject.c: interned by whoever comes first */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString _Py_Deepfreeze_Init _Py_Deepfreeze_Fini"

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
