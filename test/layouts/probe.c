/* One object of each kind, written by hand with the macros of a layout, in both address models. In the position-independent
 * one this is an extension module, `probe`, which hands them out for probe.py to look at.
 *
 * PROBE_BYTECODE is what the interpreter has for `def identity(argument): return argument`, PROBE_SIZE how many bytes. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
#define FF_REF(member) ((PyObject *)(offsetof(struct objects, member) | FF_WRITTEN))
#else
#define FF_REF(variable) ((PyObject *)&variable)
#endif

#if FF_CODE_FORM == 310
#define CODE \
    X(FF_CODE_TYPE, code, \
      FF_CODE(1, 0, 0, 1, 1, 67, 7, FF_REF(bytecode), FF_REF(consts.object), FF_REF(none.object), FF_REF(locals.object), \
              FF_REF(none.object), FF_REF(none.object), NULL, FF_REF(ascii), FF_REF(name), FF_REF(no_bytes)))
#else
#define CODE \
    X(FF_CODE_TYPE(PROBE_SIZE / 2), code, \
      FF_CODE(PROBE_SIZE / 2, FF_REF(consts.object), FF_EMPTY_TUPLE, FF_EMPTY_BYTES, 3, 1, 0, 0, 1, 7, 1, 1, 0, 0, 0, \
              FF_REF(locals.object), FF_BYTES_CHAR(0x26), FF_REF(ascii), FF_REF(name), FF_REF(name), FF_EMPTY_BYTES, 0, \
              PROBE_BYTECODE))
#endif

/* X(type, name, initialiser) of each, what is pointed at before what points at it. */
#define TEXTS \
    X(FF_ASCII_TYPE(10), ascii, FF_ASCII(10, "ascii text")) \
    X(FF_ASCII_TYPE(8), name, FF_ASCII(8, "identity")) \
    X(FF_ASCII_TYPE(8), argument, FF_ASCII(8, "argument")) \
    X(FF_TEXT_TYPE(4, Py_UCS1), latin, FF_TEXT(latin, 4, 1, "caf\351")) \
    X(FF_TEXT_TYPE(2, Py_UCS2), ucs2, FF_TEXT(ucs2, 2, 2, {0x20ac, 0x21})) \
    X(FF_TEXT_TYPE(2, Py_UCS4), ucs4, FF_TEXT(ucs4, 2, 4, {0x1f40d, 0x21}))
#define BYTES \
    X(FF_BYTES_TYPE(0), no_bytes, FF_BYTES(0, "")) \
    X(FF_BYTES_TYPE(3), bytes, FF_BYTES(3, "\000ab"))
#define INTS \
    X(FF_INT_TYPE(1), one_digit, FF_INT(1, 1, {1025u})) \
    X(FF_INT_TYPE(1), minus, FF_INT(-1, 1, {6u})) \
    X(FF_INT_TYPE(3), digits, FF_INT(-1, 3, {1u, 2u, 3u}))
#define FLOATS X(FF_FLOAT_TYPE, real, FF_FLOAT(0xc004000000000000u))
#define COMPLEXES X(FF_COMPLEX_TYPE, imaginary, FF_COMPLEX(0x8000000000000000u, 0x3ff8000000000000u))
#define TUPLES \
    X(FF_TUPLE_TYPE(0), none, FF_TUPLE(0, {})) \
    X(FF_TUPLE_TYPE(1), consts, FF_TUPLE(1, {FF_NONE})) \
    X(FF_TUPLE_TYPE(1), locals, FF_TUPLE(1, {FF_REF(argument)})) \
    X(FF_TUPLE_TYPE(6), tuple, \
      FF_TUPLE(6, {FF_NONE, FF_TRUE, FF_FALSE, FF_ELLIPSIS, FF_REF(ascii), FF_REF(consts.object)})) OWN
#if FF_STATIC_SINGLETONS
#define OWN \
    X(FF_TUPLE_TYPE(9), own, \
      FF_TUPLE(9, {FF_SMALL_INT(FF_SMALL_INT_MIN), FF_SMALL_INT(0), FF_SMALL_INT(FF_SMALL_INT_MAX), FF_ASCII_CHAR(97), \
                   FF_LATIN1_CHAR(233), FF_EMPTY_STR, FF_EMPTY_BYTES, FF_BYTES_CHAR(255), FF_EMPTY_TUPLE}))
