/* Imports without importlib's Python code on the way.
 *
 * The interpreter calls importlib._bootstrap._find_and_load() for every module that is not in sys.modules. The function
 * here takes its place: it does the same for a frozen module that is found where it is expected, for a built-in one, and
 * for one that is nowhere. Everything else, including each case in which somebody could have changed what an import does,
 * is left to the original (Lib/importlib/_bootstrap.py: _find_and_load(), _find_and_load_unlocked()). */
#include FF_LAYOUT

#include "import.h"

#include <string.h>

#if PY_VERSION_HEX < 0x030f0000 /* 3.15 knows lazy imports, and locks the parents of a module, too */

ff_import_state ff_import;

/* A module that is being loaded here. importlib's lock of the module is made only when somebody asks for it. */
typedef struct loading {
    PyObject *name;
    unsigned long thread;
    PyObject *lock; /* owned, or NULL */
    struct loading *next;
} loading;
static loading *in_progress;

static PyObject *original_find_and_load;   /* importlib._bootstrap._find_and_load */
static PyObject *original_get_module_lock; /* importlib._bootstrap._get_module_lock */
static PyObject *module_locks;             /* importlib._bootstrap._module_locks */
static PyObject *bootstrap_globals;        /* the names of importlib._bootstrap */

/* ---- whether the machinery is the usual one ---- */

static int are_classes_usual(void)
{
    for (int i = 0; i < FF_CLASS_COUNT; i++) {
        unsigned int tag = ff_import.classes[i]->tp_version_tag;
        if (tag == 0 || tag != ff_import.version_tags[i]) {
            return 0;
        }
    }
    return 1;
}

/* Whether a function of importlib makes the import (importlib.import_module() leads to one): its frames show in the
 * traceback of an exception then, as those below them would, while an import statement hides them all. */
static int is_called_from_importlib(void)
{
    return PyEval_GetGlobals() == bootstrap_globals;
}

/* sys.modules when it is the dict that the interpreter goes by (borrowed), or NULL. */
static PyObject *usual_modules(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    return modules != NULL && PyDict_CheckExact(modules) && PySys_GetObject("modules") == modules ? modules : NULL;
}

static loading *find_loading(PyObject *name)
{
    for (loading *each = in_progress; each != NULL; each = each->next) {
        if (PyUnicode_Compare(each->name, name) == 0) {
            return each;
        }
    }
    return NULL;
}

/* ---- a module below a package ---- */

/* What a module's name says: its parent's name (empty at the top), its own last part, and what is known of the parent. */
typedef struct {
    PyObject *parent, *child;
    PyObject *path; /* the parent's __path__ */
    PyObject *spec; /* the parent's __spec__ */
} family;

static void clear_family(family *family)
{
    Py_CLEAR(family->parent);
    Py_CLEAR(family->child);
    Py_CLEAR(family->path);
    Py_CLEAR(family->spec);
}

