/* What layouts have in common. Included by a layout file after its facts and the target's headers. Objects are written with
 * FF_X_TYPE(size), the struct, and FF_X(...), its initialiser; where versions differ in more than one file, the difference
 * is here. */
#ifndef FF_LAYOUT_COMMON_H
#define FF_LAYOUT_COMMON_H

/* ---- whether the headers are what the layout was written for -------------------------------------------------------- */
#define FF_LAYOUT_ASSERT(condition) _Static_assert(condition, "flashfreeze layout " FF_SERIES ": " #condition)
FF_LAYOUT_ASSERT(PYLONG_BITS_IN_DIGIT == 30);
FF_LAYOUT_ASSERT(sizeof(double) == 8);
FF_LAYOUT_ASSERT(_PY_NSMALLNEGINTS == -(FF_SMALL_INT_MIN));
FF_LAYOUT_ASSERT(_PY_NSMALLPOSINTS == FF_SMALL_INT_MAX + 1);
#ifdef FF_RESUME
FF_LAYOUT_ASSERT(RESUME == FF_RESUME);
#endif
#if defined(Py_GIL_DISABLED)
#error "flashfreeze layout: a free-threaded CPython cannot have static code objects"
#endif
#if defined(Py_DEBUG) || defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
#error \
    "flashfreeze layout: a debug build of CPython cannot have static code objects: it checks that static strings are its own, and counts references to them"
#endif

/* ---- what the runtime relies on ------------------------------------------------------------------------------------ */
/* A layout file defines these once the files of CPython that it names have been compared. Until then a version gets the
 * defaults here, which are safe. docs/new-cpython.md lists what to compare for each. */

/* Who can watch an import: 310, 312 as in these versions; 0: unknown, so that every import counts as watched, and nothing
 * is served (observers.c). */
#ifndef FF_OBSERVERS
#define FF_OBSERVERS 0
#endif
/* How many tables of frozen modules the interpreter has: 1 or 3; 0: unknown, so that none gets images (linked/frozen.c). */
#ifndef FF_FROZEN_TABLES
#define FF_FROZEN_TABLES 0
#endif
/* Whether rows of these tables hand out CPython's own static code. */
#ifndef FF_HAS_DEEPFREEZE
#define FF_HAS_DEEPFREEZE 0
#endif
/* Whether sys._stdlib_dir names the standard library's directory; else it is guessed from sys.path (sources.c). */
#ifndef FF_HAS_STDLIB_DIR
#define FF_HAS_STDLIB_DIR 0
#endif
/* Whether getpath sets sys.prefix to that of a virtual environment; else `site` does (moved-python.c). */
#ifndef FF_PREFIX_OF_ENVIRONMENT
#define FF_PREFIX_OF_ENVIRONMENT 0
#endif
/* Whether a count of new objects starts the garbage collector; else --rest-collector does nothing (collector.c). */
#ifndef FF_HAS_GC_THRESHOLD
#define FF_HAS_GC_THRESHOLD 0
#endif
/* Whether an exception is one object; else it is the three of PyErr_Fetch(), deprecated since 3.12 (flashfreeze.h). */
#ifndef FF_HAS_RAISED_EXCEPTION
#define FF_HAS_RAISED_EXCEPTION 0
#endif
/* Whether an exception that is handled is three objects, else one (flashfreeze.h). */
#ifndef FF_HANDLES_THREE_PARTS
#define FF_HANDLES_THREE_PARTS 0
#endif
/* Whether import.c may take the place of importlib's _find_and_load(); else importlib does the work itself. */
#ifndef FF_REPLACES_IMPORT
#define FF_REPLACES_IMPORT 0
#endif
/* Whether importlib loads a submodule while another thread loads its parent; else the original decides (import-parent.c). */
#ifndef FF_IGNORES_LOADING_PARENT
#define FF_IGNORES_LOADING_PARENT 0
#endif
/* Whether importlib passes over a finder without find_spec(); else the original decides (import-search.c). */
#ifndef FF_REQUIRES_FIND_SPEC
#define FF_REQUIRES_FIND_SPEC 0
#endif
/* Whether _find_spec() goes along a copy of sys.meta_path; else along the list itself (import-search.c). */
#ifndef FF_COPIES_META_PATH
#define FF_COPIES_META_PATH 0
#endif
/* Whether PathFinder looks into entries of the path that are bytes; else it passes over them (import-path.c). */
#ifndef FF_SEARCHES_BYTES
#define FF_SEARCHES_BYTES 0
#endif
/* Whether importlib loads a submodule under the locks of those of its parents, too, that are not loaded or still being loaded
 * (import-chain.c). */
