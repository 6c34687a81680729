/* The warning of importlib that is issued here, of a parent that refuses its child as an attribute: as if importlib had issued it. With
 * most filters, a text is shown once for each line that warns, and the module of that line keeps the list. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* Puts the two greatest line numbers of `code` into `lines`, the greater one first. -1 with an exception. */
static int read_last_lines(PyObject *code, long lines[2])
{
    PyObject *ranges = PyObject_CallMethod(code, "co_lines", NULL);
    PyObject *iterator = ranges == NULL ? NULL : PyObject_GetIter(ranges);
    Py_XDECREF(ranges);
    lines[0] = lines[1] = 0;
    for (PyObject *range; iterator != NULL && (range = PyIter_Next(iterator)) != NULL; Py_DECREF(range)) {
        PyObject *number = PyTuple_GET_ITEM(range, 2); /* (begin, end, line), or None for the line */
        long line = PyLong_Check(number) ? PyLong_AsLong(number) : 0;
        if (line > lines[0]) {
            lines[1] = lines[0];
            lines[0] = line;
        }
        else if (line > lines[1] && line < lines[0]) {
            lines[1] = line;
        }
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

/* What importlib has warned of (a new reference): Python/_warnings.c, setup_context(). */
static PyObject *read_registry(void)
{
    PyObject *registry = Py_XNewRef(PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names.__warningregistry__));
    if (registry == NULL && !PyErr_Occurred()) {
        registry = PyDict_New();
        if (registry != NULL && PyDict_SetItem(ff_import.bootstrap, ff_import.names.__warningregistry__, registry) < 0) {
            Py_CLEAR(registry);
        }
    }
    return registry;
}

/* _warnings.warn(message, ImportWarning), as called by _find_and_load_unlocked() in the line before its last, `return module`. */
static int warn(PyObject *message)
{
    long lines[2];
    PyObject *code = PyFunction_GET_CODE(ff_import.find_and_load_unlocked);
    PyObject *module = Py_XNewRef(PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names.__name__));
    PyObject *registry = PyErr_Occurred() || read_last_lines(code, lines) < 0 ? NULL : read_registry();
    int status = registry == NULL ? -1
                                  : PyErr_WarnExplicitObject(PyExc_ImportWarning, message, ((PyCodeObject *)code)->co_filename,
                                                             (int)lines[1], module, registry);
    Py_XDECREF(module);
    Py_XDECREF(registry);
    return status;
}

/* -1 with an exception, which the warning may be. */
int ff_warn_refused_child(const ff_family *family)
{
    PyObject *message =
        PyUnicode_FromFormat("Cannot set an attribute on %R for child module %R", family->parent, family->child);
    int status = message == NULL ? -1 : warn(message);
    Py_XDECREF(message);
    return status;
}
#endif
