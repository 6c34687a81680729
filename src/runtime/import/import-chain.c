/* The locks of a submodule's parents (since 3.15): those that are not loaded yet, or still being loaded, are locked before the submodule
 * itself, from the top down. Lib/importlib/_bootstrap.py, _HierarchicalLockManager (3.15.0: lines 436 to 483). */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT
#if FF_LOCKS_PARENTS
/* Whether a spec says that its module is being loaded. FF_UNSURE: only others can say that. */
static ff_answer is_initializing(PyObject *spec)
{
    if (spec == Py_None || !Py_IS_TYPE(spec, (PyTypeObject *)ff_import.module_spec)) {
        return spec == Py_None ? FF_NO : FF_UNSURE;
    }
    PyObject *value = PyObject_GetAttr(spec, ff_import.names._initializing);
    if (value == NULL) {
        return PyErr_ExceptionMatches(PyExc_AttributeError) ? ff_forgive(FF_UNSURE) : FF_FAILED;
    }
    ff_answer answer = value == Py_True ? FF_YES : value == Py_False ? FF_NO : FF_UNSURE;
    Py_DECREF(value);
    return answer;
}

/* Whether a module is not there, or still being loaded. FF_UNSURE: only others can say that. */
static ff_answer is_to_be_locked(PyObject *name)
{
    PyObject *module = PyDict_GetItemWithError(PyImport_GetModuleDict(), name); /* borrowed, as are the others */
    if (module == NULL || module == Py_None) {
        return PyErr_Occurred() ? FF_FAILED : FF_YES;
    }
    if (!PyModule_CheckExact(module)) {
        return FF_UNSURE;
    }
    PyObject *spec = PyDict_GetItemWithError(PyModule_GetDict(module), ff_import.names.__spec__);
    if (spec == NULL) {
        return PyErr_Occurred() ? FF_FAILED : FF_UNSURE;
    }
    Py_INCREF(spec);
    ff_answer answer = is_initializing(spec);
    Py_DECREF(spec);
    return answer;
}

/* Takes the lock of one parent, if need be. FF_UNSURE: somebody else holds it, or threads have other names than the system's, which are
 * asked for each lock. */
static ff_answer begin_parent(ff_wanted *wanted, PyObject *name, ff_loading **begun)
{
    ff_answer answer = is_to_be_locked(name);
    if (answer != FF_YES) {
        return answer == FF_NO ? FF_YES : answer;
    }
    answer = ff_is_owner_usual();
    ff_answer is_taken = answer == FF_YES ? ff_is_loading(name, 1) : ff_failed_or(answer, FF_YES);
    if (is_taken != FF_NO) {
        return ff_failed_or(is_taken, FF_UNSURE);
    }
    ff_owner owner;
    return ff_ask_owner(wanted, &owner) < 0 ? FF_FAILED : ff_begin_loading(wanted, name, &owner, begun);
}

/* Takes the locks of the parents; *begun is what ff_finish_loading() ends, whatever the answer is. FF_UNSURE: that is for the original
 * to do. */
ff_answer ff_begin_parents(ff_wanted *wanted, ff_loading **begun)
{
    ff_answer answer = FF_YES;
    Py_ssize_t length = PyUnicode_GET_LENGTH(wanted->name);
    for (Py_ssize_t end = 0; answer == FF_YES; end++) {
        end = PyUnicode_FindChar(wanted->name, '.', end, length, 1);
        if (end < 0) {
            return end == -1 ? FF_YES : FF_FAILED;
        }
        PyObject *parent = PyUnicode_Substring(wanted->name, 0, end);
        answer = parent == NULL ? FF_FAILED : begin_parent(wanted, parent, begun);
        Py_XDECREF(parent);
    }
    return answer;
}
#else
/* Nothing is to be locked but the module itself. */
ff_answer ff_begin_parents(ff_wanted *wanted, ff_loading **begun)
{
    (void)wanted;
    (void)begun;
    return FF_YES;
}
#endif
#endif
