/* What the import function holds on to, and whether importlib is still what it was then. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

ff_import_state ff_import;

static PyObject *bootstrap_globals; /* the names of importlib._bootstrap */

/* ---- whether somebody changed importlib ---- */

/* The functions of importlib._bootstrap whose work is done here: tools replace them now and then. */
static const char *const function_names[] = {"_find_and_load_unlocked", "_find_spec",  "_load_unlocked",
                                             "module_from_spec",        "_new_module", "_init_module_attrs",
                                             "_call_with_frames_removed", "_get_module_lock"};
#define FUNCTION_COUNT (sizeof(function_names) / sizeof(function_names[0]))
static struct {
    PyObject *name, *value;
} functions[FUNCTION_COUNT];

static int are_classes_unmodified(void)
{
    for (int i = 0; i < FF_CLASS_COUNT; i++) {
        if (!ff_is_class_unmodified(&ff_import.classes[i])) {
            return 0;
        }
    }
    return 1;
}

static int are_functions_unmodified(void)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (PyDict_GetItemWithError(bootstrap_globals, functions[i].name) != functions[i].value) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}

/* Whether the classes and functions whose work is done here are those that were remembered. */
int ff_is_importlib_unmodified(void)
{
    return are_classes_unmodified() && are_functions_unmodified();
}

/* Whether a function of importlib makes the import (importlib.import_module() leads to one): its frames show in the
 * traceback of an exception then, as those below them would, while an import statement hides them all. */
int ff_is_called_from_importlib(void)
{
    return PyEval_GetGlobals() == bootstrap_globals;
}

/* ---- installation ---- */

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

static int remember_classes(PyObject *bootstrap, PyObject *external)
{
    const struct {
        PyObject *module;
        const char *name;
    } places[FF_CLASS_COUNT] = {[FF_BUILTIN_IMPORTER] = {bootstrap, "BuiltinImporter"},
                                [FF_FROZEN_IMPORTER] = {bootstrap, "FrozenImporter"},
                                [FF_MODULE_SPEC] = {bootstrap, "ModuleSpec"},
                                [FF_PATH_FINDER] = {external, "PathFinder"},
                                [FF_FILE_FINDER] = {external, "FileFinder"},
                                [FF_SOURCE_FILE_LOADER] = {external, "SourceFileLoader"}};
    for (int i = 0; i < FF_CLASS_COUNT; i++) {
        if (ff_remember_class(&ff_import.classes[i], places[i].module, places[i].name) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Whether specs list the submodules that are being loaded: 3.12 began it, and releases of 3.11 took it over. */
static int remember_lists_submodules(void)
{
    PyObject *class = (PyObject *)ff_import.classes[FF_MODULE_SPEC].type;
    PyObject *spec = PyObject_CallFunction(class, "sO", "_flashfreeze", Py_None);
    PyObject *list = spec == NULL ? NULL : PyObject_GetAttr(spec, ff_import.names._uninitialized_submodules);
    if (spec != NULL && list == NULL) {
        PyErr_Clear();
    }
    ff_import.lists_submodules = list != NULL;
    Py_XDECREF(list);
    Py_XDECREF(spec);
    return spec == NULL ? -1 : 0;
}

/* Called when the lock function is in place, which is one of them. -1 with an exception. */
int ff_remember_import_functions(void)
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

/* Called once the methods of finders and loaders are in place. -1 with an exception. */
int ff_remember_importlib(PyObject *bootstrap, PyObject *external)
{
    if (remember_names() < 0 || remember_imp() < 0 || remember_classes(bootstrap, external) < 0 ||
        remember_lists_submodules() < 0) {
        return -1;
    }
    ff_import.load_unlocked = PyObject_GetAttrString(bootstrap, "_load_unlocked");
    if (ff_import.load_unlocked == NULL) {
        return -1;
    }
    bootstrap_globals = Py_NewRef(PyModule_GetDict(bootstrap));
    return 0;
}
#endif
