/* A module below a package: importing the package first, and becoming an attribute of it. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

void ff_clear_family(ff_family *family)
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

/* Whether another thread loads the parent; -1 with an exception. Since 3.14 importlib waits for it then (_find_and_load_unlocked()). */
static int is_loaded_elsewhere(const ff_family *family)
{
#if FF_IGNORES_LOADING_PARENT
    (void)family;
    return 0;
#else
    PyObject *initializing = PyObject_GetAttr(family->spec, ff_import.names._initializing);
    PyErr_Clear();
    int is_initializing = initializing == Py_True;
    Py_XDECREF(initializing);
    int is_here = is_initializing ? ff_is_loaded_here(family->parent) : 1;
    return is_here < 0 ? -1 : !is_here;
#endif
}

/* Imports the parent, if need be. FF_UNSURE also when that made the module itself appear. */
ff_outcome ff_import_parent(PyObject *modules, PyObject *name, PyObject *import_function, ff_family *family)
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
    int is_elsewhere = is_loaded_elsewhere(family);
    return is_elsewhere < 0 ? FF_FAILED : is_elsewhere ? FF_UNSURE : FF_FOUND;
}

/* Tells the parent's spec that a submodule is being loaded, or that it no longer is, where specs list these. An exception
 * that is on its way stays. */
int ff_note_uninitialized(const ff_family *family, int begins)
{
    if (!ff_import.lists_submodules || family->spec == NULL || family->spec == Py_None) {
        return 0;
    }
    ff_exception raised = ff_take_exception();
    PyObject *list = PyObject_GetAttr(family->spec, ff_import.names._uninitialized_submodules);
    PyObject *result = list == NULL ? NULL
                       : begins     ? PyObject_CallMethod(list, "append", "O", family->child)
                                    : PyObject_CallMethod(list, "pop", NULL);
    Py_XDECREF(list);
    Py_XDECREF(result);
    if (ff_is_exception(raised)) {
        ff_restore_exception(raised);
    }
    return result == NULL ? -1 : 0;
}

/* Makes the module an attribute of its parent. */
int ff_bind_to_parent(PyObject *modules, const ff_family *family, PyObject *module)
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
#endif
