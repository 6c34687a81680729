/* A module below a package: importing the package first, and becoming an attribute of it. */
#include FF_LAYOUT

#include "import.h"

#if PY_VERSION_HEX < 0x030f0000 /* import.c says why */

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

/* Imports the parent, if need be. FF_UNSURE also when that made the module itself appear. */
ff_outcome ff_meet_parent(PyObject *modules, PyObject *name, PyObject *import_function, ff_family *family)
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
    if (is_initializing && !ff_is_loaded_here(family->parent)) {
        return FF_UNSURE; /* another thread loads it, and has to be waited for */
    }
#endif
    return FF_FOUND;
}

/* Tells the parent's spec that a submodule is being loaded, or that it no longer is (from 3.12 on). */
int ff_note_uninitialized(const ff_family *family, int begins)
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
