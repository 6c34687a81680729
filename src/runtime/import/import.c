/* Imports without importlib's Python code on the way.
 *
 * The interpreter calls importlib._bootstrap._find_and_load() for every module that is not in sys.modules. The function
 * here takes its place: it does the same for a frozen module that is found where it is expected, for a built-in one, and
 * for one that is nowhere. Everything else, including each case in which somebody could have changed what an import does,
 * is left to the original (Lib/importlib/_bootstrap.py: _find_and_load(), _find_and_load_unlocked()). */
#include FF_LAYOUT

#include "import.h"

#include <string.h>

#if FF_REPLACES_IMPORT

static PyObject *original_find_and_load; /* importlib._bootstrap._find_and_load */

/* sys.modules when it is the dict that the interpreter goes by (borrowed), or NULL. */
static PyObject *interpreter_modules(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    return modules != NULL && PyDict_CheckExact(modules) && PySys_GetObject("modules") == modules ? modules : NULL;
}

static void raise_not_found(PyObject *name)
{
    PyObject *message = PyUnicode_FromFormat("No module named %R", name);
    if (message != NULL) {
        PyErr_SetImportErrorSubclass(PyExc_ModuleNotFoundError, message, name, NULL);
        Py_DECREF(message);
    }
}

/* Loads what was found, by whatever way. */
static PyObject *load_found(PyObject *modules, const ff_wanted *wanted, const ff_family *family)
{
    if (wanted->is_builtin) {
        return ff_load_builtin(modules, wanted->name);
    }
    PyObject *module = NULL, *spec = Py_XNewRef(wanted->spec);
    int is_package = spec == NULL && wanted->source->is_package;
    if (spec == NULL) {
        spec = ff_make_spec(wanted->name, wanted->folder, wanted->tail.data, is_package);
    }
    if (spec != NULL && ff_note_uninitialized(family, 1) == 0) {
        module = wanted->spec != NULL
                     ? PyObject_CallOneArg(ff_import.load_unlocked, spec)
                     : ff_load_source(modules, wanted, spec, is_package ? wanted->name : family->parent);
        if (ff_note_uninitialized(family, 0) < 0) {
            Py_CLEAR(module);
        }
    }
    Py_XDECREF(spec);
    if (module != NULL && wanted->path != NULL && ff_bind_to_parent(modules, family, module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* A finder may have imported the very module while it was asked. Then importlib loads it anew, by the spec that it has
 * (_find_spec()). */
static void prefer_loaded_spec(PyObject *modules, ff_wanted *wanted)
{
    PyObject *module = Py_XNewRef(PyDict_GetItemWithError(modules, wanted->name));
    PyObject *spec = module == NULL ? NULL : PyObject_GetAttr(module, ff_import.names.__spec__);
    PyErr_Clear();
    Py_XDECREF(module);
    if (spec != NULL && spec != Py_None) {
        Py_XDECREF(wanted->spec);
        wanted->spec = Py_NewRef(spec);
        wanted->is_builtin = 0;
    }
    Py_XDECREF(spec);
}

/* _find_and_load_unlocked(). NULL without an exception: that is for the original to do. */
static PyObject *find_and_load_unlocked(PyObject *modules, ff_wanted *wanted, ff_text text, PyObject *import_function)
{
    ff_family family = {NULL, NULL, NULL, NULL};
    PyObject *module = NULL;
    size_t parent_length = (size_t)(wanted->tail.data - text.data);
    family.parent = PyUnicode_FromStringAndSize(text.data, parent_length == 0 ? 0 : (Py_ssize_t)parent_length - 1);
    family.child = PyUnicode_FromStringAndSize(wanted->tail.data, (Py_ssize_t)wanted->tail.length);
    ff_outcome found = family.parent == NULL || family.child == NULL ? FF_FAILED : FF_FOUND;
    if (found == FF_FOUND && parent_length > 0) {
        found = ff_import_parent(modules, wanted->name, import_function, &family);
        wanted->path = family.path;
    }
    if (found == FF_FOUND) {
        found = ff_search(wanted);
    }
    if (found == FF_FOUND) {
        prefer_loaded_spec(modules, wanted);
        module = load_found(modules, wanted, &family);
    }
    else if (found == FF_ABSENT && (wanted->source == NULL || wanted->is_asked_for)) {
        raise_not_found(wanted->name);
    }
    ff_clear_family(&family);
    return module;
}

/* The same, under the lock of the module. */
static PyObject *load_wanted(PyObject *modules, ff_wanted *wanted, ff_text text, PyObject *import_function, PyObject *owner)
{
    ff_loading *begun = ff_begin_loading(wanted->name, owner);
    if (begun == NULL) {
        return NULL;
    }
    ff_begin_import();
    PyObject *module = find_and_load_unlocked(modules, wanted, text, import_function);
    ff_end_import();
    ff_finish_loading(begun);
    Py_XDECREF(wanted->folder);
    Py_XDECREF(wanted->spec);
    return module;
}

/* The module, NULL with an exception, or NULL without one: that is for the original to do. */
static PyObject *import_frozen(PyObject *name, PyObject *import_function)
{
    ff_text text;
    if (!ff_read_text(name, &text) || !ff_images_available() || ff_is_import_observed() ||
        ff_is_called_from_importlib()) {
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
    /* Before the rest is asked: somebody's own function may come to run here. */
    PyObject *owner = ff_import_owner();
    if (owner == NULL) {
        return NULL;
    }
    PyObject *modules = interpreter_modules(), *module = NULL;
    /* Unless somebody loads it already, here or in importlib. */
    if (modules != NULL && ff_is_importlib_unmodified() && PyDict_Contains(modules, name) == 0 &&
        ff_is_loading(name) == 0) {
        module = load_wanted(modules, &wanted, text, import_function, owner);
    }
    Py_DECREF(owner);
    return module;
}

static PyObject *find_and_load(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (count == 2 && keywords == NULL) {
        PyObject *module = import_frozen(arguments[0], arguments[1]);
        if (module != NULL || PyErr_Occurred()) {
            return module;
        }
    }
    return PyObject_Vectorcall(original_find_and_load, arguments, (size_t)count, keywords);
}

/* ---- installation ---- */

static PyMethodDef find_and_load_function = {"_find_and_load", (PyCFunction)(void (*)(void))find_and_load,
                                             METH_FASTCALL | METH_KEYWORDS, "Find and load the module."};

/* Called once the methods of finders and loaders are in place. -1 with an exception. */
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    if (ff_remember_importlib(bootstrap, external) < 0) {
        return -1;
    }
    /* Where locks are not as we know them, the original stays. */
    int has_locks = ff_install_lock_function(bootstrap);
    if (has_locks > 0 && ff_remember_import_functions() < 0) {
        return -1;
    }
    return has_locks > 0 ? ff_replace_function(bootstrap, &find_and_load_function, &original_find_and_load) : has_locks;
}
#else
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    (void)bootstrap;
    (void)external;
    return 0;
}
#endif