static int import_parent(PyObject *import_function, PyObject *parent)
{
    PyObject *module = PyObject_CallOneArg(import_function, parent);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

#if PY_VERSION_HEX >= 0x030e0000
/* Whether this thread is loading the module. */
static int is_loaded_here(PyObject *name)
{
    const loading *found = find_loading(name);
    return found != NULL && found->thread == PyThread_get_thread_ident();
}
#endif

/* Imports the parent, if need be. FF_UNSURE also when that made the module itself appear. */
static ff_outcome meet_parent(PyObject *modules, PyObject *name, PyObject *import_function, family *family)
{
    if (PyDict_GetItemWithError(modules, family->parent) == NULL) {
        if (PyErr_Occurred() || import_parent(import_function, family->parent) < 0) {
            return FF_FAILED;
        }
    }
    PyObject *parent = Py_XNewRef(PyDict_GetItemWithError(modules, family->parent));
    if (parent == NULL || PyDict_Contains(modules, name) != 0) {
        Py_XDECREF(parent);
        return PyErr_Occurred() ? FF_FAILED : FF_UNSURE;
    }
    family->path = PyObject_GetAttr(parent, ff_import.names.__path__);
    family->spec = family->path == NULL ? NULL : PyObject_GetAttr(parent, ff_import.names.__spec__);
    Py_DECREF(parent);
    if (family->spec == NULL) {
        PyErr_Clear(); /* the original says what is wrong */
        return FF_UNSURE;
    }
#if PY_VERSION_HEX >= 0x030e0000
    PyObject *initializing = PyObject_GetAttr(family->spec, ff_import.names._initializing);
    PyErr_Clear();
    int is_initializing = initializing == Py_True;
    Py_XDECREF(initializing);
    if (is_initializing && !is_loaded_here(family->parent)) {
        return FF_UNSURE; /* another thread loads it, and has to be waited for */
    }
#endif
    return FF_FOUND;
}

/* Tells the parent's spec that a submodule is being loaded, or that it no longer is (from 3.12 on). */
static int note_uninitialized(const family *family, int begins)
{
#if PY_VERSION_HEX >= 0x030c0000
    if (family->spec == NULL || family->spec == Py_None) {
        return 0;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *list = PyObject_GetAttr(family->spec, ff_import.names._uninitialized_submodules);
    PyObject *result = list == NULL ? NULL
                       : begins     ? PyObject_CallMethod(list, "append", "O", family->child)
                                    : PyObject_CallMethod(list, "pop", NULL);
    Py_XDECREF(list);
    Py_XDECREF(result);
    if (type != NULL) {
        PyErr_Restore(type, value, traceback);
    }
    return result == NULL ? -1 : 0;
#else
    (void)family;
    (void)begins;
    return 0;
#endif
}

/* Makes the module an attribute of its parent. */
static int bind_to_parent(PyObject *modules, const family *family, PyObject *module)
{
    PyObject *parent = Py_XNewRef(PyDict_GetItemWithError(modules, family->parent));
    if (parent == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, family->parent);
        }
        return -1;
    }
    int status = PyObject_SetAttr(parent, family->child, module);
    Py_DECREF(parent);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return PyErr_WarnFormat(PyExc_ImportWarning, 1, "Cannot set an attribute on %R for child module %R", family->parent,
                                family->child);
    }
    return status;
}

/* ---- the whole ---- */

static void raise_not_found(PyObject *name)
{
    PyObject *message = PyUnicode_FromFormat("No module named %R", name);
    if (message != NULL) {
        PyErr_SetImportErrorSubclass(PyExc_ModuleNotFoundError, message, name, NULL);
        Py_DECREF(message);
    }
}