#ifndef FF_LOCKS_PARENTS
#define FF_LOCKS_PARENTS 0
#endif
/* Whether importlib tells _imp._set_lazy_attributes() of each module that it has loaded, and submodules can wait to be imported
 * (import-lazy.c, import-parent.c). */
#ifndef FF_HAS_LAZY_IMPORTS
#define FF_HAS_LAZY_IMPORTS 0
#endif
/* How many lines with code that takes, between the warning of a module that cannot become an attribute of its parent and `return module`
 * (import-warning.c). */
#ifndef FF_LINES_OF_LAZY_IMPORTS
#define FF_LINES_OF_LAZY_IMPORTS 0
#endif
/* Whether importlib itself raises the audit event of an import, by sys.audit() (dependencies.c). */
#ifndef FF_AUDITS_IN_PYTHON
#define FF_AUDITS_IN_PYTHON 0
#endif
/* Whether modules have no __cached__ (import-load.c, file-specs.c). */
#ifndef FF_OMITS_CACHED
#define FF_OMITS_CACHED 0
#endif
/* Whether the class of a namespace package's __path__ is NamespacePath; else it is _NamespacePath (import-path.c). */
#ifndef FF_NAMES_NAMESPACE_PATH
#define FF_NAMES_NAMESPACE_PATH 0
#endif
/* Whether dictionaries have a version; else what they hold is compared each time (namespaces.c). */
#ifndef FF_HAS_DICT_VERSION
#define FF_HAS_DICT_VERSION 0
#endif
/* Whether changes of dictionaries can be watched, where these have no version (namespaces.c). */
#ifndef FF_HAS_DICT_WATCHERS
#define FF_HAS_DICT_WATCHERS 0
#endif
/* Whether functions have a version that no changed function has again; else their code is compared each time (namespaces.c). */
#ifndef FF_HAS_FUNCTION_VERSION
#define FF_HAS_FUNCTION_VERSION 0
#endif
/* Which version's state a snapshot keeps: 310 to 313 as in these versions; 0: unknown, so that no snapshots are made
 * (hosts/snapshot/snapshot-host.ts). */
#ifndef FF_SNAPSHOT_STATE
#define FF_SNAPSHOT_STATE 0
#endif
/* How nested calls are counted: 310, 311, 312 as in these versions; 0: unknown, so that imports do not count their frames
 * (import-frames.c). */
#ifndef FF_COUNTS_RECURSION
#define FF_COUNTS_RECURSION 0
#endif
/* Whether the data of an interpreter has code objects of the modules that CPython freezes itself (start-pages.c). */
#ifndef FF_HAS_DEEP_FROZEN
#define FF_HAS_DEEP_FROZEN 0
#endif
/* The modules that compile regular expressions: the one whose compile() does it, the one whose parse() it calls, and what
 * else both depend on. Not defined: regular expressions are compiled as always (expression-calls.c). */
#ifdef FF_RE_MODULES
#define FF_REPLACES_RE_COMPILE 1
#else
#define FF_REPLACES_RE_COMPILE 0
#endif
/* Whether a call of a function is evaluated in place whenever its type is exactly that of functions. */
#ifndef FF_INLINES_FUNCTIONS
#define FF_INLINES_FUNCTIONS 0
#endif
/* Whether PyFunction_SetVectorcall() changes how a function is called; else its field does. */
#ifndef FF_HAS_SET_VECTORCALL
#define FF_HAS_SET_VECTORCALL 0
#endif
/* Whether snippet-calls.c may take the place of compile(), eval() and exec(); else these compile every text. */
#ifndef FF_REPLACES_COMPILE
#define FF_REPLACES_COMPILE 0
#endif
/* Whether eval() and exec() of a text say in FF_UNHANDLED_INTERRUPT whether an interrupt ended it; else the printing of an
 * exception says that, and these leave it alone. */
