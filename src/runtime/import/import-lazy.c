/* Lazy imports (PEP 810, since 3.15): what importlib tells the interpreter of modules that it has loaded. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* Whether a submodule of any package was to be imported lazily: only then does importing a module that is there do more than give it. */
int ff_has_lazy_submodules(void)
{
#if FF_HAS_LAZY_IMPORTS
    return PyInterpreterState_Get()->imports.has_lazy_submodules;
#else
    return 0;
#endif
}

#if FF_HAS_LAZY_IMPORTS
/* _imp._set_lazy_attributes(module, name), which takes the name out of sys.lazy_modules. A new reference. */
static PyObject *call_set_lazy_attributes(PyObject *name, PyObject *module)
{
    PyObject *imp = Py_XNewRef(PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names._imp));
    if (imp == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_NameError, "name '_imp' is not defined");
        }
        return NULL;
    }
    PyObject *arguments[] = {imp, module, name};
    PyObject *result = PyObject_VectorcallMethod(ff_import.names._set_lazy_attributes, arguments, 3, NULL);
    Py_DECREF(imp);
    return result;
}

/* The end of _find_and_load_unlocked(): what goes wrong is a warning. -1 with an exception, which that may be. */
int ff_set_lazy_attributes(PyObject *name, PyObject *module)
{
    PyObject *result = call_set_lazy_attributes(name, module);
    Py_XDECREF(result);
    if (result != NULL || !PyErr_ExceptionMatches(PyExc_Exception)) {
        return result == NULL ? -1 : 0;
    }
    _PyErr_StackItem raised;
    ff_begin_handling(&raised);
    int status = ff_warn_lazy_attributes(name, raised.exc_value);
    ff_end_handling(&raised);
    return status;
}
#else
int ff_set_lazy_attributes(PyObject *name, PyObject *module)
{
    (void)name;
    (void)module;
    return 0;
}
#endif
#endif
