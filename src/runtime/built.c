/* Constants that only a running interpreter can make. */
#include FF_LAYOUT

#include "flashfreeze.h"

static PyObject *build_slice(PyObject *items)
{
    return PySlice_New(PyTuple_GET_ITEM(items, 0), PyTuple_GET_ITEM(items, 1), PyTuple_GET_ITEM(items, 2));
}

/* A str of one Latin-1 character or none: the interpreter's own object, interned where the compiler does that
 * (Objects/codeobject.c, all_name_chars()). */
static PyObject *own_str(int value)
{
    PyObject *text = value < 0 ? PyUnicode_New(0, 0) : PyUnicode_FromOrdinal(value);
    if (text != NULL && value > 0 && value < 0x80 && (Py_ISALNUM(value) || value == '_')) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

static PyObject *build(const ff_image *image, const ff_built *built)
{
    (void)image; /* of no use in the absolute model */
    PyObject *items = built->items == 0 ? NULL : FF_FOLLOW(image, PyObject, built->items);
    switch (built->kind) {
    case FF_BUILD_FROZENSET:
        return PyFrozenSet_New(items);
    case FF_BUILD_SLICE:
        return build_slice(items);
    case FF_BUILD_INT:
        return PyLong_FromLong(built->value);
    case FF_BUILD_STR:
        return own_str(built->value);
    case FF_BUILD_BYTES:
        return PyBytes_FromStringAndSize(NULL, 0);
    case FF_BUILD_TUPLE:
        return PyTuple_New(0);
    default:
        /* Not PyErr_BadInternalCall(), which tells in which folder this file lay. */
        PyErr_Format(PyExc_SystemError, "_flashfreeze: no constant is of kind %d", (int)built->kind);
        return NULL;
    }
}

/* Makes them all and fills their slots. -1 with an exception without memory: what was made stays in its slots, and all can
 * be made another time. */
int ff_build_constants(const ff_image *image)
{
    for (const ff_built *built = FF_FOLLOW(image, const ff_built, image->built); built->kind != 0; built++) {
        PyObject *object = build(image, built);
        if (object == NULL) {
            return -1;
        }
        for (const ff_slot *slot = FF_FOLLOW(image, const ff_slot, built->slots); *slot != 0; slot++) {
            *FF_FOLLOW(image, PyObject *, *slot) = Py_NewRef(object);
        }
        Py_DECREF(object); /* the slots keep it */
    }
    return 0;
}
