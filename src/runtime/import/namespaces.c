/* Whether namespaces (of modules, of classes) are as they were: the same values under the same names, in the same bases, and
 * functions with the same code. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

struct ff_namespace {
    PyObject *dict;
    PyTypeObject *type;  /* of a class's own dictionary, else NULL */
    PyObject *mro;       /* of the class */
    PyObject *contents;  /* what was remembered: values by their names */
    int is_whole;        /* other names count, too */
    uint64_t version;    /* of the dictionary when it was compared, 0: it has none */
    ff_namespace *next;
};

/* A function, and what decides what it does. */
struct ff_function {
    PyFunctionObject *function;
    PyObject *code, *defaults;
};

/* A number that is another one whenever the dictionary was changed, or 0. Versions of types are no substitute: 3.10 hands them
 * out again after sys._clear_type_cache() (Objects/typeobject.c, PyType_ClearCache()). */
static uint64_t version_of(const ff_namespace *namespace)
{
#if FF_HAS_DICT_VERSION
    return ((PyDictObject *)namespace->dict)->ma_version_tag;
#else
    return namespace->type == NULL ? 0 : namespace->type->tp_version_tag;
#endif
}

/* Looking something up in a class gives it a version, if there are any left. */
static void renew_version(ff_namespace *namespace)
{
#if !FF_HAS_DICT_VERSION
    if (namespace->type != NULL) {
        PyObject *name, *value;
        Py_ssize_t position = 0;
        if (PyDict_Next(namespace->contents, &position, &name, &value)) {
            (void)_PyType_Lookup(namespace->type, name);
        }
    }
#endif
    namespace->version = version_of(namespace);
}

/* ---- remembering ---- */

/* The function behind a value of a namespace (borrowed), or NULL. */
static PyObject *function_in(PyObject *value)
{
    if (PyFunction_Check(value)) {
        return value;
    }
    if (Py_IS_TYPE(value, &PyClassMethod_Type) || Py_IS_TYPE(value, &PyStaticMethod_Type)) {
        PyObject *function = PyObject_GetAttrString(value, "__func__");
        if (function == NULL) {
            PyErr_Clear();
            return NULL;
        }
        Py_DECREF(function); /* the value keeps it */
        return PyFunction_Check(function) ? function : NULL;
    }
    return NULL;
}

static int remember_function(ff_memory *memory, PyObject *object)
{
    if ((memory->count & (memory->count - 1)) == 0) { /* it is full: it has room for a power of two */
        size_t room = memory->count == 0 ? 1 : 2 * memory->count;
        ff_function *larger = PyMem_RawRealloc(memory->functions, room * sizeof(ff_function));
        if (larger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memory->functions = larger;
    }
    PyFunctionObject *function = (PyFunctionObject *)Py_NewRef(object);
    memory->functions[memory->count++] =
        (ff_function){function, Py_NewRef(function->func_code), Py_XNewRef(function->func_defaults)};
    return 0;
}

/* Whether a function is the original one, by its co_filename, which begins like that. */
static int is_original(PyObject *function, const char *filename)
{
    PyObject *own = ((PyCodeObject *)PyFunction_GET_CODE(function))->co_filename;
    size_t length = strlen(filename);
    return PyUnicode_IS_COMPACT_ASCII(own) && (size_t)PyUnicode_GET_LENGTH(own) >= length &&
           memcmp(PyUnicode_1BYTE_DATA(own), filename, length) == 0;
}

static int add_namespace(ff_memory *memory, ff_namespace added, const char *filename)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(added.contents, &position, &name, &value)) {
        PyObject *function = function_in(value);
        if (function == NULL) {
            continue;
        }
        if (filename != NULL && !is_original(function, filename)) {
            memory->is_foreign = 1;
        }
        if (remember_function(memory, function) < 0) {
            return -1;
        }
    }
    ff_namespace *kept = PyMem_RawMalloc(sizeof(ff_namespace));
    if (kept == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *kept = added;
    Py_INCREF(kept->dict);
    kept->next = memory->namespaces;
    memory->namespaces = kept;
    renew_version(kept);
    return 0;
}

