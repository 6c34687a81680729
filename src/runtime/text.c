/* Python strings as C has them. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <string.h>

/* Whether a str has lone surrogates. Encoding those looks for an error handler, and thereby imports `encodings`, at a start long before
 * its turn. */
static int has_surrogates(PyObject *text)
{
    if (PyUnicode_READY(text) < 0 || PyUnicode_MAX_CHAR_VALUE(text) < 0xd800) {
        return 0; /* without memory, encoding fails, too */
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < length; i++) {
        if (Py_UNICODE_IS_SURROGATE(PyUnicode_READ_CHAR(text, i))) {
            return 1;
        }
    }
    return 0;
}

/* The UTF-8 form of an exact str (it lives as long as that). FF_NO for other objects, and for text that no path can be. */
ff_answer ff_read_text(PyObject *object, ff_text *result)
{
    Py_ssize_t length;
    if (!PyUnicode_CheckExact(object) || has_surrogates(object)) {
        return FF_NO;
    }
    result->data = PyUnicode_AsUTF8AndSize(object, &length);
    if (result->data == NULL) {
        return ff_forgive(FF_NO);
    }
    result->length = (size_t)length;
    return memchr(result->data, '\0', result->length) == NULL ? FF_YES : FF_NO;
}

/* A folder without the slashes at its end, which importlib leaves out when it joins paths: nothing of the root folder. */
ff_text ff_strip_slashes(ff_text folder)
{
    while (folder.length > 0 && folder.data[folder.length - 1] == '/') {
        folder.length--;
    }
    return folder;
}

/* Puts parts one after the other into `path`, of PATH_MAX bytes; 0 when it has no room for them. */
int ff_join_path(char *path, const ff_text *parts, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length >= PATH_MAX - length) {
            return 0;
        }
        memcpy(path + length, parts[i].data, parts[i].length);
        length += parts[i].length;
    }
    path[length] = '\0';
    return 1;
}

int ff_is_text(const char *string, const char *data, size_t length)
{
    return strlen(string) == length && memcmp(string, data, length) == 0;
}
