/* A module below a package: importing the package first, and becoming an attribute of it. Statement by statement what
 * Lib/importlib/_bootstrap.py, _find_and_load_unlocked() does (3.12.1: lines 1305 to 1319 and 1324 to 1346). */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* The frame of _call_with_frames_removed(). */
#define FRAMES 1

void ff_clear_family(ff_family *family)
{
    Py_CLEAR(family->parent);
    Py_CLEAR(family->child);
    Py_CLEAR(family->path);
    Py_CLEAR(family->spec);
}

/* _call_with_frames_removed(import_, parent) */
static int import_parent(ff_wanted *wanted, PyObject *import_function, PyObject *parent)
{
    ff_note_foreign_code(wanted);
    if (ff_enter_frames(FRAMES) < 0) {
        return -1;
    }
    PyObject *module = PyObject_CallOneArg(import_function, parent);
    ff_leave_frames(FRAMES);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

/* Whether the module is in sys.modules by now, as importing its parent may put it there; *module gets it (a new reference). */
#if FF_IGNORES_LOADING_PARENT
static ff_answer find_appeared(PyObject *name, PyObject **module)
{
    PyObject *modules = ff_read_modules();
    int is_there = modules == NULL ? -1 : PySequence_Contains(modules, name);
    PyObject *found = is_there > 0 ? PyObject_GetItem(modules, name) : NULL;
    Py_XDECREF(modules);
    if (is_there <= 0 || found == NULL) {
        return is_there == 0 ? FF_NO : FF_FAILED;
    }
    *module = found;
    return FF_YES;
}
#else
/* Since 3.14: sys.modules.get(name), which may be the method of a replaced sys.modules; None does not count. */
static ff_answer find_appeared(PyObject *name, PyObject **module)
{
    PyObject *modules = ff_read_modules();
    PyObject *found = NULL;
    if (modules != NULL && PyDict_CheckExact(modules)) {
        found = PyDict_GetItemWithError(modules, name);
        found = found == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : Py_XNewRef(found);
    }
    else if (modules != NULL) {
        found = PyObject_CallMethodOneArg(modules, ff_import.names.get, name);
    }
    Py_XDECREF(modules);
    if (found == NULL || found == Py_None) {
        ff_answer answer = found == NULL ? FF_FAILED : FF_NO;
        Py_XDECREF(found);
        return answer;
    }
    *module = found;
    return FF_YES;
}
#endif

/* An attribute of the parent, as of an ordinary module: nothing of others is asked. NULL: it has none of its own. */
static PyObject *own_attribute(PyObject *parent, PyObject *name)
{
    return PyModule_CheckExact(parent) ? Py_XNewRef(PyDict_GetItemWithError(PyModule_GetDict(parent), name)) : NULL;
}

/* except AttributeError: raise ModuleNotFoundError(...) from None */
static void raise_not_a_package(PyObject *name, PyObject *parent)
{
    _PyErr_StackItem missing;
    ff_begin_handling(&missing);
    PyObject *message = PyUnicode_FromFormat("No module named %R; %R is not a package", name, parent);
    PyObject *arguments[] = {message, name};
    PyObject *error = message == NULL ? NULL : PyObject_Vectorcall(PyExc_ModuleNotFoundError, arguments, 1, ff_import.name_keyword);
    if (error != NULL) {
        PyException_SetCause(error, NULL);
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    Py_XDECREF(message);
    ff_end_handling(&missing);
}

/* Reads __path__ and, where importlib does (for the list of submodules), __spec__ of the parent, once. FF_UNSURE: they are others' to
 * give, and the original may ask for them. */
static ff_answer read_parent(ff_wanted *wanted, PyObject *parent, ff_family *family)
{
    family->path = own_attribute(parent, ff_import.names.__path__);
    int reads_spec = ff_import.lists_submodules;
    family->spec = family->path == NULL || !reads_spec ? NULL : own_attribute(parent, ff_import.names.__spec__);
    if (family->spec != NULL || (family->path != NULL && !reads_spec)) {
        return FF_YES;
    }
    if (PyErr_Occurred()) {
        return FF_FAILED;
    }
    if (!wanted->is_begun) {
        return FF_UNSURE;
    }
    ff_note_foreign_code(wanted);
    Py_XSETREF(family->path, PyObject_GetAttr(parent, ff_import.names.__path__));
    if (family->path == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            raise_not_a_package(wanted->name, family->parent);
        }
        return FF_FAILED;
    }
    family->spec = reads_spec ? PyObject_GetAttr(parent, ff_import.names.__spec__) : NULL;
    return reads_spec && family->spec == NULL ? FF_FAILED : FF_YES;
}

#if !FF_IGNORES_LOADING_PARENT
/* Since 3.14: if getattr(parent_spec, '_initializing', False): _call_with_frames_removed(import_, parent). A parent that is
 * loaded here already is not waited for; but importing it may bind it to its own parent, where a submodule was to be imported lazily. */
static int await_parent(ff_wanted *wanted, PyObject *import_function, const ff_family *family)
{
    PyObject *initializing = PyObject_GetAttr(family->spec, ff_import.names._initializing);
    if (initializing == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    int is_initializing = PyObject_IsTrue(initializing);
    Py_DECREF(initializing);
    if (is_initializing <= 0) {
        return is_initializing;
    }
    ff_answer is_here = ff_has_lazy_submodules() ? FF_NO : ff_is_loaded_here(family->parent);
    return is_here == FF_FAILED ? -1 : is_here == FF_YES ? 0 : import_parent(wanted, import_function, family->parent);
}
#endif

/* Imports the parent, if need be. FF_YES also when the module itself appeared meanwhile: *module then is what the import
 * gives. */
ff_answer ff_import_parent(ff_wanted *wanted, PyObject *import_function, ff_family *family, PyObject **module)
{
    PyObject *modules = ff_read_modules();
    int is_imported = modules == NULL ? -1 : PySequence_Contains(modules, family->parent);
    Py_XDECREF(modules);
    if (is_imported < 0 || (!is_imported && import_parent(wanted, import_function, family->parent) < 0)) {
        return FF_FAILED;
    }
    ff_answer answer = find_appeared(wanted->name, module);
    if (answer != FF_NO) {
        return answer;
    }
    modules = ff_read_modules();
    PyObject *parent = modules == NULL ? NULL : PyObject_GetItem(modules, family->parent);
    Py_XDECREF(modules);
    if (parent == NULL) {
        return FF_FAILED;
    }
    answer = read_parent(wanted, parent, family);
    Py_DECREF(parent);
#if !FF_IGNORES_LOADING_PARENT
    if (answer == FF_YES) {
        answer = await_parent(wanted, import_function, family) < 0 ? FF_FAILED : find_appeared(wanted->name, module);
        answer = answer == FF_NO ? FF_YES : answer;
    }
#endif
    return answer;
}

/* Tells the parent's spec that a submodule is being loaded, or that it no longer is, where specs list these:
 *     if parent_spec: parent_spec._uninitialized_submodules.append(child), and .pop()
 * An exception of the latter comes after one that is on its way. */
int ff_note_uninitialized(const ff_family *family, ff_wanted *wanted, int begins)
{
    if (!ff_import.lists_submodules || family->spec == NULL) {
        return 0;
    }
    ff_exception raised = ff_take_exception();
    if (!Py_IS_TYPE(family->spec, (PyTypeObject *)ff_import.module_spec)) {
        ff_note_foreign_code(wanted);
    }
    int status = PyObject_IsTrue(family->spec);
    if (status > 0) {
        PyObject *list = PyObject_GetAttr(family->spec, ff_import.names._uninitialized_submodules);
        if (list != NULL && !PyList_CheckExact(list)) {
            ff_note_foreign_code(wanted);
        }
        PyObject *result = list == NULL ? NULL
                           : begins     ? PyObject_CallMethodOneArg(list, ff_import.names.append, family->child)
                                        : PyObject_CallMethodNoArgs(list, ff_import.names.pop);
        status = result == NULL ? -1 : 0;
        Py_XDECREF(list);
        Py_XDECREF(result);
    }
    ff_chain_exception(raised);
    return status;
}

/* Makes the module an attribute of its parent. */
int ff_bind_to_parent(const ff_family *family, PyObject *module)
{
    PyObject *modules = ff_read_modules();
    PyObject *parent = modules == NULL ? NULL : PyObject_GetItem(modules, family->parent);
    Py_XDECREF(modules);
    if (parent == NULL) {
        return -1;
    }
    int status = PyObject_SetAttr(parent, family->child, module);
    Py_DECREF(parent);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        _PyErr_StackItem refused;
        ff_begin_handling(&refused);
        status = ff_warn_refused_child(family);
        ff_end_handling(&refused);
    }
    return status;
}
#endif
