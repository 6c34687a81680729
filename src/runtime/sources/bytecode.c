/* A bytecode file that takes the place of its source: hash-based ones (PEP 552) are believed without a look at the source,
 * or hold another version of it. Those with a timestamp say no more than the source's own size and time. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <string.h>

static PyObject *str_implementation, *str_cache_tag, *str_pycache_prefix;

static int intern_names(void)
{
    if (str_pycache_prefix == NULL) {
        str_implementation = PyUnicode_InternFromString("implementation");
        str_cache_tag = str_implementation == NULL ? NULL : PyUnicode_InternFromString("cache_tag");
        str_pycache_prefix = str_cache_tag == NULL ? NULL : PyUnicode_InternFromString("pycache_prefix");
    }
    return str_pycache_prefix == NULL ? -1 : 0;
}

/* Gives sys.implementation.cache_tag (a new reference). FF_UNSURE: there is no such thing, or somebody's own object has it, which
 * only importlib asks. */
static ff_answer read_cache_tag(PyObject **tag)
{
    PyObject *implementation = PyDict_GetItemWithError(PyInterpreterState_Get()->sysdict, str_implementation);
    *tag = NULL;
    if (implementation != NULL && strcmp(Py_TYPE(implementation)->tp_name, "types.SimpleNamespace") == 0 &&
        !PyType_HasFeature(Py_TYPE(implementation), Py_TPFLAGS_HEAPTYPE)) {
        Py_INCREF(implementation);
        *tag = PyObject_GetAttr(implementation, str_cache_tag);
        Py_DECREF(implementation);
    }
    return *tag == NULL ? ff_forgive(FF_UNSURE) : FF_YES;
}

static char suffix[64];     /* ".cpython-313.pyc" */
static PyObject *known_tag; /* which it is made of (owned) */

/* Gives what names of bytecode files end with: ".cpython-313.pyc". FF_NO: there are no such files; FF_UNSURE: only importlib can tell
 * (Lib/importlib/_bootstrap_external.py, cache_from_source()). */
ff_answer ff_read_bytecode_suffix(ff_text *result)
{
    PyObject *tag;
    ff_text text;
    ff_answer answer = intern_names() < 0 ? FF_FAILED : read_cache_tag(&tag);
    if (answer != FF_YES) {
        return answer;
    }
    if (tag != known_tag) {
        answer = tag == Py_None ? FF_NO : ff_read_text(tag, &text);
        if (answer == FF_NO || (answer == FF_YES && text.length + sizeof("..pyc") > sizeof(suffix))) {
            answer = tag == Py_None ? FF_NO : FF_UNSURE;
        }
        if (answer != FF_YES) {
            Py_DECREF(tag);
            return answer;
        }
        suffix[0] = '.';
        memcpy(suffix + 1, text.data, text.length);
        memcpy(suffix + 1 + text.length, ".pyc", sizeof(".pyc"));
        Py_XSETREF(known_tag, Py_NewRef(tag));
    }
    Py_DECREF(tag);
    *result = (ff_text){suffix, strlen(suffix)};
    return FF_YES;
}

/* Puts the path of the source's bytecode file into `result`. FF_NO: there can be none. */
static ff_answer bytecode_path(const char *source, char *result)
{
    ff_text suffix_text;
    ff_answer answer = ff_read_bytecode_suffix(&suffix_text);
    if (answer != FF_YES) {
        return answer;
    }
    PyObject *prefix = PyDict_GetItemWithError(PyInterpreterState_Get()->sysdict, str_pycache_prefix);
    ff_text prefix_text = {"", 0};
    if (prefix == NULL) {
        return ff_forgive(FF_UNSURE);
    }
    if (prefix != Py_None && (answer = ff_read_text(prefix, &prefix_text)) != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    const char *slash = strrchr(source, '/'), *dot = strrchr(source, '.');
    if (slash == NULL || dot < slash || (prefix != Py_None && prefix_text.length == 0)) {
        return FF_UNSURE;
    }
    const ff_text parts[] = {prefix_text,
                             {source, (size_t)(slash - source)},
                             prefix == Py_None ? FF_LITERAL("/__pycache__") : FF_LITERAL(""),
                             {slash, (size_t)(dot - slash)},
                             suffix_text};
    return ff_join_path(result, parts, sizeof(parts) / sizeof(parts[0])) ? FF_YES : FF_UNSURE;
}

/* Whether importlib would take other code from a bytecode file than from the source, which has the hash `source_hash`; so, too,
 * when it cannot be told. `identity`: of a bytecode file of which it is known that it would not. */
ff_answer ff_has_other_bytecode(const char *source, uint64_t identity, uint64_t source_hash)
{
    char path[PATH_MAX];
    ff_answer has_path = bytecode_path(source, path);
    if (has_path != FF_YES) {
        return has_path == FF_UNSURE ? FF_YES : has_path;
    }
    struct stat status;
    if (ff_stat(path, &status) < 0 || ff_identity(&status, 1) == identity) {
        return FF_NO;
    }
    struct {
        uint32_t magic, flags;
        uint64_t hash;
    } header;
    /* importlib goes on with the source where the file cannot be read, is too short, or has another magic number. */
    if (ff_read_file(path, (char *)&header, sizeof(header)) != (ssize_t)sizeof(header) ||
        header.magic != (uint32_t)PyImport_GetMagicNumber()) {
        return FF_NO;
    }
    return (header.flags & 1) != 0 && header.hash != source_hash ? FF_YES : FF_NO;
}