/* Remembers a class with its bases; `object` stays as it is. `filename`: how the co_filename of its original functions begins.
 * -1 with an exception. */
int ff_remember_class(ff_memory *memory, PyTypeObject *type, const char *filename)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro) - 1; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i);
        PyObject *copy = PyDict_Copy(base->tp_dict);
        ff_namespace added = {base->tp_dict, base, Py_NewRef(base->tp_mro), copy, 1, 0, NULL};
        if (copy == NULL || add_namespace(memory, added, filename) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Remembers values of a module's namespace: those whose names are in `names` (with a space after each), as far as there are
 * such, or all. -1 with an exception. */
int ff_remember_names(ff_memory *memory, PyObject *dict, const char *names, const char *filename)
{
    PyObject *contents = names == NULL ? PyDict_Copy(dict) : PyDict_New();
    for (const char *rest = names; contents != NULL && rest != NULL && *rest != '\0';) {
        size_t length = strcspn(rest, " ");
        PyObject *name = PyUnicode_FromStringAndSize(rest, (Py_ssize_t)length);
        if (name != NULL) {
            PyUnicode_InternInPlace(&name);
        }
        PyObject *value = name == NULL ? NULL : PyDict_GetItemWithError(dict, name);
        int status = name == NULL || (value == NULL && PyErr_Occurred()) ? -1
                     : value == NULL                                     ? 0
                                                                         : PyDict_SetItem(contents, name, value);
        Py_XDECREF(name);
        if (status < 0) {
            Py_CLEAR(contents);
        }
        rest += length;
        rest += *rest == ' ';
    }
    ff_namespace added = {dict, NULL, NULL, contents, names == NULL, 0, NULL};
    return contents == NULL ? -1 : add_namespace(memory, added, filename);
}

/* ---- comparing ---- */

static ff_answer hold_the_same(const ff_namespace *namespace)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (namespace->is_whole && PyDict_GET_SIZE(namespace->contents) != PyDict_GET_SIZE(namespace->dict)) {
        return FF_NO;
    }
    while (PyDict_Next(namespace->contents, &position, &name, &value)) {
        if (PyDict_GetItemWithError(namespace->dict, name) != value) {
            return ff_forgive(FF_NO);
        }
    }
    return FF_YES;
}

/* Whether all that was remembered is as it was; FF_NO before anything was. */
ff_answer ff_is_unmodified(ff_memory *memory)
{
    if (memory->is_foreign || memory->namespaces == NULL) {
        return FF_NO;
    }
    for (ff_namespace *each = memory->namespaces; each != NULL; each = each->next) {
        if (each->type != NULL && each->type->tp_mro != each->mro) {
            return FF_NO;
        }
        if (each->version != 0 && each->version == version_of(each)) {
            continue;
        }
        ff_answer is_same = hold_the_same(each);
        if (is_same != FF_YES) {
            return is_same;
        }
        renew_version(each);
    }
    for (size_t i = 0; i < memory->count; i++) {
        const ff_function *each = &memory->functions[i];
        if (each->function->func_code != each->code || each->function->func_defaults != each->defaults) {
            return FF_NO;
        }
    }
    return FF_YES;
}

/* ---- instances ---- */

/* The dictionary of an instance whose attributes are exactly `count` ones under `names` (a new reference). FF_NO: it has
 * others, which may stand in front of methods of its class. */
ff_answer ff_read_instance(PyObject *instance, PyObject *const *names, Py_ssize_t count, PyObject **dict)
{
    *dict = PyObject_GenericGetDict(instance, NULL);
    if (*dict == NULL) {
        return ff_forgive(FF_NO);
    }
    ff_answer is_exact = PyDict_GET_SIZE(*dict) == count ? FF_YES : FF_NO;
    for (Py_ssize_t i = 0; is_exact == FF_YES && i < count; i++) {
        int is_there = PyDict_Contains(*dict, names[i]);
        is_exact = is_there < 0 ? ff_forgive(FF_NO) : is_there ? FF_YES : FF_NO;
    }
    if (is_exact != FF_YES) {
        Py_CLEAR(*dict);
    }
    return is_exact;
}
