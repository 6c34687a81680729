/* Whether namespaces (of modules, of classes) are as they were: the same values under the same names, in the same bases, and no
 * names besides; and functions that do what they did. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

/* A name, and what stood under it: NULL where that does not matter. */
struct ff_binding {
    PyObject *name, *value;
};

enum { CHOSEN, EACH_BUT_DUNDER, EACH }; /* those of a module, of a class */

struct ff_namespace {
    PyObject *dict;
    PyTypeObject *type;  /* the class, or NULL */
    PyObject *mro;       /* of the class */
    size_t first, count; /* of its bindings: in the order of the dictionary, unless only some were chosen */
    int extent;          /* which names count, also those that are added */
    int is_watched;      /* changes of the dictionary are counted */
    uint64_t version;    /* of the dictionary when it was compared, 0: it has none */
};

#if FF_HAS_DICT_WATCHERS
static uint64_t changes = 1; /* of dictionaries that are watched, all together */

static int count_change(PyDict_WatchEvent Py_UNUSED(event), PyObject *Py_UNUSED(dict), PyObject *Py_UNUSED(key), PyObject *Py_UNUSED(value))
{
    changes++;
    return 0;
}

static int watcher = -1; /* the number of ours */

/* Takes the last watcher that is free, so that others have the numbers that they would have without us. */
static void find_watcher(void)
{
    int free[DICT_MAX_WATCHERS], count = 0;
    while (count < DICT_MAX_WATCHERS && (free[count] = PyDict_AddWatcher(count_change)) >= 0) {
        count++;
    }
    for (int i = 0; i + 1 < count; i++) {
        (void)PyDict_ClearWatcher(free[i]);
    }
    watcher = count == 0 ? -1 : free[count - 1];
    PyErr_Clear();
}

/* Has changes of a dictionary counted. 0: all watchers of the interpreter are in use. */
static int watch(PyObject *dict)
{
    static int is_asked;
    if (!is_asked) {
        is_asked = 1;
        find_watcher();
    }
    if (watcher >= 0 && PyDict_Watch(watcher, dict) == 0) {
        return 1;
    }
    PyErr_Clear();
    return 0;
}

/* Whether that is still so: watchers go by numbers, of which anyone may clear any. */
static int is_watched(PyObject *dict)
{
    return _PyRuntime.interpreters.main->dict_state.watchers[watcher] == count_change &&
           (((PyDictObject *)dict)->_ma_watcher_tag & (UINT64_C(1) << watcher)) != 0;
}
#else
static int watch(PyObject *dict)
{
    (void)dict;
    return 0;
}
#endif

/* A number that is another one whenever the dictionary was changed, or 0. Versions of types are no substitute: 3.10 hands them
 * out again after sys._clear_type_cache() (Objects/typeobject.c, PyType_ClearCache()). */
static uint64_t version_of(const ff_namespace *namespace)
{
#if FF_HAS_DICT_VERSION
    return ((PyDictObject *)namespace->dict)->ma_version_tag;
#elif FF_HAS_DICT_WATCHERS
    return namespace->type != NULL ? namespace->type->tp_version_tag : namespace->is_watched && is_watched(namespace->dict) ? changes : 0;
#else
    return namespace->type == NULL ? 0 : namespace->type->tp_version_tag;
#endif
}

/* Looking something up in a class gives it a version, if there are any left. */
static void renew_version(const ff_memory *memory, ff_namespace *namespace)
{
#if !FF_HAS_DICT_VERSION
    if (namespace->type != NULL && namespace->count > 0) {
        (void)_PyType_Lookup(namespace->type, memory->bindings[namespace->first].name);
    }
#else
    (void)memory;
#endif
    namespace->version = version_of(namespace);
}

/* Names of the interpreter's own, such as __spec__, of which the functions of a module do not make use. */
static int is_dunder(PyObject *name)
{
    return PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) > 2 && PyUnicode_READ_CHAR(name, 0) == '_' &&
           PyUnicode_READ_CHAR(name, 1) == '_';
}

/* Names that a class gets when somebody reads its annotations (Objects/typeobject.c, type_get_annotations(), and of 3.14
 * type_get_annotate()). */
