/* Where a module is: what sys.meta_path and the path would answer, without a call where the answer is known. */
#include FF_LAYOUT

#include "import.h"

#include <string.h>
#include <sys/stat.h>

#if FF_REPLACES_IMPORT

static PyObject *call_nothing(PyObject *function)
{
    return PyObject_Vectorcall(function, NULL, 0, NULL);
}

/* Calls find_spec() of a finder under the import lock. */
static PyObject *call_find_spec(PyObject *find_spec, PyObject *const *arguments, size_t count)
{
    PyObject *locked = call_nothing(ff_import.acquire_lock);
    if (locked == NULL) {
        return NULL;
    }
    Py_DECREF(locked);
    PyObject *spec = PyObject_Vectorcall(find_spec, arguments, count, NULL);
    FF_KEEPING_EXCEPTION(Py_XDECREF(call_nothing(ff_import.release_lock)));
    return spec;
}

/* A finder that we know nothing of is asked as importlib asks it. FF_FOUND: it has the module, and *spec tells of it (a new
 * reference). */
static ff_outcome ask_finder(PyObject *finder, PyObject *const *arguments, size_t count, PyObject **spec)
{
    PyObject *find_spec = PyObject_GetAttr(finder, ff_import.names.find_spec);
    if (find_spec == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return FF_FAILED;
        }
        PyErr_Clear();
        return FF_REQUIRES_FIND_SPEC ? FF_ABSENT : FF_UNSURE;
    }
    *spec = call_find_spec(find_spec, arguments, count);
    Py_DECREF(find_spec);
    if (*spec == Py_None) {
        Py_CLEAR(*spec);
        return FF_ABSENT;
    }
    return *spec == NULL ? FF_FAILED : FF_FOUND;
}

/* A finder on sys.meta_path: what it finds is the module. */
static ff_outcome ask_meta_finder(PyObject *finder, ff_wanted *wanted)
{
    PyObject *arguments[] = {wanted->name, wanted->path == NULL ? Py_None : wanted->path, Py_None};
    return ask_finder(finder, arguments, 3, &wanted->spec);
}

/* The finder of an entry of the path: what it finds is the module, too, but of a folder without __init__.py it tells by a
 * spec without a loader, and a module further on wins. */
static ff_outcome ask_path_entry_finder(PyObject *finder, ff_wanted *wanted)
{
    PyObject *spec, *arguments[] = {wanted->name, Py_None};
    ff_outcome result = ask_finder(finder, arguments, 2, &spec);
    if (result != FF_FOUND) {
        return result;
    }
    PyObject *loader = PyObject_GetAttr(spec, ff_import.names.loader);
    if (loader == NULL || loader == Py_None) {
        PyErr_Clear();
        Py_DECREF(spec);
        /* Of a module that is nowhere else, only the original can make a namespace package. */
        result = loader != NULL && wanted->source != NULL ? FF_ABSENT : FF_UNSURE;
    }
    else {
        wanted->spec = spec;
    }
    Py_XDECREF(loader);
    return result;
}

/* Whether a folder has no file or folder that could be the module, as far as its finder's listing is up to date:
 * importlib._bootstrap_external.FileFinder.find_spec(). */
static int is_surely_absent(PyObject *finder, ff_text folder, ff_text tail)
{
    struct stat status;
    if (stat(folder.length == 0 ? "." : folder.data, &status) < 0) {
        return 0;
    }
    double mtime = (double)status.st_mtim.tv_sec + 1e-9 * (double)status.st_mtim.tv_nsec; /* Modules/posixmodule.c */
    PyObject *listed = PyObject_GetAttr(finder, ff_import.names._path_mtime);
    PyObject *cache = PyObject_GetAttr(finder, ff_import.names._path_cache);
    PyObject *loaders = PyObject_GetAttr(finder, ff_import.names._loaders);
    int is_absent = listed != NULL && PyFloat_CheckExact(listed) && PyFloat_AS_DOUBLE(listed) == mtime && cache != NULL &&
                    PySet_CheckExact(cache) && loaders != NULL && PyList_CheckExact(loaders);
    for (Py_ssize_t i = -1; is_absent && i < PyList_GET_SIZE(loaders); i++) {
        PyObject *loader, *suffix = NULL;
        if (i >= 0 && !ff_read_loader(PyList_GET_ITEM(loaders, i), &suffix, &loader)) {
            is_absent = 0;
            break;
        }
        PyObject *file = suffix == NULL ? PyUnicode_FromStringAndSize(tail.data, (Py_ssize_t)tail.length)
                                        : PyUnicode_FromFormat("%s%U", tail.data, suffix);
        is_absent = file != NULL && PySet_Contains(cache, file) == 0;
        Py_XDECREF(file);
    }
    PyErr_Clear();
    Py_XDECREF(listed);
    Py_XDECREF(cache);
    Py_XDECREF(loaders);
    return is_absent;
}

