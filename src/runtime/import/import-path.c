/* Where on the path a module is, without a call where the answer is known: Lib/importlib/_bootstrap_external.py,
 * PathFinder.find_spec() and _get_spec() (3.12.1: lines 1485 to 1537). Whoever was asked is not asked again: from the first
 * question to code of others on, the search goes on here to its end. */
#include FF_LAYOUT

#include "import.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if FF_REPLACES_IMPORT

/* The frames of _find_spec(), PathFinder.find_spec() and PathFinder._get_spec(). */
#define FRAMES 3

static PyObject *call_nothing(PyObject *function)
{
    return PyObject_Vectorcall(function, NULL, 0, NULL);
}

/* `with _ImportLockContext():` — importlib searches under the import lock. -1 with an exception. */
int ff_acquire_import_lock(void)
{
    PyObject *locked = call_nothing(ff_import.acquire_lock);
    Py_XDECREF(locked);
    return locked == NULL ? -1 : 0;
}

void ff_release_import_lock(void)
{
    ff_exception raised = ff_take_exception();
    Py_XDECREF(call_nothing(ff_import.release_lock));
    ff_chain_exception(raised);
}

/* ---- finders of path entries ---- */

/* Whether a folder has no file or folder that could be the module, as far as its finder's listing is up to date:
 * importlib._bootstrap_external.FileFinder.find_spec(). */
static ff_answer is_surely_absent(const ff_finder *finder, ff_text folder, ff_text tail)
{
    struct stat status;
    if (!PyFloat_CheckExact(finder->listed) || !PySet_CheckExact(finder->entries) ||
        ff_stat(folder.length == 0 ? "." : folder.data, &status) < 0) {
        return FF_NO;
    }
    double mtime = (double)status.st_mtim.tv_sec + 1e-9 * (double)status.st_mtim.tv_nsec; /* Modules/posixmodule.c */
    if (PyFloat_AS_DOUBLE(finder->listed) != mtime) {
        return FF_NO;
    }
    for (Py_ssize_t i = -1; i < PyList_GET_SIZE(finder->loaders); i++) {
        PyObject *loader, *suffix = NULL;
        if (i >= 0 && !ff_read_loader(PyList_GET_ITEM(finder->loaders, i), &suffix, &loader)) {
            return FF_NO;
        }
        PyObject *file = suffix == NULL ? PyUnicode_FromStringAndSize(tail.data, (Py_ssize_t)tail.length)
                                        : PyUnicode_FromFormat("%s%U", tail.data, suffix);
        int is_listed = file == NULL ? -1 : PySet_Contains(finder->entries, file);
        Py_XDECREF(file);
        if (is_listed != 0) {
            return is_listed < 0 ? FF_FAILED : FF_NO;
        }
    }
    return FF_YES;
}

/* What an unmodified FileFinder says, as far as that is known without it; FF_UNSURE: it has to be asked. */
static ff_answer predict_finder(PyObject *finder, ff_wanted *wanted)
{
    ff_finder read;
    ff_text folder;
    ff_answer answer = ff_read_finder(finder, &read);
    if (answer != FF_YES) {
        return answer == FF_NO ? FF_UNSURE : answer;
    }
    answer = ff_read_text(read.path, &folder);
    if (answer == FF_YES && (wanted->source == NULL || ff_find_source(folder, wanted->tail) != wanted->source)) {
        answer = is_surely_absent(&read, folder, wanted->tail);
        answer = answer == FF_YES ? FF_NO : ff_failed_or(answer, FF_UNSURE);
    }
    else if (answer == FF_YES) {
        answer = ff_is_current(wanted->source, folder, wanted->tail);
        if (answer == FF_YES) {
            wanted->spec = ff_make_spec(wanted->name, read.path, wanted->tail.data, wanted->source->is_package, 1);
            wanted->found = FF_AS_SOURCE;
        }
        answer = answer != FF_YES ? ff_failed_or(answer, FF_UNSURE) : wanted->spec == NULL ? FF_FAILED : FF_YES;
    }
    else {
        answer = ff_failed_or(answer, FF_UNSURE);
    }
    ff_clear_finder(&read);
    return answer;
}

/* Whether it is an unmodified FileFinder, which runs no code of others. */
static ff_answer is_file_finder(PyObject *finder)
{
    ff_finder read;
    ff_answer answer = ff_read_finder(finder, &read);
    ff_clear_finder(&read);
    return answer;
}

