/* The table of modules that are found on disk: by their folder and name. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ff_source *lookup(uint16_t root, const char *key, size_t length)
{
    uint32_t i = ff_hash(key, length) & ff_source_bucket_mask;
    for (; ff_source_buckets[i] != 0; i = (i + 1) & ff_source_bucket_mask) {
        const ff_source *source = &ff_sources[ff_source_buckets[i] - 1];
        if (source->root == root && ff_is_text(source->key, key, length)) {
            return source;
        }
    }
    return NULL;
}

/* Gives the folder of the standard library (borrowed). FF_NO: it is not known. */
static ff_answer find_stdlib_dir(PyObject **folder, ff_text *text)
{
#if FF_HAS_STDLIB_DIR
    *folder = PySys_GetObject("_stdlib_dir");
    return *folder == NULL ? FF_NO : ff_read_text(*folder, text);
#else
    /* 3.10 has no such name, but its place on sys.path: behind that of a zipped library, which is always there
     * (Modules/getpath.c, calculate_module_search_path()). */
    static const char zip[] = "/python" Py_STRINGIFY(PY_MAJOR_VERSION) Py_STRINGIFY(PY_MINOR_VERSION) ".zip";
    PyObject *path = PySys_GetObject("path");
    if (path == NULL || !PyList_Check(path)) {
        return FF_NO;
    }
    for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(path); i++) {
        ff_text entry;
        ff_answer is_text = ff_read_text(PyList_GET_ITEM(path, i), &entry);
        if (is_text == FF_FAILED) {
            return FF_FAILED;
        }
        if (is_text == FF_YES && entry.length >= sizeof(zip) - 1 &&
            memcmp(entry.data + entry.length - (sizeof(zip) - 1), zip, sizeof(zip) - 1) == 0) {
            *folder = PyList_GET_ITEM(path, i + 1);
            return ff_read_text(*folder, text);
        }
    }
    return FF_NO;
#endif
}

/* The folder of the standard library, for the life of the process; NULL where it is not known, and before the hooks are there. */
static ff_text stdlib_dir;

/* The folders of roots that are not absolute: below the one that FLASHFREEZE_ROOT names. For applications that lie
 * somewhere else in each copy, beside their interpreter. NULL, or NULL for each root, while they are not known. */
static char **placed_roots;

/* Keeps to the folders of the standard library and of the application as they are now. -1 with an exception. */
int ff_remember_folders(void)
{
    PyObject *folder;
    ff_text text;
    ff_answer is_known = find_stdlib_dir(&folder, &text);
    if (is_known == FF_FAILED) {
        return -1;
    }
    if (is_known == FF_YES) {
        Py_INCREF(folder); /* it holds the text */
        stdlib_dir = text;
    }
    const char *base = _Py_GetConfig()->use_environment ? getenv("FLASHFREEZE_ROOT") : NULL;
    if (base == NULL || base[0] != '/') {
        return 0;
    }
    placed_roots = calloc(ff_root_count + 1, sizeof(char *)); /* for the life of the process */
    for (uint32_t root = 0; placed_roots != NULL && root < ff_root_count; root++) {
        const char *below = ff_roots[root];
        if (below == NULL || below[0] == '/') {
            continue;
        }
        int is_base = strcmp(below, ".") == 0;
        size_t size = strlen(base) + strlen(below) + 2;
        placed_roots[root] = malloc(size);
        if (placed_roots[root] != NULL) {
            snprintf(placed_roots[root], size, "%s%s%s", base, is_base ? "" : "/", is_base ? "" : below);
        }
    }
    return 0;
}

/* The text of a root folder; 0 when it is not known. */
static int root_text(uint32_t root, ff_text *result)
{
    if (ff_roots[root] == NULL) {
        *result = stdlib_dir;
        return stdlib_dir.data != NULL;
    }
    result->data = ff_roots[root];
    if (result->data[0] != '/') {
        result->data = placed_roots == NULL ? NULL : placed_roots[root];
        if (result->data == NULL) {
            return 0;
        }
    }
    result->length = result->data[1] == '\0' ? 0 : strlen(result->data); /* nothing is before the slash of /module.py */
    return 1;
}

/* The frozen module `tail` in the folder `path` (of sys.path, or of a package below such a folder), or NULL. */
const ff_source *ff_find_source(ff_text path, ff_text tail)
{
    char key[PATH_MAX];
    path = ff_strip_slashes(path);
    for (uint32_t root = 0; root < ff_root_count; root++) {
        ff_text folder;
        if (!root_text(root, &folder) || path.length < folder.length ||
            memcmp(path.data, folder.data, folder.length) != 0) {
            continue;
        }
        size_t below = path.length - folder.length; /* with the slash before it */
        if (below + tail.length > sizeof(key) || (below > 0 && path.data[folder.length] != '/')) {
            continue;
        }
        if (below > 0) {
            memcpy(key, path.data + folder.length + 1, below - 1);
            key[below - 1] = '/';
        }
        memcpy(key + below, tail.data, tail.length);
        const ff_source *source = lookup((uint16_t)root, key, below + tail.length);
        if (source != NULL) {
            return source;
        }
    }
    return NULL;
}

/* The frozen module of that name that is found on disk, or NULL. */
const ff_source *ff_find_module(ff_text name)
{
    char key[PATH_MAX];
    if (name.length >= sizeof(key)) {
        return NULL;
    }
    for (size_t i = 0; i < name.length; i++) {
        key[i] = name.data[i] == '.' ? '/' : name.data[i];
    }
    for (uint32_t root = 0; root < ff_root_count; root++) {
        const ff_source *source = lookup((uint16_t)root, key, name.length);
        if (source != NULL && ff_is_text(ff_image_name(source->image), name.data, name.length)) {
            return source;
        }
    }
    return NULL;
}

/* The folder of sys.path that the module is found from; 0 when it is not known. */
int ff_read_root(const ff_source *source, ff_text *folder)
{
    return root_text(source->root, folder);
}

/* The path of the module's source file (a new reference), NULL with an exception. */
PyObject *ff_source_path(const ff_source *source)
{
    ff_text folder;
    PyObject *found;
    /* Without hooks (switched off, another interpreter) only who asks about modules comes here. */
    ff_answer is_known = root_text(source->root, &folder)       ? FF_YES
                         : ff_roots[source->root] == NULL ? find_stdlib_dir(&found, &folder)
                                                          : FF_NO;
    if (is_known == FF_FAILED) {
        return NULL;
    }
    if (is_known == FF_NO) {
        PyErr_SetString(PyExc_LookupError, "the module's folder is not known");
        return NULL;
    }
    return PyUnicode_FromFormat("%s/%s%s", folder.length == 0 ? "" : folder.data, source->key, source->is_package ? "/__init__.py" : ".py");
}