/* Looks for the module in what one entry of the path stands for. */
static ff_outcome query_path_entry(PyObject *finder, ff_wanted *wanted)
{
    if (finder == Py_None) {
        return FF_ABSENT;
    }
    if (!ff_is_finder_unmodified(finder)) {
        return wanted->source == NULL ? FF_UNSURE : ask_path_entry_finder(finder, wanted);
    }
    PyObject *path = PyObject_GetAttr(finder, ff_import.names.path);
    ff_text text;
    if (path == NULL) {
        return FF_FAILED;
    }
    ff_outcome result = FF_UNSURE;
    if (ff_read_text(path, &text)) {
        if (wanted->source != NULL && ff_find_source(text, wanted->tail) == wanted->source) {
            result = ff_is_current(wanted->source, text, wanted->tail) ? FF_FOUND : FF_UNSURE;
        }
        else {
            result = is_surely_absent(finder, text, wanted->tail) ? FF_ABSENT : ask_path_entry_finder(finder, wanted);
        }
    }
    if (result == FF_FOUND) {
        wanted->folder = path;
    }
    else {
        Py_DECREF(path);
    }
    return result;
}

/* The finder for an entry of sys.path (a new reference): PathFinder._path_importer_cache(). */
static PyObject *finder_for(PyObject *entry)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");
    if (cache != NULL && PyDict_CheckExact(cache) && PyUnicode_GET_LENGTH(entry) > 0) {
        PyObject *finder = PyDict_GetItemWithError(cache, entry);
        if (finder != NULL || PyErr_Occurred()) {
            return Py_XNewRef(finder);
        }
    }
    return PyObject_CallMethodOneArg((PyObject *)ff_import.classes[FF_PATH_FINDER].type, ff_import.names._path_importer_cache, entry);
}

/* With `precedence: frozen-first`: the entry of sys.path that the module was frozen from, wherever that is. */
static ff_outcome take_frozen_first(PyObject *path, ff_wanted *wanted)
{
    ff_text root, entry;
    if (!ff_frozen_first || wanted->source == NULL || wanted->path != NULL || !ff_read_root(wanted->source, &root)) {
        return FF_ABSENT;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        PyObject *folder = PyList_GET_ITEM(path, i);
        if (ff_read_text(folder, &entry) && entry.length == root.length && memcmp(entry.data, root.data, root.length) == 0 &&
            ff_is_current(wanted->source, root, wanted->tail)) {
            wanted->folder = Py_NewRef(folder);
            return FF_FOUND;
        }
    }
    return FF_ABSENT;
}

/* Looks along a path: importlib._bootstrap_external.PathFinder._get_spec(). */
static ff_outcome search_path(ff_wanted *wanted)
{
    PyObject *path = wanted->path != NULL ? wanted->path : PySys_GetObject("path");
    if (path == NULL || !PyList_CheckExact(path)) {
        return FF_UNSURE;
    }
    ff_outcome result = take_frozen_first(path, wanted);
    Py_INCREF(path);
    for (Py_ssize_t i = 0; result == FF_ABSENT && i < PyList_GET_SIZE(path); i++) {
        PyObject *entry = PyList_GET_ITEM(path, i);
        if (!PyUnicode_CheckExact(entry)) {
            result = FF_UNSURE;
            break;
        }
        Py_INCREF(entry);
        PyObject *finder = finder_for(entry);
        Py_DECREF(entry);
        result = finder == NULL ? FF_FAILED : query_path_entry(finder, wanted);
        Py_XDECREF(finder);
    }
    Py_DECREF(path);
    return result;
}

/* What a function of _imp says of a name. */
static ff_outcome ask_imp(PyObject *function, PyObject *name)
{
    PyObject *answer = PyObject_CallOneArg(function, name);
    int is_true = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is_true < 0 ? FF_FAILED : is_true ? FF_FOUND : FF_ABSENT;
}

/* What one finder on sys.meta_path says, as far as that can be told without it. */
static ff_outcome query_finder(PyObject *finder, ff_wanted *wanted)
{
    if (finder == (PyObject *)ff_import.classes[FF_PATH_FINDER].type) {
        return search_path(wanted);
    }
    /* Neither of the next two has a module that was found on disk when it was frozen. */
    if (finder == (PyObject *)ff_import.classes[FF_BUILTIN_IMPORTER].type) {
        ff_outcome result = wanted->source != NULL ? FF_ABSENT : ask_imp(ff_import.is_builtin, wanted->name);
        wanted->is_builtin = result == FF_FOUND;
        return result;
    }
    if (finder == (PyObject *)ff_import.classes[FF_FROZEN_IMPORTER].type) {
        ff_outcome result = wanted->source != NULL ? FF_ABSENT : ask_imp(ff_import.is_frozen, wanted->name);
        return result == FF_FOUND ? FF_UNSURE : result;
    }
    wanted->is_asked_for = 1; /* a foreign one */
    return FF_UNSURE;
}

/* importlib._bootstrap._find_spec(). Of a module that is found, `wanted` says where. */
ff_outcome ff_search(ff_wanted *wanted)
{
    PyObject *meta_path = PySys_GetObject("meta_path");
    if (meta_path == NULL || !PyList_CheckExact(meta_path) || PyList_GET_SIZE(meta_path) == 0) {
        return FF_UNSURE;
    }
    ff_outcome result = FF_ABSENT;
    Py_INCREF(meta_path);
    for (Py_ssize_t i = 0; result == FF_ABSENT && i < PyList_GET_SIZE(meta_path); i++) {
        PyObject *finder = Py_NewRef(PyList_GET_ITEM(meta_path, i));
        result = query_finder(finder, wanted);
        if (result == FF_UNSURE && wanted->is_asked_for) {
            /* A foreign finder, or one of importlib's after such a one, when nobody may start over any more. */
            result = ask_meta_finder(finder, wanted);
        }
        Py_DECREF(finder);
    }
    Py_DECREF(meta_path);
    return result;
}
#endif
