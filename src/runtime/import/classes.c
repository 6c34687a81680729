/* Whether classes of importlib are as they were. A class gets another version tag when it or a base is changed; but tags
 * also go when nothing was changed (in 3.10, at the end of a subinterpreter), so what the class and its bases hold is
 * compared then. */
#include FF_LAYOUT

#include "flashfreeze.h"

/* Looking something up in a class gives it a version tag, if there are any left. */
static void renew_tag(ff_class *class)
{
    PyObject *name = PyUnicode_InternFromString("__init__");
    if (name == NULL) {
        PyErr_Clear();
        return;
    }
    (void)_PyType_Lookup(class->type, name);
    Py_DECREF(name);
    class->version_tag = class->type->tp_version_tag;
}

/* -1 with an exception. */
int ff_remember_class(ff_class *class, PyObject *module, const char *name)
{
    PyObject *type = PyObject_GetAttrString(module, name);
    if (type == NULL) {
        return -1;
    }
    class->type = (PyTypeObject *)type;
    class->mro = Py_NewRef(class->type->tp_mro);
    Py_ssize_t count = PyTuple_GET_SIZE(class->mro) - 1; /* object stays as it is */
    class->contents = PyTuple_New(count);
    for (Py_ssize_t i = 0; class->contents != NULL && i < count; i++) {
        PyObject *copy = PyDict_Copy(((PyTypeObject *)PyTuple_GET_ITEM(class->mro, i))->tp_dict);
        if (copy == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(class->contents, i, copy);
    }
    renew_tag(class);
    return class->contents == NULL ? -1 : 0;
}

static int hold_the_same(PyObject *before, PyObject *now)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (PyDict_GET_SIZE(before) != PyDict_GET_SIZE(now)) {
        return 0;
    }
    while (PyDict_Next(before, &position, &name, &value)) {
        if (PyDict_GetItemWithError(now, name) != value) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}

int ff_is_class_unmodified(ff_class *class)
{
    if (class->version_tag != 0 && class->type->tp_version_tag == class->version_tag) {
        return 1;
    }
    if (class->type->tp_mro != class->mro) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(class->contents); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(class->mro, i);
        if (!hold_the_same(PyTuple_GET_ITEM(class->contents, i), base->tp_dict)) {
            return 0;
        }
    }
    renew_tag(class);
    return 1;
}
