/* Object layouts of CPython 3.13 for generated images.
 *
 * A layout file is all that a version of CPython costs: the facts that the generator reads (the FF_ lines with plain
 * values, see src/codegen/layout.ts) and the macros that images are written in. Everything else comes from the target's
 * own headers, and the assertions below stop the build when those are not what this file was written for.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

/* ---- read by the generator ------------------------------------------------------------------------------------- */
#define FF_SERIES "3.13"
#define FF_MAGIC 3571            /* Include/internal/pycore_magic_number.h */
#define FF_CODE_FORM 311         /* fields of TYPE_CODE in Python/marshal.c */
#define FF_SMALL_INT_MIN -5      /* Include/internal/pycore_global_objects.h, _PY_NSMALLNEGINTS */
#define FF_SMALL_INT_MAX 256     /* the same, _PY_NSMALLPOSINTS */
#define FF_RESUME 149            /* Include/opcode_ids.h */
#define FF_STATIC_SINGLETONS 1   /* Include/internal/pycore_global_objects.h: small ints, (), one-character strings … */
#define FF_WELL_KNOWN_INTERNED 1 /* Objects/unicodeobject.c, init_global_interned_strings(): at run-time start */
/* Functions of the interpreter whose calls the linker sends to the runtime (--wrap). */
#define FF_WRAPPED "PyMarshal_ReadObjectFromString"

/* ---- the target's headers -------------------------------------------------------------------------------------- */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#include <stddef.h>
#include "opcode_ids.h"
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_global_objects.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_long.h"
#include "internal/pycore_object.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_unicodeobject.h"

#define FF_LAYOUT_ASSERT(condition) _Static_assert(condition, "flashfreeze layout 3.13: " #condition)
FF_LAYOUT_ASSERT(PY_VERSION_HEX >> 16 == 0x030d);
FF_LAYOUT_ASSERT(PYLONG_BITS_IN_DIGIT == 30);
FF_LAYOUT_ASSERT(RESUME == FF_RESUME);
FF_LAYOUT_ASSERT(_PY_NSMALLNEGINTS == -(FF_SMALL_INT_MIN));
FF_LAYOUT_ASSERT(_PY_NSMALLPOSINTS == FF_SMALL_INT_MAX + 1);
FF_LAYOUT_ASSERT(sizeof(double) == 8);
#if defined(Py_GIL_DISABLED)
#error "flashfreeze layout 3.13: a free-threaded CPython cannot share static code objects"
#endif
#if defined(Py_DEBUG)
#error "flashfreeze layout 3.13: a debug build of CPython checks that static strings are its own"
#endif

/* ---- objects: FF_X_TYPE(size) is the struct, FF_X(...) its initialiser ------------------------------------------- */
#define FF_OBJECT(type) _PyObject_HEAD_INIT(FF_TYPE(type))
#define FF_VAR_OBJECT(type, size) _PyVarObject_HEAD_INIT(FF_TYPE(type), size)

#include "common.h"

/* str of ASCII text: Include/cpython/unicodeobject.h, PyASCIIObject. */
#define FF_ASCII(length_, text) \
    { \
        .object = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                   .state = {.kind = 1, .compact = 1, .ascii = 1, .statically_allocated = 1}}, \
        .data = text \
    }

/* str of other text: the same file, PyCompactUnicodeObject; `self` is the variable's own name. */
#define FF_TEXT(self, length_, kind_, ...) \
    { \
        .object = {._base = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                             .state = {.kind = (kind_), .compact = 1, .ascii = 0, .statically_allocated = 1}}}, \
        .data = __VA_ARGS__ \
    }

static inline void ff_complete_str(PyObject *str)
{
    (void)str;
}

/* int: Include/cpython/longintrepr.h, _PyLongValue; sign is -1, 0 or 1. */
#define FF_INT_TYPE(digits) \
    struct { \
        PyObject ob_base; \
        uintptr_t lv_tag; \
        digit ob_digit[digits]; \
    }
#define FF_INT(sign, digits, ...) \
    { \
        .ob_base = FF_OBJECT(PyLong_Type), .lv_tag = TAG_FROM_SIGN_AND_SIZE(sign, (size_t)(digits)), \
        .ob_digit = __VA_ARGS__ \
    }
FF_LAYOUT_ASSERT(offsetof(PyLongObject, long_value.ob_digit) == offsetof(FF_INT_TYPE(1), ob_digit));

/* code: Include/cpython/code.h, _PyCode_DEF; derived values as in Objects/codeobject.c, init_code(). */
#define FF_CODE(units, consts, names, exceptiontable, flags, argcount, posonlyargcount, kwonlyargcount, stacksize, \
                firstlineno, nlocalsplus, nlocals, nplaincellvars, ncellvars, nfreevars, localsplusnames, \
                localspluskinds, filename, name, qualname, linetable, firsttraceable, bytecode) \
    { \
        .ob_base = FF_VAR_OBJECT(PyCode_Type, units), .co_consts = consts, .co_names = names, \
        .co_exceptiontable = exceptiontable, .co_flags = flags, .co_argcount = argcount, \
        .co_posonlyargcount = posonlyargcount, .co_kwonlyargcount = kwonlyargcount, .co_stacksize = stacksize, \
        .co_firstlineno = firstlineno, .co_nlocalsplus = nlocalsplus, \
        .co_framesize = (nlocalsplus) + (stacksize) + FRAME_SPECIALS_SIZE, .co_nlocals = nlocals, \
        .co_ncellvars = ncellvars, .co_nfreevars = nfreevars, .co_localsplusnames = localsplusnames, \
        .co_localspluskinds = localspluskinds, .co_filename = filename, .co_name = name, .co_qualname = qualname, \
        .co_linetable = linetable, ._co_firsttraceable = firsttraceable, .co_code_adaptive = bytecode \
    }

/* ---- what an image needs done when it is first used --------------------------------------------------------------- */

/* Makes *slot the interned string of its text. The result is immortal, so further slots may borrow it. */
static inline void ff_intern(PyObject **slot)
{
    _PyUnicode_InternImmortal(PyInterpreterState_Get(), slot);
}

/* Reserves `count` function versions in a row and gives the first, or 0 (do not specialise) when there are too few left:
 * Objects/codeobject.c, init_code(). */
static inline uint32_t ff_reserve_versions(uint32_t count)
{
    struct _py_func_state *state = &PyInterpreterState_Get()->func_state;
    uint32_t first = state->next_version;
    if (first == 0 || first + count < first) {
        return 0;
    }
    state->next_version = first + count;
    return first;
}
#define FF_SET_VERSION(code, version) ((code)->co_version = (version))

#endif