#ifdef FF_UNHANDLED_INTERRUPT
#define FF_NOTES_INTERRUPTS 1
#else
#define FF_NOTES_INTERRUPTS 0
#endif

/* ---- pointers ---------------------------------------------------------------------------------------------------- */
/* In the absolute model they are link-time constants. In the position-independent one, a word says in its lowest bits what it stands
 * for until src/runtime/relocate.c puts the pointer there: an offset in a part of the image (flashfreeze.h), an offset in _PyRuntime, or
 * the index of a constant of the interpreter. All objects have addresses that are multiples of eight. */
#ifdef FF_POSITION_INDEPENDENT
#define FF_TAGS 7
#define FF_TAG_RUNTIME 4
#define FF_TAG_CONSTANT 5
#define FF_TYPE(type) NULL
#define FF_OF_RUNTIME(object) ((PyObject *)((char *)&(object) - (char *)&_PyRuntime + FF_TAG_RUNTIME))
#define FF_CONSTANT(index) ((PyObject *)((uintptr_t)(index) * (FF_TAGS + 1) + FF_TAG_CONSTANT))
#define FF_NONE FF_CONSTANT(FF_CONSTANT_NONE)
#define FF_TRUE FF_CONSTANT(FF_CONSTANT_TRUE)
#define FF_FALSE FF_CONSTANT(FF_CONSTANT_FALSE)
#define FF_ELLIPSIS FF_CONSTANT(FF_CONSTANT_ELLIPSIS)
enum { FF_CONSTANT_NONE, FF_CONSTANT_TRUE, FF_CONSTANT_FALSE, FF_CONSTANT_ELLIPSIS, FF_CONSTANT_COUNT };
#else
#define FF_TYPE(type) (&type)
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

/* ---- heads of objects -------------------------------------------------------------------------------------------- */
#if PY_VERSION_HEX >= 0x030d0000
#define FF_OBJECT(type) _PyObject_HEAD_INIT(FF_TYPE(type))
#define FF_VAR_OBJECT(type, size) _PyVarObject_HEAD_INIT(FF_TYPE(type), size)
#else
#if PY_VERSION_HEX >= 0x030c0000
#define FF_REFCOUNT _Py_IMMORTAL_REFCNT
#else
/* Before 3.12 no object is immortal: the reference count is so high that it never reaches 0, as in CPython's own static
 * code. */
#define FF_REFCOUNT 999999999
#endif
#define FF_OBJECT(type) {_PyObject_EXTRA_INIT .ob_refcnt = FF_REFCOUNT, .ob_type = FF_TYPE(type)}
#define FF_VAR_OBJECT(type, size) {.ob_base = FF_OBJECT(type), .ob_size = (size)}
#endif

/* ---- str: Include/cpython/unicodeobject.h ------------------------------------------------------------------------ */
/* Of ASCII text, and of other text, where `self` is the variable's own name. */
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
#define FF_ASCII(length_, text) \
    { \
        .object = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                   .state = {.kind = 1, .compact = 1, .ascii = 1, FF_STR_STATE}}, \
        .data = text \
    }
#define FF_TEXT(self, length_, kind_, ...) \
    { \
        .object = {._base = {.ob_base = FF_OBJECT(PyUnicode_Type), .length = (length_), .hash = -1, \
                             .state = {.kind = (kind_), .compact = 1, .ascii = 0, FF_STR_STATE}, \
                             FF_WSTR(self, kind_)}, \
                   FF_WSTR_LENGTH(length_, kind_)}, \
        .data = __VA_ARGS__ \
    }