/* finder.find_spec(fullname, target); before 3.12, a finder without that is asked by _legacy_get_spec(). A new reference. */
static PyObject *call_find_spec(PyObject *finder, PyObject *name)
{
    PyObject *find_spec = PyObject_GetAttr(finder, ff_import.names.find_spec);
    if (find_spec == NULL) {
        if (FF_REQUIRES_FIND_SPEC || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        _PyErr_StackItem missing;
        ff_begin_handling(&missing);
        PyObject *arguments[] = {ff_import.path_finder, name, finder};
        PyObject *spec = PyObject_VectorcallMethod(ff_import.names._legacy_get_spec, arguments, 3, NULL);
        ff_end_handling(&missing);
        return spec;
    }
    PyObject *arguments[] = {name, Py_None};
    PyObject *spec = PyObject_Vectorcall(find_spec, arguments, 2, NULL);
    Py_DECREF(find_spec);
    return spec;
}

/* Asks a finder. A folder without __init__.py has a spec without a loader: `portions` gets its places, and a module further on
 * wins. */
static ff_answer ask_finder(PyObject *finder, ff_wanted *wanted, PyObject **portions)
{
    if (ff_enter_frames(FRAMES) < 0) {
        return FF_FAILED;
    }
    PyObject *spec = call_find_spec(finder, wanted->name);
    ff_leave_frames(FRAMES);
    if (spec == NULL || spec == Py_None) {
        Py_XDECREF(spec);
        return spec == NULL ? FF_FAILED : FF_NO;
    }
    PyObject *loader = PyObject_GetAttr(spec, ff_import.names.loader), *places = NULL, *result = NULL;
    if (loader != NULL && loader != Py_None) {
        Py_DECREF(loader);
        wanted->spec = spec;
        wanted->found = FF_BY_OTHERS;
        return FF_YES;
    }
    if (loader != NULL) {
        places = PyObject_GetAttr(spec, ff_import.names.submodule_search_locations);
    }
    if (places == Py_None) {
        PyErr_SetString(PyExc_ImportError, "spec missing loader");
    }
    else if (places != NULL && (*portions != NULL || (*portions = PyList_New(0)) != NULL)) {
        result = PyObject_CallMethodOneArg(*portions, ff_import.names.extend, places);
    }
    Py_XDECREF(loader);
    Py_XDECREF(places);
    Py_XDECREF(result);
    Py_DECREF(spec);
    return result == NULL ? FF_FAILED : FF_NO;
}

/* ---- the path ---- */

/* The working directory (a new reference); NULL, perhaps with an exception, where importlib has to ask. */
static PyObject *read_working_directory(void)
{
    char path[PATH_MAX], *directory;
    Py_BEGIN_ALLOW_THREADS
    directory = getcwd(path, sizeof(path));
    Py_END_ALLOW_THREADS
    return directory == NULL ? NULL : PyUnicode_DecodeFSDefault(directory);
}

/* Gives the finder that is known for an entry of the path (a new reference). FF_NO: importlib has to find it. */
static ff_answer find_known_finder(PyObject *entry, PyObject **finder)
{
    PyObject *cache = PyDict_GetItemWithError(ff_import.sys, ff_import.names.path_importer_cache);
    *finder = NULL;
    if (cache != NULL && PyDict_CheckExact(cache) && PyUnicode_CheckExact(entry)) {
        Py_INCREF(cache);
        PyObject *path = PyUnicode_GET_LENGTH(entry) > 0 ? Py_NewRef(entry) : read_working_directory();
        *finder = path == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(cache, path));
        Py_XDECREF(path);
        Py_DECREF(cache);
    }
    return ff_forgive(*finder == NULL ? FF_NO : FF_YES);
}

/* The finder for an entry of the path (a new reference): PathFinder._path_importer_cache(). Hooks may be asked for it. */
static PyObject *finder_for(PyObject *entry, ff_wanted *wanted)
{
    PyObject *finder;
    if (find_known_finder(entry, &finder) != FF_NO) {
        return finder;
    }
    ff_note_foreign_code(wanted);
    if (ff_enter_frames(FRAMES) < 0) {
        return NULL;
    }
    finder = PyObject_CallMethodOneArg(ff_import.path_finder, ff_import.names._path_importer_cache, entry);
    ff_leave_frames(FRAMES);
    return finder;
}

/* Looks for the module in what one entry of the path stands for. FF_UNSURE: nobody was asked, and the original may ask. */
static ff_answer search_entry(PyObject *entry, ff_wanted *wanted, PyObject **portions)
{
    int is_text = PyUnicode_CheckExact(entry);
    if (!is_text && !wanted->is_begun) {
        return FF_UNSURE;
    }
    if (!is_text && !PyUnicode_Check(entry) && !(FF_SEARCHES_BYTES && PyBytes_Check(entry))) {
        return FF_NO;
    }
    PyObject *finder = finder_for(entry, wanted);
    if (finder == NULL || finder == Py_None) {
        Py_XDECREF(finder);
        return finder == NULL ? FF_FAILED : FF_NO;
    }
    ff_answer answer = ff_may_import(wanted);
    answer = answer == FF_YES ? predict_finder(finder, wanted) : answer == FF_NO ? FF_UNSURE : answer;
    if (answer == FF_UNSURE) {
        ff_answer is_ours = is_file_finder(finder);
        if (is_ours == FF_NO && (wanted->is_begun || wanted->source != NULL)) {
            ff_note_foreign_code(wanted);
            is_ours = FF_YES;
        }
        answer = is_ours == FF_YES ? ask_finder(finder, wanted, portions) : is_ours == FF_NO ? FF_UNSURE : is_ours;
    }
    Py_DECREF(finder);
    return answer;
}

