/* What all layouts have in common. Included by a layout file, after the target's headers and its FF_OBJECT(type) and
 * FF_VAR_OBJECT(type, size), the heads of a static object, which take the type from FF_TYPE(type). */
#ifndef FF_LAYOUT_COMMON_H
#define FF_LAYOUT_COMMON_H

/* ---- pointers ---------------------------------------------------------------------------------------------------- */
/* In the absolute model they are link-time constants. In the position-independent one, an image is a `struct ff_module`,
 * and a word says in its lowest bits what it stands for until src/runtime/relocate.c puts the pointer there: an offset in
 * the image, an offset in _PyRuntime, or the index of a constant of the interpreter. */
#ifdef FF_POSITION_INDEPENDENT
#define FF_TAGS 3
#define FF_TAG_INNER 1
#define FF_TAG_RUNTIME 2
#define FF_TAG_CONSTANT 3
#define FF_TYPE(type) NULL
#define FF_REF(member) ((PyObject *)(offsetof(struct ff_module, member) | FF_TAG_INNER))
#define FF_OF_RUNTIME(object) ((PyObject *)((char *)&(object) - (char *)&_PyRuntime + FF_TAG_RUNTIME))
#define FF_CONSTANT(index) ((PyObject *)((uintptr_t)(index) << 2 | FF_TAG_CONSTANT))
#define FF_NONE FF_CONSTANT(FF_CONSTANT_NONE)
#define FF_TRUE FF_CONSTANT(FF_CONSTANT_TRUE)
#define FF_FALSE FF_CONSTANT(FF_CONSTANT_FALSE)
#define FF_ELLIPSIS FF_CONSTANT(FF_CONSTANT_ELLIPSIS)
enum { FF_CONSTANT_NONE, FF_CONSTANT_TRUE, FF_CONSTANT_FALSE, FF_CONSTANT_ELLIPSIS, FF_CONSTANT_COUNT };
#else
#define FF_TYPE(type) (&type)
#define FF_REF(variable) ((PyObject *)&variable)
#define FF_OF_RUNTIME(object) ((PyObject *)&(object))
#define FF_NONE Py_None
#define FF_TRUE Py_True
#define FF_FALSE Py_False
#define FF_ELLIPSIS Py_Ellipsis
#endif

/* ---- the interpreter's own objects, where it has static ones: Include/internal/pycore_global_objects.h --------------- */
#if FF_STATIC_SINGLETONS
#define FF_SMALL_INT(value) FF_OF_RUNTIME(_Py_SINGLETON(small_ints)[_PY_NSMALLNEGINTS + (value)])
#define FF_ASCII_CHAR(code) FF_OF_RUNTIME(_Py_SINGLETON(strings).ascii[code])
#define FF_LATIN1_CHAR(code) FF_OF_RUNTIME(_Py_SINGLETON(strings).latin1[(code)-128])
#define FF_EMPTY_STR FF_OF_RUNTIME(_Py_STR(empty))
#define FF_EMPTY_BYTES FF_OF_RUNTIME(_Py_SINGLETON(bytes_empty))
#define FF_BYTES_CHAR(code) FF_OF_RUNTIME(_Py_SINGLETON(bytes_characters)[code])
#define FF_EMPTY_TUPLE FF_OF_RUNTIME(_Py_SINGLETON(tuple_empty))
#endif

/* ---- objects ----------------------------------------------------------------------------------------------------- */

/* str of ASCII text, and of other text: Include/cpython/unicodeobject.h. */
#define FF_ASCII_TYPE(length) \
    struct { \
        PyASCIIObject object; \
        char data[(length) + 1]; \
    }
#define FF_TEXT_TYPE(length, unit) \
    struct { \
        PyCompactUnicodeObject object; \
        unit data[(length) + 1]; \
    }

/* bytes: Include/cpython/bytesobject.h. */
#define FF_BYTES_TYPE(size) \
    struct { \
        PyObject_VAR_HEAD \
        Py_hash_t ob_shash; \
        char data[(size) + 1]; \
    }
#define FF_BYTES(size, text) {.ob_base = FF_VAR_OBJECT(PyBytes_Type, size), .ob_shash = -1, .data = text}
FF_LAYOUT_ASSERT(offsetof(PyBytesObject, ob_sval) == offsetof(FF_BYTES_TYPE(1), data));

/* float and complex, as bit patterns: Include/cpython/floatobject.h, complexobject.h. */
#define FF_FLOAT_TYPE \
    struct { \
        PyObject ob_base; \
        uint64_t bits; \
    }
#define FF_FLOAT(bits_) {.ob_base = FF_OBJECT(PyFloat_Type), .bits = (bits_)}
FF_LAYOUT_ASSERT(sizeof(PyFloatObject) == sizeof(FF_FLOAT_TYPE));
#define FF_COMPLEX_TYPE \
    struct { \
        PyObject ob_base; \
        uint64_t real, imag; \
    }
#define FF_COMPLEX(real_, imag_) {.ob_base = FF_OBJECT(PyComplex_Type), .real = (real_), .imag = (imag_)}
FF_LAYOUT_ASSERT(sizeof(PyComplexObject) == sizeof(FF_COMPLEX_TYPE));

/* tuple, behind the collector's head (untracked: both words 0): Include/cpython/tupleobject.h. */
#define FF_TUPLE_TYPE(size) \
    struct { \
        PyGC_Head gc; \
        struct { \
            PyObject_VAR_HEAD \
            PyObject *items[size]; \
        } object; \
    }
#define FF_TUPLE(size, ...) {.object = {.ob_base = FF_VAR_OBJECT(PyTuple_Type, size), .items = __VA_ARGS__}}

/* code: Include/cpython/code.h, _PyCode_DEF (3.11 and later). */
#if FF_CODE_FORM >= 311
#define FF_CODE_TYPE(units) struct _PyCode_DEF((units) * sizeof(_Py_CODEUNIT))
#define FF_CODE_POINTERS(X) \
    X(co_consts) X(co_names) X(co_exceptiontable) X(co_localsplusnames) X(co_localspluskinds) X(co_filename) X(co_name) \
    X(co_qualname) X(co_linetable)
#endif

#endif