/* Up to 3.11 the data is the text as wchar_t, too, where a unit is as wide as that (Objects/unicodeobject.c,
 * PyUnicode_New()). */
#if PY_VERSION_HEX >= 0x030c0000
#ifndef FF_STR_STATE
#define FF_STR_STATE .statically_allocated = 1
#endif
#define FF_WSTR(self, kind)
#define FF_WSTR_LENGTH(length, kind)
#else
#define FF_STR_STATE .ready = 1
#ifdef FF_POSITION_INDEPENDENT
#define FF_WSTR(self, kind)
#else
#define FF_WSTR(self, kind) .wstr = (kind) == sizeof(wchar_t) ? (wchar_t *)self.data : NULL
#endif
#define FF_WSTR_LENGTH(length, kind) .wstr_length = (kind) == sizeof(wchar_t) ? (length) : 0
#endif
/* Completes a str, which is going to lie at `place`. */
static inline void ff_complete_str(PyObject *str, char *place)
{
#if PY_VERSION_HEX < 0x030c0000
    if (!PyUnicode_IS_ASCII(str) && PyUnicode_KIND(str) == sizeof(wchar_t)) {
        ((PyASCIIObject *)str)->wstr = (wchar_t *)((PyCompactUnicodeObject *)place + 1);
    }
#else
    (void)str;
    (void)place;
#endif
}

/* ---- int: Include/cpython/longintrepr.h (3.10: longintrepr.h); sign is -1 or 1 ----------------------------------------- */
#if PY_VERSION_HEX >= 0x030c0000
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
FF_LAYOUT_ASSERT(offsetof(PyLongObject, long_value.lv_tag) == offsetof(FF_INT_TYPE(1), lv_tag));
FF_LAYOUT_ASSERT(offsetof(PyLongObject, long_value.ob_digit) == offsetof(FF_INT_TYPE(1), ob_digit));
#else
#define FF_INT_TYPE(digits) \
    struct { \
        PyObject_VAR_HEAD \
        digit ob_digit[digits]; \
    }
#define FF_INT(sign, digits, ...) {.ob_base = FF_VAR_OBJECT(PyLong_Type, (sign) * (digits)), .ob_digit = __VA_ARGS__}
FF_LAYOUT_ASSERT(offsetof(PyLongObject, ob_digit) == offsetof(FF_INT_TYPE(1), ob_digit));
#endif

/* ---- bytes: Include/cpython/bytesobject.h ------------------------------------------------------------------------ */
#define FF_BYTES_TYPE(size) \
    struct { \
        PyObject_VAR_HEAD \
        Py_hash_t ob_shash; \
        char data[(size) + 1]; \
    }
#define FF_BYTES(size, text) {.ob_base = FF_VAR_OBJECT(PyBytes_Type, size), .ob_shash = -1, .data = text}
FF_LAYOUT_ASSERT(offsetof(PyBytesObject, ob_sval) == offsetof(FF_BYTES_TYPE(1), data));

/* ---- float and complex, as bit patterns: Include/cpython/floatobject.h, complexobject.h ------------------------------ */
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

/* ---- tuple, behind the collector's head (untracked: both words 0): Include/cpython/tupleobject.h ----------------------- */
#if PY_VERSION_HEX >= 0x030e0000
#define FF_TUPLE_HEAD PyObject_VAR_HEAD Py_hash_t ob_hash;
#define FF_TUPLE_HASH .ob_hash = -1, /* not computed yet */
#else
#define FF_TUPLE_HEAD PyObject_VAR_HEAD
#define FF_TUPLE_HASH
#endif
#define FF_TUPLE_TYPE(size) \
    struct { \
        PyGC_Head gc; \
        struct { \
            FF_TUPLE_HEAD \
            PyObject *items[size]; \
        } object; \
    }
#define FF_TUPLE(size, ...) {.object = {.ob_base = FF_VAR_OBJECT(PyTuple_Type, size), FF_TUPLE_HASH .items = __VA_ARGS__}}
FF_LAYOUT_ASSERT(offsetof(FF_TUPLE_TYPE(1), object) == sizeof(PyGC_Head));
FF_LAYOUT_ASSERT(offsetof(FF_TUPLE_TYPE(1), object.items) == sizeof(PyGC_Head) + offsetof(PyTupleObject, ob_item));

