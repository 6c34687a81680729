/* Files that take precedence over a frozen source in the same directory: extension modules, and a package of its name
 * (Lib/importlib/_bootstrap_external.py, FileFinder.find_spec()). */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAX_SUFFIXES 8
static char suffixes[MAX_SUFFIXES][64]; /* of extension modules */
static int suffix_count = -1;           /* -1: not known */

/* Asks _imp.extension_suffixes(), once. 0 when that fails. */
static int know_suffixes(void)
{
    if (suffix_count >= 0) {
        return 1;
    }
    PyObject *name = PyUnicode_FromString("_imp");
    PyObject *imp = name == NULL ? NULL : PyImport_GetModule(name);
    PyObject *list = imp == NULL ? NULL : PyObject_CallMethod(imp, "extension_suffixes", NULL);
    int is_known = list != NULL && PyList_Check(list) && PyList_GET_SIZE(list) <= MAX_SUFFIXES;
    for (Py_ssize_t i = 0; is_known && i < PyList_GET_SIZE(list); i++) {
        ff_text suffix;
        is_known = ff_read_text(PyList_GET_ITEM(list, i), &suffix) && suffix.length < sizeof(suffixes[0]);
        if (is_known) {
            memcpy(suffixes[i], suffix.data, suffix.length + 1);
        }
    }
    if (is_known) {
        suffix_count = (int)PyList_GET_SIZE(list);
    }
    PyErr_Clear();
    Py_XDECREF(name);
    Py_XDECREF(imp);
    Py_XDECREF(list);
    return is_known;
}

/* Whether there is such a file; so, too, when the path is too long to say. */
static int is_file(const char *stem, const char *suffix)
{
    char path[PATH_MAX];
    struct stat status;
    int length = snprintf(path, sizeof(path), "%s%s", stem, suffix);
    return length < 0 || (size_t)length >= sizeof(path) || (ff_stat(path, &status) == 0 && S_ISREG(status.st_mode));
}

static int has_extension(const char *stem)
{
    for (int i = 0; i < suffix_count; i++) {
        if (is_file(stem, suffixes[i])) {
            return 1;
        }
    }
    return 0;
}

/* Whether importlib would load another file than the source of the frozen module `tail` in `folder`. */
int ff_has_rival(const char *folder, const char *tail, int is_package)
{
    char stem[PATH_MAX], init[PATH_MAX];
    struct stat status;
    int length = snprintf(stem, sizeof(stem), "%s/%s", folder, tail);
    int init_length = snprintf(init, sizeof(init), "%s/%s/__init__", folder, tail);
    if (!know_suffixes() || length < 0 || init_length < 0 || (size_t)init_length >= sizeof(init)) {
        return 1;
    }
    if (is_package) {
        return has_extension(init);
    }
    if (has_extension(stem)) {
        return 1;
    }
    return ff_stat(stem, &status) == 0 && S_ISDIR(status.st_mode) &&
           (has_extension(init) || is_file(init, ".py") || is_file(init, ".pyc"));
}