static int is_of_annotations(PyObject *name)
{
    static const char *const names[] = {"__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (PyUnicode_Check(name) && (size_t)PyUnicode_GET_LENGTH(name) == strlen(names[i]) &&
            PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether it makes a difference what is under a name of a whole namespace. */
static int counts(int extent, PyObject *name)
{
    return !(extent == EACH ? is_of_annotations(name) : is_dunder(name));
}

/* ---- remembering ---- */

/* Whether somebody put something callable that is neither a function nor a class into the place of one. */
static int is_odd_callable(PyObject *value)
{
    return PyCallable_Check(value) && !PyType_Check(value) && !PyFunction_Check(value) && !PyCFunction_Check(value) &&
           !Py_IS_TYPE(value, &PyMethodDescr_Type) && !Py_IS_TYPE(value, &PyStaticMethod_Type);
}

static int add_binding(ff_memory *memory, PyObject *name, PyObject *value, const char *filename)
{
    ff_binding *bindings = ff_make_room(memory->bindings, memory->binding_count, sizeof(ff_binding));
    if (bindings == NULL) {
        return -1;
    }
    memory->bindings = bindings;
    memory->bindings[memory->binding_count++] = (ff_binding){Py_NewRef(name), Py_XNewRef(value)};
    if (value == NULL) {
        return 0;
    }
    if (filename != NULL && is_odd_callable(value)) {
        memory->is_foreign = 1;
    }
    return ff_remember_functions(memory, value, filename);
}

/* Adds a namespace with the bindings that were added since there were `first`. */
static int add_namespace(ff_memory *memory, PyObject *dict, PyTypeObject *type, int extent, size_t first)
{
    ff_namespace *namespaces = ff_make_room(memory->namespaces, memory->namespace_count, sizeof(ff_namespace));
    if (namespaces == NULL) {
        return -1;
    }
    memory->namespaces = namespaces;
    ff_namespace *added = &memory->namespaces[memory->namespace_count++];
    *added = (ff_namespace){Py_NewRef(dict), type, type == NULL ? NULL : Py_NewRef(type->tp_mro), first,
                            memory->binding_count - first, extent, type == NULL && watch(dict), 0};
    renew_version(memory, added);
    return 0;
}

/* Remembers all that a class holds itself. */
static int remember_type(ff_memory *memory, PyTypeObject *type, const char *filename)
{
    PyObject *name, *value;
    size_t first = memory->binding_count;
    for (Py_ssize_t position = 0; PyDict_Next(type->tp_dict, &position, &name, &value);) {
        if (add_binding(memory, name, counts(EACH, name) ? value : NULL, filename) < 0) {
            return -1;
        }
    }
    return add_namespace(memory, type->tp_dict, type, EACH, first);
}

static int is_class_remembered(const ff_memory *memory, const PyTypeObject *type)
{
    for (size_t i = 0; i < memory->namespace_count; i++) {
        if (memory->namespaces[i].type == type) {
            return 1;
        }
    }
    return 0;
}

/* Remembers a class with its bases, as far as Python code can change them. `filename`: how the co_filename of its original functions
 * begins, or NULL. -1 with an exception. */
int ff_remember_class(ff_memory *memory, PyTypeObject *class, const char *filename)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(class->tp_mro); i++) {
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(class->tp_mro, i);
        if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && !is_class_remembered(memory, type) &&
            remember_type(memory, type, filename) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Remembers all that a module holds, and what its lists and sets do. -1 with an exception. */
int ff_remember_module(ff_memory *memory, PyObject *dict, const char *filename)
{
    PyObject *name, *value;
    size_t first = memory->binding_count;
    for (Py_ssize_t position = 0; PyDict_Next(dict, &position, &name, &value);) {
        int is_counted = counts(EACH_BUT_DUNDER, name);
        if (add_binding(memory, name, is_counted ? value : NULL, filename) < 0 ||
            (is_counted && !PyDict_CheckExact(value) && ff_remember_container(memory, value) < 0)) {
            return -1;
        }
    }
    return add_namespace(memory, dict, NULL, EACH_BUT_DUNDER, first);
}

/* Remembers the classes and dictionaries in a module. -1 with an exception. */
int ff_remember_contents(ff_memory *memory, PyObject *dict)
{
    PyObject *name, *value;
    for (Py_ssize_t position = 0; PyDict_Next(dict, &position, &name, &value);) {
        int status = is_dunder(name)            ? 0
                     : PyDict_CheckExact(value) ? ff_remember_container(memory, value)
                     : PyType_Check(value)      ? ff_remember_class(memory, (PyTypeObject *)value, NULL)
                                                : 0;
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* Remembers those values of a module whose names are in `names` (with a space between them), as far as there are such. -1 with an
 * exception. */
int ff_remember_names(ff_memory *memory, PyObject *dict, const char *names)
{
    size_t first = memory->binding_count;
    for (size_t length; (length = strcspn(names, " ")) > 0; names += length, names += strspn(names, " ")) {
        PyObject *name = PyUnicode_FromStringAndSize(names, (Py_ssize_t)length);
        if (name != NULL) {
            PyUnicode_InternInPlace(&name);
        }
        PyObject *value = name == NULL ? NULL : PyDict_GetItemWithError(dict, name);
        int status = value != NULL ? add_binding(memory, name, value, NULL) : PyErr_Occurred() ? -1 : 0;
        Py_XDECREF(name);
        if (status < 0) {
            return -1;
        }
    }
    return add_namespace(memory, dict, NULL, CHOSEN, first);
}

/* The same for the built-in functions and classes of those names; somebody's own in their places are foreign. -1 with an
 * exception. */
int ff_remember_builtins(ff_memory *memory, const char *names)
{
    size_t first = memory->binding_count;
    int status = ff_remember_names(memory, PyInterpreterState_Get()->builtins, names);
    for (size_t i = first; status == 0 && i < memory->binding_count; i++) {
        memory->is_foreign |= PyFunction_Check(memory->bindings[i].value) || is_odd_callable(memory->bindings[i].value);
    }
    return status;
}

/* ---- comparing ---- */

/* Whether a dictionary has what was remembered in the same order, as it does unless somebody changed it. */
static int is_in_order(const ff_namespace *namespace, const ff_binding *bindings)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    for (size_t i = 0; i < namespace->count; i++) {
        if (!PyDict_Next(namespace->dict, &position, &name, &value) || name != bindings[i].name ||
            (value != bindings[i].value && bindings[i].value != NULL)) {
            return 0;
        }
    }
    while (namespace->extent != CHOSEN && PyDict_Next(namespace->dict, &position, &name, &value)) {
        if (counts(namespace->extent, name)) {
            return 0;
        }
    }
    return 1;
}

/* How many names of it count that were not there. */
static size_t count_added(const ff_namespace *namespace, const ff_binding *bindings)
{
    PyObject *name, *value;
    size_t count = 0, known = 0;
    for (Py_ssize_t position = 0; PyDict_Next(namespace->dict, &position, &name, &value);) {
        count += counts(namespace->extent, name);
    }
    for (size_t i = 0; i < namespace->count; i++) {
        known += bindings[i].value != NULL;
    }
    return count - known;
}

static ff_answer hold_the_same(const ff_namespace *namespace, const ff_binding *bindings)
{
    if (is_in_order(namespace, bindings)) {
        return FF_YES;
    }
    for (size_t i = 0; i < namespace->count; i++) {
        PyObject *value = bindings[i].value;
        if (value != NULL && PyDict_GetItemWithError(namespace->dict, bindings[i].name) != value) {
            return ff_forgive(FF_NO);
        }
    }
    return namespace->extent == CHOSEN || count_added(namespace, bindings) == 0 ? FF_YES : FF_NO;
}

static ff_answer are_namespaces_unmodified(const ff_memory *memory)
{
    for (size_t i = 0; i < memory->namespace_count; i++) {
        ff_namespace *each = &memory->namespaces[i];
        if (each->type != NULL && each->type->tp_mro != each->mro) {
            return FF_NO;
        }
        if (each->version != 0 && each->version == version_of(each)) {
            continue;
        }
        ff_answer is_same = hold_the_same(each, &memory->bindings[each->first]);
        if (is_same != FF_YES) {
            return is_same;
        }
        renew_version(memory, each);
    }
    return FF_YES;
}

/* Whether all that was remembered is as it was; FF_NO before anything was. */
ff_answer ff_is_unmodified(ff_memory *memory)
{
    if (memory->is_foreign || memory->namespace_count == 0) {
        return FF_NO;
    }
    ff_answer answer = are_namespaces_unmodified(memory);
    answer = answer == FF_YES ? ff_are_functions_unmodified(memory) : answer;
    return answer == FF_YES ? ff_are_containers_unmodified(memory) : answer;
}
