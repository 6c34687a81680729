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

static PyObject *original_find_and_load; /* importlib._bootstrap._find_and_load */
static PyObject *bootstrap_globals;      /* the names of importlib._bootstrap */

static int are_classes_usual(void)
{
    for (int i = 0; i < FF_CLASS_COUNT; i++) {
        if (!ff_is_class_usual(&ff_import.classes[i])) {
            return 0;
        }
    }
    return 1;
}

/* The functions of importlib._bootstrap whose work is done here: tools replace them now and then. */
static const char *const function_names[] = {"_find_and_load_unlocked", "_find_spec",  "_load_unlocked",
                                             "module_from_spec",        "_new_module", "_init_module_attrs",
                                             "_call_with_frames_removed", "_get_module_lock"};
#define FUNCTION_COUNT (sizeof(function_names) / sizeof(function_names[0]))
static struct {
    PyObject *name, *value;
} functions[FUNCTION_COUNT];

static int remember_functions(void)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        functions[i].name = PyUnicode_InternFromString(function_names[i]);
        functions[i].value =
            functions[i].name == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(bootstrap_globals, functions[i].name));
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static int are_functions_usual(void)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (PyDict_GetItemWithError(bootstrap_globals, functions[i].name) != functions[i].value) {
            PyErr_Clear();
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
static void take_appeared(PyObject *modules, ff_wanted *wanted)
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
        found = ff_meet_parent(modules, wanted->name, import_function, &family);
        wanted->path = family.path;
    }
    if (found == FF_FOUND) {
        found = ff_search(wanted);
    }
    if (found == FF_FOUND) {
        take_appeared(modules, wanted);
        module = load_found(modules, wanted, &family);
    }
    else if (found == FF_ABSENT && (wanted->source == NULL || wanted->is_asked_for)) {
        raise_not_found(wanted->name);
    }
    ff_clear_family(&family);
    return module;
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
    if (modules == NULL || !are_classes_usual() || !are_functions_usual()) {
        return NULL;
    }
    /* Somebody loads it already, here or in importlib. */
    if (PyDict_Contains(modules, name) != 0 || ff_is_loading(name) != 0) {
        return NULL;
    }
    ff_loading *begun = ff_begin_loading(name);
    if (begun == NULL) {
        return PyErr_NoMemory();
    }
    ff_begin_import();
    PyObject *module = find_and_load_unlocked(modules, &wanted, text, import_function);
    ff_end_import();
    ff_finish_loading(begun);
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

/* ---- installation ---- */

static PyMethodDef find_and_load_function = {"_find_and_load", (PyCFunction)(void (*)(void))find_and_load,
                                             METH_FASTCALL | METH_KEYWORDS, "Find and load the module."};
/* Puts a C function in the place of a function of a module; *original gets what was there. */
int ff_replace_function(PyObject *module, PyMethodDef *function, PyObject **original)
{
    *original = PyObject_GetAttrString(module, function->ml_name);
    PyObject *ours = *original == NULL ? NULL : PyCFunction_NewEx(function, NULL, NULL);
    int status = ours == NULL ? -1 : PyObject_SetAttrString(module, function->ml_name, ours);
    Py_XDECREF(ours);
    return status;
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

/* Called once the methods of finders and loaders are in place. -1 with an exception. */
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    if (remember_names() < 0 || remember_imp() < 0 ||
        ff_remember_class(&ff_import.classes[FF_BUILTIN_IMPORTER], bootstrap, "BuiltinImporter") < 0 ||
        ff_remember_class(&ff_import.classes[FF_FROZEN_IMPORTER], bootstrap, "FrozenImporter") < 0 ||
        ff_remember_class(&ff_import.classes[FF_MODULE_SPEC], bootstrap, "ModuleSpec") < 0 ||
        ff_remember_class(&ff_import.classes[FF_PATH_FINDER], external, "PathFinder") < 0 ||
        ff_remember_class(&ff_import.classes[FF_FILE_FINDER], external, "FileFinder") < 0 ||
        ff_remember_class(&ff_import.classes[FF_SOURCE_FILE_LOADER], external, "SourceFileLoader") < 0) {
        return -1;
    }
    ff_import.load_unlocked = PyObject_GetAttrString(bootstrap, "_load_unlocked");
    if (ff_import.load_unlocked == NULL) {
        return -1;
    }
    bootstrap_globals = Py_NewRef(PyModule_GetDict(bootstrap));
    /* Where locks are not as we know them, the original stays. */
    int has_locks = ff_install_lock_function(bootstrap);
    if (has_locks > 0 && remember_functions() < 0) {
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
