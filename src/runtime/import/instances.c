/* Instances whose attributes are those that importlib gives them, and no others. */
#include FF_LAYOUT

#include "flashfreeze.h"

/* The dictionary of an instance whose attributes are exactly `count` ones under `names` (a new reference). FF_NO: it has
 * others, which may stand in front of methods of its class. */
ff_answer ff_read_instance(PyObject *instance, PyObject *const *names, Py_ssize_t count, PyObject **dict)
{
    *dict = PyObject_GenericGetDict(instance, NULL);
    if (*dict == NULL) {
        return ff_forgive(FF_NO);
    }
    ff_answer is_exact = PyDict_GET_SIZE(*dict) == count ? FF_YES : FF_NO;
    for (Py_ssize_t i = 0; is_exact == FF_YES && i < count; i++) {
        int is_there = PyDict_Contains(*dict, names[i]);
        is_exact = is_there < 0 ? ff_forgive(FF_NO) : is_there ? FF_YES : FF_NO;
    }
    if (is_exact != FF_YES) {
        Py_CLEAR(*dict);
    }
    return is_exact;
}
