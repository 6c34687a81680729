/* A bytecode file that takes the place of its source: hash-based ones (PEP 552) are believed without a look at the source,
 * or hold another version of it. Those with a timestamp say no more than the source's own size and time. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* sys.implementation.cache_tag, NULL when there is none: then importlib reads no bytecode files
 * (Lib/importlib/_bootstrap_external.py, cache_from_source()). A new reference. */
static PyObject *read_cache_tag(void)
{
    PyObject *implementation = PySys_GetObject("implementation");
    PyObject *tag = implementation == NULL ? NULL : PyObject_GetAttrString(implementation, "cache_tag");
    if (tag == NULL) {
        PyErr_Clear();
    }
    else if (tag == Py_None) {
        Py_CLEAR(tag);
    }
    return tag;
}

/* Puts the path of the source's bytecode file into `result`: 1; 0 when there can be none; -1 when it cannot be told. */
static int bytecode_path(const char *source, char *result)
{
    PyObject *tag = read_cache_tag();
    if (tag == NULL) {
        return 0;
    }
    ff_text tag_text, prefix_text = {"", 0};
    PyObject *prefix = PySys_GetObject("pycache_prefix");
    const char *slash = strrchr(source, '/');
    const char *dot = strrchr(source, '.');
    int is_known = slash != NULL && dot > slash && ff_read_text(tag, &tag_text) &&
                   (prefix == NULL || prefix == Py_None || (ff_read_text(prefix, &prefix_text) && prefix_text.length > 0));
    if (is_known) {
        int length = snprintf(result, PATH_MAX, "%s%.*s%s/%.*s.%s.pyc", prefix_text.data, (int)(slash - source), source,
                              prefix_text.length > 0 ? "" : "/__pycache__", (int)(dot - slash - 1), slash + 1, tag_text.data);
        is_known = length > 0 && length < PATH_MAX;
    }
    Py_DECREF(tag);
    return is_known ? 1 : -1;
}

/* Whether importlib would take other code from a bytecode file than from the source, which has the hash `source_hash`.
 * `identity`: of a bytecode file of which it is known that it would not. */
int ff_has_other_bytecode(const char *source, uint64_t identity, uint64_t source_hash)
{
    char path[PATH_MAX];
    int is_known = bytecode_path(source, path);
    if (is_known <= 0) {
        return is_known < 0;
    }
    struct stat status;
    if (ff_stat(path, &status) < 0 || ff_identity(&status, 1) == identity) {
        return 0;
    }
    struct {
        uint32_t magic, flags;
        uint64_t hash;
    } header;
    /* importlib goes on with the source where the file cannot be read, is too short, or has another magic number. */
    if (ff_read_file(path, (char *)&header, sizeof(header)) != (ssize_t)sizeof(header) ||
        header.magic != (uint32_t)PyImport_GetMagicNumber()) {
        return 0;
    }
    return (header.flags & 1) != 0 && header.hash != source_hash;
}
