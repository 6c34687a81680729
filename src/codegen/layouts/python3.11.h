/* Object layouts of CPython 3.11 for generated images.
 *
 * A layout file is all that a version of CPython costs: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts) and the macros that images are written in. Everything else comes from the target's
 * own headers, and the assertions below stop the build when those are not what this file was written for.
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
#include <stddef.h>
#include "opcode.h"
#include "internal/pycore_code.h"
#include "internal/pycore_global_objects.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

#define FF_LAYOUT_ASSERT(condition) _Static_assert(condition, "flashfreeze layout 3.11: " #condition)
FF_LAYOUT_ASSERT(PY_VERSION_HEX >> 16 == 0x030b);
FF_LAYOUT_ASSERT(PYLONG_BITS_IN_DIGIT == 30);
FF_LAYOUT_ASSERT(RESUME == FF_RESUME);
FF_LAYOUT_ASSERT(_PY_NSMALLNEGINTS == -(FF_SMALL_INT_MIN));
FF_LAYOUT_ASSERT(_PY_NSMALLPOSINTS == FF_SMALL_INT_MAX + 1);
FF_LAYOUT_ASSERT(sizeof(double) == 8);
#if defined(Py_GIL_DISABLED)
#error "flashfreeze layout 3.11: a free-threaded CPython cannot share static code objects"
#endif
#if defined(Py_DEBUG)
#error "flashfreeze layout 3.11: a debug build of CPython checks that static strings are its own"
#endif

/* ---- objects: FF_X_TYPE(size) is the struct, FF_X(...) its initialiser ------------------------------------------- */
/* No object is immortal in 3.11: a count that no program takes down to 0, as CPython's own static code has it. */
#define FF_REFCOUNT 999999999
#define FF_OBJECT(type) {_PyObject_EXTRA_INIT .ob_refcnt = FF_REFCOUNT, .ob_type = FF_TYPE(type)}
#define FF_VAR_OBJECT(type, size) {.ob_base = FF_OBJECT(type), .ob_size = (size)}

#include "common.h"

/* str of ASCII text: Include/cpython/unicodeobject.h, PyASCIIObject. */
#define FF_ASCII(length_, text) \
    { \
        .object = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                   .state = {.kind = 1, .compact = 1, .ascii = 1, .ready = 1}}, \
        .data = text \
    }

/* str of other text: the same file, PyCompactUnicodeObject; `self` is the variable's own name. Where a unit is as wide as
 * a wchar_t, wstr is the data itself (Objects/unicodeobject.c, PyUnicode_New()). */
#ifdef FF_POSITION_INDEPENDENT
#define FF_WSTR(self, kind_) NULL
#else
#define FF_WSTR(self, kind_) ((kind_) == sizeof(wchar_t) ? (wchar_t *)self.data : NULL)
#endif
#define FF_TEXT(self, length_, kind_, ...) \
    { \
        .object = {._base = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                             .state = {.kind = (kind_), .compact = 1, .ascii = 0, .ready = 1}, \
                             .wstr = FF_WSTR(self, kind_)}, \
                   .wstr_length = (kind_) == sizeof(wchar_t) ? (length_) : 0}, \
        .data = __VA_ARGS__ \
    }
static inline void ff_complete_str(PyObject *str)
{
    if (!PyUnicode_IS_ASCII(str) && PyUnicode_KIND(str) == sizeof(wchar_t)) {
        ((PyASCIIObject *)str)->wstr = (wchar_t *)((PyCompactUnicodeObject *)str + 1);
    }
}

/* int: Include/cpython/longintrepr.h; sign is -1, 0 or 1. */
#define FF_INT_TYPE(digits) \
    struct { \
        PyObject_VAR_HEAD \
        digit ob_digit[digits]; \
    }
#define FF_INT(sign, digits, ...) {.ob_base = FF_VAR_OBJECT(PyLong_Type, (sign) * (digits)), .ob_digit = __VA_ARGS__}
FF_LAYOUT_ASSERT(offsetof(PyLongObject, ob_digit) == offsetof(FF_INT_TYPE(1), ob_digit));

/* code: Include/cpython/code.h, _PyCode_DEF; derived values as in Objects/codeobject.c, init_code(). */
#define FF_CODE(units, consts, names, exceptiontable, flags, argcount, posonlyargcount, kwonlyargcount, stacksize, \
                firstlineno, nlocalsplus, nlocals, nplaincellvars, ncellvars, nfreevars, localsplusnames, \
                localspluskinds, filename, name, qualname, linetable, firsttraceable, bytecode) \
    { \
        .ob_base = FF_VAR_OBJECT(PyCode_Type, units), .co_consts = consts, .co_names = names, \
        .co_exceptiontable = exceptiontable, .co_flags = flags, .co_warmup = QUICKENING_INITIAL_WARMUP_VALUE, \
        .co_argcount = argcount, \
        .co_posonlyargcount = posonlyargcount, .co_kwonlyargcount = kwonlyargcount, .co_stacksize = stacksize, \
        .co_firstlineno = firstlineno, .co_nlocalsplus = nlocalsplus, .co_nlocals = nlocals, \
        .co_nplaincellvars = nplaincellvars, \
        .co_ncellvars = ncellvars, .co_nfreevars = nfreevars, .co_localsplusnames = localsplusnames, \
        .co_localspluskinds = localspluskinds, .co_filename = filename, .co_name = name, .co_qualname = qualname, \
        .co_linetable = linetable, ._co_firsttraceable = firsttraceable, .co_code_adaptive = bytecode \
    }

/* ---- what an image needs done when it is first used --------------------------------------------------------------- */

/* Makes *slot the interned string of its text; the slot owns a reference. */
static inline void ff_intern(PyObject **slot)
{
    PyUnicode_InternInPlace(slot);
}

/* Code objects carry no version in 3.11: functions get theirs when a call to them is specialised (Python/specialize.c). */
static inline uint32_t ff_reserve_versions(uint32_t count)
{
    (void)count;
    return 0;
}
#define FF_SET_VERSION(code, version) ((void)(code), (void)(version))

#endif
