/* Python strings as C has them. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

/* The UTF-8 form of an exact str (it lives as long as that); 0 for other objects, and for text that no path can be. */
int ff_read_text(PyObject *object, ff_text *result)
{
    Py_ssize_t length;
    if (!PyUnicode_CheckExact(object)) {
        return 0;
    }
    result->data = PyUnicode_AsUTF8AndSize(object, &length);
    if (result->data == NULL) {
        PyErr_Clear(); /* lone surrogates */
        return 0;
    }
    result->length = (size_t)length;
    return memchr(result->data, '\0', result->length) == NULL;
}

int ff_is_text(const char *string, const char *data, size_t length)
{
    return strlen(string) == length && memcmp(string, data, length) == 0;
}
