/* What the layouts of CPython 3.11 to 3.13 have in common. Included by a layout file, after the target's headers and its
 * FF_OBJECT(type) and FF_VAR_OBJECT(type, size), the heads of a static object. */
#ifndef FF_LAYOUT_COMMON_H
#define FF_LAYOUT_COMMON_H

/* ---- well-known objects ---------------------------------------------------------------------------------------- */
#define FF_SMALL_INT(value) ((PyObject *)&_Py_SINGLETON(small_ints)[_PY_NSMALLNEGINTS + (value)])
#define FF_ASCII_CHAR(code) ((PyObject *)&_Py_SINGLETON(strings).ascii[code])
#define FF_LATIN1_CHAR(code) ((PyObject *)&_Py_SINGLETON(strings).latin1[(code)-128])
#define FF_EMPTY_STR ((PyObject *)&_Py_STR(empty))
#define FF_EMPTY_BYTES ((PyObject *)&_Py_SINGLETON(bytes_empty))
#define FF_BYTES_CHAR(code) ((PyObject *)&_Py_SINGLETON(bytes_characters)[code])
#define FF_EMPTY_TUPLE ((PyObject *)&_Py_SINGLETON(tuple_empty))

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

/* code: Include/cpython/code.h, _PyCode_DEF. */
#define FF_CODE_TYPE(units) struct _PyCode_DEF((units) * sizeof(_Py_CODEUNIT))

#endif