/* Loads what was found, by whatever way. */
static PyObject *load_found(PyObject *modules, const ff_wanted *wanted, const family *family)
{
    if (wanted->is_builtin) {
        return ff_load_builtin(modules, wanted->name);
    }
    PyObject *module = NULL, *spec = Py_XNewRef(wanted->spec);
    int is_package = spec == NULL && wanted->source->is_package;
    if (spec == NULL) {
        spec = ff_make_spec(wanted->name, wanted->folder, wanted->tail.data, is_package);
    }
    if (spec != NULL && note_uninitialized(family, 1) == 0) {
        module = wanted->spec != NULL
                     ? PyObject_CallOneArg(ff_import.load_unlocked, spec)
                     : ff_load_source(modules, wanted, spec, is_package ? wanted->name : family->parent);
        if (note_uninitialized(family, 0) < 0) {
            Py_CLEAR(module);
        }
    }
    Py_XDECREF(spec);
    if (module != NULL && wanted->path != NULL && bind_to_parent(modules, family, module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* _find_and_load_unlocked(). NULL without an exception: that is for the original to do. */
static PyObject *find_and_load_unlocked(PyObject *modules, ff_wanted *wanted, ff_text text, PyObject *import_function)
{
    family family = {NULL, NULL, NULL, NULL};
    PyObject *module = NULL;
    size_t parent_length = (size_t)(wanted->tail.data - text.data);
    family.parent = PyUnicode_FromStringAndSize(text.data, parent_length == 0 ? 0 : (Py_ssize_t)parent_length - 1);
    family.child = PyUnicode_FromStringAndSize(wanted->tail.data, (Py_ssize_t)wanted->tail.length);
    ff_outcome found = family.parent == NULL || family.child == NULL ? FF_FAILED : FF_FOUND;
    if (found == FF_FOUND && parent_length > 0) {
        found = meet_parent(modules, wanted->name, import_function, &family);
        wanted->path = family.path;
    }
    if (found == FF_FOUND) {
        found = ff_search(wanted);
    }
    if (found == FF_FOUND && PyDict_Contains(modules, wanted->name) == 0) {
        module = load_found(modules, wanted, &family);
    }
    else if (found == FF_ABSENT && (wanted->source == NULL || wanted->is_asked_for)) {
        raise_not_found(wanted->name);
    }
    clear_family(&family);
    return module;
}

static void release_lock(PyObject *lock /* stolen */)
{
    PyObject *result = PyObject_CallMethod(lock, "release", NULL);
    if (result == NULL) {
        PyErr_WriteUnraisable(lock);
    }
    Py_XDECREF(result);
    Py_DECREF(lock);
}

/* Not on the stack: a thread may go away in the midst of it, as others do in a child after fork(). Its module stays locked
 * then, as it does in importlib. */
static loading *begin_loading(PyObject *name)
{
    loading *begun = PyMem_RawMalloc(sizeof(loading));
    if (begun != NULL) {
        *begun = (loading){Py_NewRef(name), PyThread_get_thread_ident(), NULL, in_progress};
        in_progress = begun;
    }
    return begun;
}

/* Ends what was begun: releases the lock that somebody asked for meanwhile. */
static void finish_loading(loading *ended)
{
    loading **place = &in_progress;
    while (*place != ended) {
        place = &(*place)->next;
    }
    *place = ended->next;
    if (ended->lock != NULL) {
        FF_KEEPING_EXCEPTION(release_lock(ended->lock));
    }
    Py_DECREF(ended->name);
    PyMem_RawFree(ended);
}

/* The module, NULL with an exception, or NULL without one: that is for the original to do. */
static PyObject *load_simply(PyObject *name, PyObject *import_function)
{
    ff_text text;
    if (!ff_read_text(name, &text) || !ff_images_available() || ff_is_import_observed() ||
        is_called_from_importlib()) {
        return NULL;
    }
    const char *dot = memrchr(text.data, '.', text.length);
    ff_wanted wanted = {.name = name, .tail = text, .source = ff_find_module(text)};
    if (dot != NULL) {
        if (wanted.source == NULL) {
            return NULL;
        }
        wanted.tail.data = dot + 1;
        wanted.tail.length = text.length - (size_t)(wanted.tail.data - text.data);
    }
    PyObject *modules = usual_modules();
    if (modules == NULL || !are_classes_usual()) {
        return NULL;
    }
    /* Somebody loads it already, here or in importlib. */
    if (PyDict_Contains(modules, name) != 0 || find_loading(name) != NULL || PyDict_Contains(module_locks, name) != 0) {
        return NULL;
    }
    loading *begun = begin_loading(name);
    if (begun == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *module = find_and_load_unlocked(modules, &wanted, text, import_function);
    finish_loading(begun);
    Py_XDECREF(wanted.folder);
    Py_XDECREF(wanted.spec);
    return module;
}

static PyObject *find_and_load(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (count == 2 && keywords == NULL) {
        PyObject *module = load_simply(arguments[0], arguments[1]);
        if (module != NULL || PyErr_Occurred()) {
            return module;
        }
    }
    return PyObject_Vectorcall(original_find_and_load, arguments, (size_t)count, keywords);
}

/* Has a lock look as if the thread that loads the module had acquired it: importlib._bootstrap._ModuleLock. */
static int hold_lock(PyObject *lock, unsigned long thread)
{
    PyObject *owner = PyLong_FromUnsignedLong(thread);
    int status = owner == NULL ? -1 : PyObject_SetAttrString(lock, "owner", owner);
    Py_XDECREF(owner);
    PyObject *count = status < 0 ? NULL : PyObject_GetAttrString(lock, "count");
    if (count != NULL && PyList_Check(count)) { /* from 3.12 on */
        status = PyList_Append(count, Py_True);
    }
    else if (count != NULL) {
        PyObject *one = PyLong_FromLong(1);
        status = one == NULL ? -1 : PyObject_SetAttrString(lock, "count", one);
        Py_XDECREF(one);
    }
    Py_XDECREF(count);
    return count == NULL ? -1 : status;
}

/* importlib asks for the lock of a module before it waits for it. */
static PyObject *get_module_lock(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    PyObject *lock = PyObject_Vectorcall(original_get_module_lock, arguments, (size_t)count, keywords);
    loading *found = lock != NULL && count == 1 && PyUnicode_Check(arguments[0]) ? find_loading(arguments[0]) : NULL;
    if (found != NULL && found->lock == NULL) {
        if (hold_lock(lock, found->thread) < 0) {
            Py_DECREF(lock);
            return NULL;
        }
        found->lock = Py_NewRef(lock);
    }
    return lock;
}

/* ---- installation ---- */

static PyMethodDef find_and_load_function = {"_find_and_load", (PyCFunction)(void (*)(void))find_and_load,
                                             METH_FASTCALL | METH_KEYWORDS, "Find and load the module."};
static PyMethodDef get_module_lock_function = {"_get_module_lock", (PyCFunction)(void (*)(void))get_module_lock,
                                               METH_FASTCALL | METH_KEYWORDS,
                                               "Get or create the module lock for a given module name."};

/* Remembers a class as it is now: looking something up in it gives it a version tag. */
static int remember_class(int index, PyObject *module, const char *name)
{
    PyObject *class = PyObject_GetAttrString(module, name);
    if (class == NULL) {
        return -1;
    }
    ff_import.classes[index] = (PyTypeObject *)class;
    (void)_PyType_Lookup(ff_import.classes[index], ff_import.names.find_spec);
    ff_import.version_tags[index] = ff_import.classes[index]->tp_version_tag;
    return 0;
}

static int remember_names(void)
{
#define INTERN(name) \
    if ((ff_import.names.name = PyUnicode_InternFromString(#name)) == NULL) { \
        return -1; \
    }
    FF_IMPORT_NAMES(INTERN)
#undef INTERN
    return 0;
}

static int remember_imp(void)
{
    PyObject *imp = PyImport_AddModule("_imp"); /* borrowed */
    if (imp == NULL) {
        return -1;
    }
    ff_import.is_builtin = PyObject_GetAttrString(imp, "is_builtin");
    ff_import.create_builtin = PyObject_GetAttrString(imp, "create_builtin");
    ff_import.exec_builtin = PyObject_GetAttrString(imp, "exec_builtin");
    ff_import.is_frozen = PyObject_GetAttrString(imp, "is_frozen");
    ff_import.acquire_lock = PyObject_GetAttrString(imp, "acquire_lock");
    ff_import.release_lock = PyObject_GetAttrString(imp, "release_lock");
    return PyErr_Occurred() ? -1 : 0;
}

static int replace_function(PyObject *module, PyMethodDef *function, PyObject **original)
{
    *original = PyObject_GetAttrString(module, function->ml_name);
    PyObject *ours = *original == NULL ? NULL : PyCFunction_NewEx(function, NULL, NULL);
    int status = ours == NULL ? -1 : PyObject_SetAttrString(module, function->ml_name, ours);
    Py_XDECREF(ours);
    return status;
}

/* Called once the methods of finders and loaders are in place. -1 with an exception. */
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    if (remember_names() < 0 || remember_imp() < 0 ||
        remember_class(FF_BUILTIN_IMPORTER, bootstrap, "BuiltinImporter") < 0 ||
        remember_class(FF_FROZEN_IMPORTER, bootstrap, "FrozenImporter") < 0 ||
        remember_class(FF_MODULE_SPEC, bootstrap, "ModuleSpec") < 0 ||
        remember_class(FF_PATH_FINDER, external, "PathFinder") < 0 ||
        remember_class(FF_FILE_FINDER, external, "FileFinder") < 0 ||
        remember_class(FF_SOURCE_FILE_LOADER, external, "SourceFileLoader") < 0) {
        return -1;
    }
    ff_import.load_unlocked = PyObject_GetAttrString(bootstrap, "_load_unlocked");
    if (ff_import.load_unlocked == NULL) {
        return -1;
    }
    bootstrap_globals = Py_NewRef(PyModule_GetDict(bootstrap));
    module_locks = PyObject_GetAttrString(bootstrap, "_module_locks");
    if (module_locks == NULL || !PyDict_CheckExact(module_locks)) {
        return module_locks == NULL ? -1 : 0; /* not as we know it: the original stays */
    }
    if (replace_function(bootstrap, &get_module_lock_function, &original_get_module_lock) < 0) {
        return -1;
    }
    return replace_function(bootstrap, &find_and_load_function, &original_find_and_load);
}
#else
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    (void)bootstrap;
    (void)external;
    return 0;
}
#endif
