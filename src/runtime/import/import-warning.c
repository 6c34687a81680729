/* Warnings of importlib that are issued here, as of a parent that refuses its child as an attribute: as if importlib had issued them. With
 * most filters, a text is shown once for each line that warns, and the module of that line keeps the list. */
#include FF_LAYOUT

#include "import.h"

#include <string.h>

#if FF_REPLACES_IMPORT

/* The lines that are counted from the end of a function, at the most. */
#define LINES 8

/* Notes a line among the greatest ones, which are in descending order. */
static void note_line(long lines[LINES], long line)
{
    int place = 0;
    while (place < LINES && lines[place] > line) {
        place++;
    }
    if (place < LINES && lines[place] != line) {
        memmove(&lines[place + 1], &lines[place], (size_t)(LINES - place - 1) * sizeof(lines[0]));
        lines[place] = line;
    }
}

/* The number of the line of `code` after which others are still to come, `after` of those that have code; -1 with an exception. */
static long read_line(PyObject *code, int after)
{
    PyObject *ranges = PyObject_CallMethod(code, "co_lines", NULL);
    PyObject *iterator = ranges == NULL ? NULL : PyObject_GetIter(ranges);
    Py_XDECREF(ranges);
    long lines[LINES] = {0};
    for (PyObject *range; iterator != NULL && (range = PyIter_Next(iterator)) != NULL; Py_DECREF(range)) {
        PyObject *number = PyTuple_GET_ITEM(range, 2); /* (begin, end, line), or None for the line */
        note_line(lines, PyLong_Check(number) ? PyLong_AsLong(number) : 0);
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? -1 : lines[after];
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

/* _warnings.warn(message, ImportWarning), as called by _find_and_load_unlocked() in the line before the last `after` ones. -1 with an
 * exception. */
static int warn(PyObject *message /* stolen, may be NULL */, int after)
{
    PyObject *code = PyFunction_GET_CODE(ff_import.find_and_load_unlocked);
    PyObject *module = Py_XNewRef(PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names.__name__));
    long line = PyErr_Occurred() ? -1 : read_line(code, after);
    PyObject *registry = line < 0 ? NULL : read_registry();
    int status = registry == NULL ? -1
                                  : PyErr_WarnExplicitObject(PyExc_ImportWarning, message, ((PyCodeObject *)code)->co_filename,
                                                             (int)line, module, registry);
    Py_XDECREF(module);
    Py_XDECREF(registry);
    Py_XDECREF(message);
    return status;
}

/* -1 with an exception, which the warning may be. */
int ff_warn_refused_child(const ff_family *family)
{
    return warn(PyUnicode_FromFormat("Cannot set an attribute on %R for child module %R", family->parent, family->child),
                FF_LINES_OF_LAZY_IMPORTS + 1);
}

/* The same, of what was raised by _imp._set_lazy_attributes(): the last line of importlib's function is `return module`. */
int ff_warn_lazy_attributes(PyObject *name, PyObject *error)
{
    return warn(PyUnicode_FromFormat("Cannot set lazy attributes on %R: %R", name, error), 1);
}
#endif