/* With `precedence: frozen-first`: the entry of sys.path that the module was frozen from, wherever that is, if its finder is one
 * of importlib's. */
static ff_answer search_frozen_first(PyObject *path, ff_wanted *wanted)
{
    ff_text root, entry;
    if (!ff_frozen_first || wanted->source == NULL || wanted->path != NULL || !ff_read_root(wanted->source, &root)) {
        return FF_NO;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        PyObject *folder = PyList_GET_ITEM(path, i);
        ff_answer is_text = ff_read_text(folder, &entry);
        if (is_text == FF_FAILED) {
            return FF_FAILED;
        }
        entry = is_text == FF_YES ? ff_strip_slashes(entry) : entry;
        if (is_text == FF_NO || entry.length != root.length || memcmp(entry.data, root.data, root.length) != 0) {
            continue;
        }
        Py_INCREF(folder);
        PyObject *finder = finder_for(folder, wanted);
        Py_DECREF(folder);
        ff_answer answer = finder == NULL ? FF_FAILED : ff_may_import(wanted);
        answer = answer == FF_YES ? predict_finder(finder, wanted) : answer;
        Py_XDECREF(finder);
        if (answer == FF_YES || answer == FF_FAILED) {
            return answer;
        }
    }
    return FF_NO;
}

/* The spec of a namespace package (a new reference). */
static PyObject *make_namespace_spec(PyObject *name, PyObject *portions)
{
    PyObject *arguments[] = {name, Py_None}, *path = NULL;
    PyObject *spec = PyObject_Vectorcall(ff_import.module_spec, arguments, 2, NULL);
    PyObject *class_name = FF_NAMES_NAMESPACE_PATH ? ff_import.names.NamespacePath : ff_import.names._NamespacePath;
    PyObject *class = PyDict_GetItemWithError(ff_import.external, class_name); /* borrowed */
    PyObject *get_spec = class == NULL ? NULL : PyObject_GetAttr(ff_import.path_finder, ff_import.names._get_spec);
    if (spec != NULL && get_spec != NULL) {
        path = PyObject_CallFunctionObjArgs(class, name, portions, get_spec, NULL);
    }
    if (path == NULL || PyObject_SetAttr(spec, ff_import.names.origin, Py_None) < 0 ||
        PyObject_SetAttr(spec, ff_import.names.submodule_search_locations, path) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_NameError, "name %R is not defined", class_name);
        }
        Py_CLEAR(spec);
    }
    Py_XDECREF(get_spec);
    Py_XDECREF(path);
    return spec;
}

static ff_answer search_entries(PyObject *path, ff_wanted *wanted)
{
    PyObject *portions = NULL; /* of a namespace package */
    ff_answer answer = search_frozen_first(path, wanted);
    for (Py_ssize_t i = 0; answer == FF_NO && i < PyList_GET_SIZE(path); i++) {
        PyObject *entry = Py_NewRef(PyList_GET_ITEM(path, i));
        answer = search_entry(entry, wanted, &portions);
        Py_DECREF(entry);
    }
    if (answer == FF_NO && portions != NULL && PyList_GET_SIZE(portions) > 0) {
        wanted->spec = make_namespace_spec(wanted->name, portions);
        wanted->found = FF_BY_OTHERS;
        answer = wanted->spec == NULL ? FF_FAILED : FF_YES;
    }
    Py_XDECREF(portions);
    return answer;
}

/* PathFinder.find_spec(). FF_UNSURE: nobody of others was asked. */
ff_answer ff_search_path(ff_wanted *wanted)
{
    PyObject *path = wanted->path != NULL && wanted->path != Py_None
                         ? wanted->path
                         : PyDict_GetItemWithError(ff_import.sys, ff_import.names.path);
    if (path == NULL || !PyList_CheckExact(path)) {
        return ff_forgive(FF_UNSURE);
    }
    Py_INCREF(path);
    ff_answer answer = FF_FAILED;
    if (ff_acquire_import_lock() == 0) {
        answer = search_entries(path, wanted);
        ff_release_import_lock();
    }
    Py_DECREF(path);
    return PyErr_Occurred() ? FF_FAILED : answer;
}
#endif