/* ---- code: Include/cpython/code.h, _PyCode_DEF; derived values as in Objects/codeobject.c, init_code() ----------------- */
#if PY_VERSION_HEX >= 0x030b0000
/* Bytecode is written as a string that leaves no room for a NUL. */
#if defined(__GNUC__) && __GNUC__ >= 15
#pragma GCC diagnostic ignored "-Wunterminated-string-initialization"
#endif
#define FF_CODE_TYPE(units) struct _PyCode_DEF((units) * sizeof(_Py_CODEUNIT))
#define FF_CODE_POINTERS(X) \
    X(co_consts) X(co_names) X(co_exceptiontable) X(co_localsplusnames) X(co_localspluskinds) X(co_filename) X(co_name) \
    X(co_qualname) X(co_linetable)
#define FF_CODE(units, consts, names, exceptiontable, flags, argcount, posonlyargcount, kwonlyargcount, stacksize, \
                firstlineno, nlocalsplus, nlocals, nplaincellvars, ncellvars, nfreevars, localsplusnames, \
                localspluskinds, filename, name, qualname, linetable, firsttraceable, bytecode) \
    { \
        .ob_base = FF_VAR_OBJECT(PyCode_Type, units), .co_consts = consts, .co_names = names, \
        .co_exceptiontable = exceptiontable, .co_flags = flags, .co_argcount = argcount, \
        .co_posonlyargcount = posonlyargcount, .co_kwonlyargcount = kwonlyargcount, .co_stacksize = stacksize, \
        .co_firstlineno = firstlineno, .co_nlocalsplus = nlocalsplus, .co_nlocals = nlocals, \
        FF_CODE_DERIVED(nlocalsplus, stacksize, nplaincellvars), .co_ncellvars = ncellvars, .co_nfreevars = nfreevars, \
        .co_localsplusnames = localsplusnames, .co_localspluskinds = localspluskinds, .co_filename = filename, \
        .co_name = name, .co_qualname = qualname, .co_linetable = linetable, ._co_firsttraceable = firsttraceable, \
        .co_code_adaptive = bytecode \
    }
FF_LAYOUT_ASSERT(offsetof(PyCodeObject, co_code_adaptive) == offsetof(FF_CODE_TYPE(1), co_code_adaptive));
#endif
#if PY_VERSION_HEX >= 0x030c0000
#define FF_CODE_DERIVED(nlocalsplus, stacksize, nplaincellvars) \
    .co_framesize = (nlocalsplus) + (stacksize) + FRAME_SPECIALS_SIZE
#endif

/* ---- what an image needs done when it is first used --------------------------------------------------------------- */

/* ff_intern() makes *slot the interned string of its text; the slot owns a reference. */
#if PY_VERSION_HEX >= 0x030d0000
static inline void ff_intern(PyObject **slot)
{
    _PyUnicode_InternImmortal(PyInterpreterState_Get(), slot);
}
#elif PY_VERSION_HEX < 0x030c0000
static inline void ff_intern(PyObject **slot)
{
    PyUnicode_InternInPlace(slot);
}
#endif

/* ff_reserve_versions() reserves function versions in a row and gives the first, or 0 (functions of this code are not
 * specialised) when there are too few left: Objects/codeobject.c, init_code(). */
#if PY_VERSION_HEX >= 0x030d0000
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
#elif PY_VERSION_HEX < 0x030c0000
/* Code objects carry no version: functions get theirs when a call to them is specialised (3.11, Python/specialize.c). */
static inline uint32_t ff_reserve_versions(uint32_t count)
{
    (void)count;
    return 0;
}
#endif
#if PY_VERSION_HEX >= 0x030c0000
#define FF_SET_VERSION(code, version) ((code)->co_version = (version))
#else
#define FF_SET_VERSION(code, version) ((void)(code), (void)(version))
#endif

#endif