#else
#define OWN
#endif
#if FF_CODE_FORM == 310
#define MORE_BYTES X(FF_BYTES_TYPE(PROBE_SIZE), bytecode, FF_BYTES(PROBE_SIZE, PROBE_BYTECODE))
#else
#define MORE_BYTES
#endif
#define ALL TEXTS BYTES MORE_BYTES INTS FLOATS COMPLEXES TUPLES CODE

#ifndef FF_POSITION_INDEPENDENT
#define X(type, name, ...) static type name = __VA_ARGS__;
ALL
#undef X
void probe(void (*visit)(void *));
void probe(void (*visit)(void *))
{
#define X(type, name, ...) visit(&name);
    ALL
#undef X
}
#else

struct objects {
    ff_state state;
#define X(type, name, ...) type name;
    ALL
#undef X
};

/* The parts of an image, of which two are empty here: src/codegen/blocks/parts.ts. */
static __attribute__((section("ff_written"))) struct objects module = {
#define X(type, name, ...) .name = __VA_ARGS__,
    ALL
#undef X
};

struct tables {
    ff_image image;
    ff_code codes[1];
    uint32_t objects[64];
};

#define TO(member) ((uint32_t)offsetof(struct tables, member))
#define TO_OBJECT(member) ((uint32_t)(offsetof(struct objects, member) | (uint32_t)FF_WRITTEN << FF_PART_SHIFT))
static struct tables tables = {
    .image = {.codes = TO(codes), .code_count = 1, .objects = TO(objects), .parts[FF_WRITTEN].size = sizeof(module)},
    .codes = {TO_OBJECT(code)},
#define X(type, name, ...) TO_OBJECT(name),
    .objects = {TEXTS 0, BYTES MORE_BYTES 0, INTS 0, FLOATS 0, COMPLEXES 0,
#undef X
#define X(type, name, ...) TO_OBJECT(name.object),
                TUPLES 0}
#undef X
};

/* All objects but the code object, by name. */
static PyObject *objects(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    PyObject *found = PyDict_New();
#define X(type, name, ...) \
    if (found == NULL || PyDict_SetItemString(found, #name, (PyObject *)&module.name) < 0) { \
        return NULL; \
    }
    TEXTS BYTES INTS FLOATS COMPLEXES
#undef X
#define X(type, name, ...) \
    if (PyDict_SetItemString(found, #name, (PyObject *)&module.name.object) < 0) { \
        return NULL; \
    }
    TUPLES
#undef X
    return found;
}

static PyObject *code(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    return Py_NewRef((PyObject *)&module.code);
}

/* Interns a string that the interpreter has interned already and one that it has not; returns what is in their places then. */
static PyObject *intern(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    PyObject **known = &module.locals.object.items[0], **unknown = &module.tuple.object.items[4];
    ff_intern(known);
    ff_intern(unknown);
    return PyTuple_Pack(2, *known, *unknown);
}

/* Gives the code a version; returns it and the first of a hundred that were reserved right after. */
static PyObject *versions(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    uint32_t version = ff_reserve_versions(1);
    FF_SET_VERSION((PyCodeObject *)&module.code, version);
    return Py_BuildValue("kk", (unsigned long)version, (unsigned long)ff_reserve_versions(100));
}

static PyMethodDef methods[] = {{"objects", objects, METH_NOARGS, NULL},
                                {"code", code, METH_NOARGS, NULL},
                                {"intern", intern, METH_NOARGS, NULL},
                                {"versions", versions, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "probe", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_probe(void);
PyMODINIT_FUNC PyInit_probe(void)
{
    /* No initialiser in C is a distance. */
    tables.image.parts[FF_WRITTEN].distance = (int32_t)((char *)&module - (char *)&tables.image.parts[FF_WRITTEN]);
    ff_relocate(&tables.image);
    return PyModule_Create(&definition);
}
#endif
