/* What the import function holds on to, and whether it may go on. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

ff_import_state ff_import;

/* sys.modules as it is now (a new reference), whoever put it there: importlib reads the attribute for each statement, too. */
PyObject *ff_read_modules(void)
{
    PyObject *modules = PyDict_GetItemWithError(ff_import.sys, ff_import.names.modules);
    if (modules == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_AttributeError, "module 'sys' has no attribute 'modules'");
    }
    return Py_XNewRef(modules);
}

/* ---- whether somebody changed importlib ---- */

/* Code of others is to be called: a parent is imported, or a finder or a hook is asked. */
void ff_note_foreign_code(ff_wanted *wanted)
{
    wanted->is_begun = 1;
    wanted->is_doubtful = 1;
}

/* Whether an import may go on here: nobody watches, and importlib is as it was. Asked again after code of others has run. */
ff_answer ff_may_import(ff_wanted *wanted)
{
    if (!wanted->is_doubtful) {
        return FF_YES;
    }
    ff_answer answer = ff_is_import_observed() || !ff_images_available() ? FF_NO : ff_is_importlib_unmodified();
    wanted->is_doubtful = answer != FF_YES;
    return answer;
}

/* Whether a function of importlib makes the import (importlib.import_module() leads to one): its frames show in the
 * traceback of an exception then, as those below them would, while an import statement hides them all. */
int ff_is_called_from_importlib(void)
{
    return PyEval_GetGlobals() == ff_import.bootstrap;
}

/* Calls a function of importlib._bootstrap by its name, as importlib does. */
PyObject *ff_call_bootstrap(PyObject *name, PyObject *const *arguments, size_t count)
{
    PyObject *function = Py_XNewRef(PyDict_GetItemWithError(ff_import.bootstrap, name));
    if (function == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_NameError, "name %R is not defined", name);
        }
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(function, arguments, count, NULL);
    Py_DECREF(function);
    return result;
}

/* ---- installation ---- */

/* Puts a C function in the place of a function of a module; *original gets what was there. */
int ff_replace_function(PyObject *module, PyMethodDef *function, PyObject **original)
{
    *original = PyObject_GetAttrString(module, function->ml_name);
    PyTypeObject *class = (function->ml_flags & METH_METHOD) != 0 ? Py_TYPE(module) : NULL;
    PyObject *ours = *original == NULL ? NULL : PyCMethod_New(function, NULL, NULL, class);
    int status = ours == NULL ? -1 : PyObject_SetAttrString(module, function->ml_name, ours);
    Py_XDECREF(ours);
    return status;
}

static int intern_names(void)
{
#define INTERN(name) \
    if ((ff_import.names.name = PyUnicode_InternFromString(#name)) == NULL) { \
        return -1; \
    }
    FF_IMPORT_NAMES(INTERN)
#undef INTERN
    ff_import.name_keyword = PyTuple_Pack(1, ff_import.names.name);
    return ff_import.name_keyword == NULL ? -1 : 0;
}

static int remember_objects(PyObject *bootstrap, PyObject *external)
{
    PyObject *imp = PyImport_AddModule("_imp"), *sys = PyImport_AddModule("sys"); /* borrowed */
    if (imp == NULL || sys == NULL) {
        return -1;
    }
    ff_import.bootstrap = Py_NewRef(PyModule_GetDict(bootstrap));
    ff_import.external = Py_NewRef(PyModule_GetDict(external));
    ff_import.sys = Py_NewRef(PyModule_GetDict(sys));
    const struct {
        PyObject **place, *module;
        const char *name;
    } objects[] = {{&ff_import.builtin_importer, bootstrap, "BuiltinImporter"},
                   {&ff_import.frozen_importer, bootstrap, "FrozenImporter"},
                   {&ff_import.module_spec, bootstrap, "ModuleSpec"},
                   {&ff_import.find_and_load_unlocked, bootstrap, "_find_and_load_unlocked"},
                   {&ff_import.path_finder, external, "PathFinder"},
                   {&ff_import.is_builtin, imp, "is_builtin"},
                   {&ff_import.create_builtin, imp, "create_builtin"},
                   {&ff_import.exec_builtin, imp, "exec_builtin"},
                   {&ff_import.is_frozen, imp, "is_frozen"},
                   {&ff_import.acquire_lock, imp, "acquire_lock"},
                   {&ff_import.release_lock, imp, "release_lock"}};
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        *objects[i].place = PyObject_GetAttrString(objects[i].module, objects[i].name);
        if (*objects[i].place == NULL) {
            return -1;
        }
    }
    return 0;
}

/* Whether importlib lists in a parent's spec the submodules that are being loaded: 3.12 began it, and releases of 3.11 took
 * it over, so the specs of this very Python are asked. */
static int remember_lists_submodules(void)
{
    PyObject *spec = PyObject_CallFunction(ff_import.module_spec, "sO", "_flashfreeze", Py_None);
    PyObject *list = spec == NULL ? NULL : PyObject_GetAttr(spec, ff_import.names._uninitialized_submodules);
    ff_import.lists_submodules = list != NULL;
    ff_answer answer = spec == NULL ? FF_FAILED : list == NULL ? ff_forgive(FF_NO) : FF_YES;
    Py_XDECREF(list);
    Py_XDECREF(spec);
    return answer == FF_FAILED ? -1 : 0;
}

/* -1 with an exception. */
int ff_remember_import_state(PyObject *bootstrap, PyObject *external)
{
    return intern_names() < 0 || remember_objects(bootstrap, external) < 0 || remember_lists_submodules() < 0 ? -1 : 0;
}
#endif
