/* Files that take precedence over a frozen source in the same directory: extension modules, and a package of its name
 * (Lib/importlib/_bootstrap_external.py, FileFinder.find_spec()). */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <string.h>

#define MAX_SUFFIXES 8
static char suffixes[MAX_SUFFIXES][64]; /* of extension modules */
static int suffix_count = -1;           /* -1: not known */

/* Copies a list of them. FF_UNSURE: it has others than C knows what to do with. */
static ff_answer copy_suffixes(PyObject *list)
{
    if (!PyList_Check(list) || PyList_GET_SIZE(list) > MAX_SUFFIXES) {
        return FF_UNSURE;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        ff_text suffix;
        ff_answer answer = ff_read_text(PyList_GET_ITEM(list, i), &suffix);
        if (answer != FF_YES || suffix.length >= sizeof(suffixes[0])) {
            return ff_failed_or(answer, FF_UNSURE);
        }
        memcpy(suffixes[i], suffix.data, suffix.length + 1);
    }
    suffix_count = (int)PyList_GET_SIZE(list);
    return FF_YES;
}

/* Asks _imp.extension_suffixes(), once. */
static ff_answer know_suffixes(void)
{
    if (suffix_count >= 0) {
        return FF_YES;
    }
    PyObject *name = PyUnicode_FromString("_imp");
    PyObject *imp = name == NULL ? NULL : PyImport_GetModule(name);
    PyObject *list = imp == NULL ? NULL : PyObject_CallMethod(imp, "extension_suffixes", NULL);
    ff_answer answer = list == NULL ? ff_forgive(FF_UNSURE) : copy_suffixes(list);
    Py_XDECREF(name);
    Py_XDECREF(imp);
    Py_XDECREF(list);
    return answer;
}

/* Whether there is such a file; so, too, when the path is too long to say. */
static int is_file(const char *stem, const char *suffix)
{
    char path[PATH_MAX];
    struct stat status;
    const ff_text parts[] = {{stem, strlen(stem)}, {suffix, strlen(suffix)}};
    return !ff_join_path(path, parts, 2) || (ff_stat(path, &status) == 0 && S_ISREG(status.st_mode));
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

/* Whether there is a package at `stem`; `init`: its __init__, without a suffix. */
static int is_package_there(const char *stem, const char *init)
{
    struct stat status;
    return ff_stat(stem, &status) == 0 && S_ISDIR(status.st_mode) &&
           (has_extension(init) || is_file(init, ".py") || is_file(init, ".pyc"));
}

/* Whether importlib would load another file than the source of the frozen module `tail` in `folder`; so, too, when it cannot be
 * told. */
ff_answer ff_has_rival(ff_text folder, ff_text tail, int is_package)
{
    char stem[PATH_MAX], init[PATH_MAX];
    const ff_text parts[] = {folder, FF_LITERAL("/"), tail, FF_LITERAL("/__init__")};
    ff_answer is_known = know_suffixes();
    if (is_known != FF_YES || !ff_join_path(stem, parts, 3) || !ff_join_path(init, parts, 4)) {
        return ff_failed_or(is_known, FF_YES);
    }
    int has_rival = is_package ? has_extension(init) : has_extension(stem) || is_package_there(stem, init);
    return has_rival ? FF_YES : FF_NO;
}
