/* What importlib makes for a source file on the path: its finder, and the spec that leads to it
 * (Lib/importlib/_bootstrap_external.py). */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>

/* Objects of importlib, held from installation on. */
static struct {
    PyObject *file_finder;        /* FileFinder */
    PyObject *source_file_loader; /* SourceFileLoader */
    PyObject *extension_loader;   /* ExtensionFileLoader */
    PyObject *module_spec;        /* importlib._bootstrap.ModuleSpec */
    PyObject *sys;                /* the names of sys */
    PyObject *str_loaders, *str_py, *str_path, *str_path_mtime, *str_path_cache, *str_relaxed_path_cache, *str_set_fileattr;
    PyObject *str_cached, *str_locations, *str_pycache_prefix, *str_implementation, *str_cache_tag;
    PyObject *origin_keyword; /* ("origin",) */
} ff;

/* ---- FileFinder ---- */

/* Reads an entry of FileFinder._loaders, a suffix and a loader (both borrowed); 0 when it is anything else. */
int ff_read_loader(PyObject *entry, PyObject **suffix, PyObject **loader)
{
    if (!PyTuple_CheckExact(entry) || PyTuple_GET_SIZE(entry) != 2) {
        return 0;
    }
    *suffix = PyTuple_GET_ITEM(entry, 0);
    *loader = PyTuple_GET_ITEM(entry, 1);
    return PyUnicode_CheckExact(*suffix);
}

void ff_clear_finder(ff_finder *read)
{
    Py_CLEAR(read->path);
    Py_CLEAR(read->loaders);
    Py_CLEAR(read->listed);
    Py_CLEAR(read->entries);
}

/* Whether loaders are those of importlib: extension modules first, then .py files with SourceFileLoader, then whatever else
 * has a suffix. */
static int are_loaders_usual(PyObject *loaders)
{
    int finds_sources = 0;
    if (!PyList_CheckExact(loaders)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(loaders); i++) {
        PyObject *suffix, *loader;
        if (!ff_read_loader(PyList_GET_ITEM(loaders, i), &suffix, &loader)) {
            return 0;
        }
        if (!finds_sources) {
            finds_sources = PyUnicode_Compare(suffix, ff.str_py) == 0;
            if (loader != (finds_sources ? ff.source_file_loader : ff.extension_loader)) {
                return 0;
            }
        }
    }
    return finds_sources;
}

/* Reads a finder that looks for modules as those in sys.path_importer_cache do: FF_NO for one of somebody's subclass, one with
 * attributes of its own (which may be methods), and other loaders. */
ff_answer ff_read_finder(PyObject *finder, ff_finder *read)
{
    PyObject *dict;
    *read = (ff_finder){NULL, NULL, NULL, NULL};
    if (Py_TYPE(finder) != (PyTypeObject *)ff.file_finder) {
        return FF_NO;
    }
    PyObject *const names[] = {ff.str_path, ff.str_loaders, ff.str_path_mtime, ff.str_path_cache, ff.str_relaxed_path_cache};
    ff_answer answer = ff_read_instance(finder, names, sizeof(names) / sizeof(names[0]), &dict);
    if (answer != FF_YES) {
        return answer;
    }
    read->path = Py_XNewRef(PyDict_GetItemWithError(dict, ff.str_path));
    read->loaders = Py_XNewRef(PyDict_GetItemWithError(dict, ff.str_loaders));
    read->listed = Py_XNewRef(PyDict_GetItemWithError(dict, ff.str_path_mtime));
    read->entries = Py_XNewRef(PyDict_GetItemWithError(dict, ff.str_path_cache));
    Py_DECREF(dict);
    if (read->path == NULL || read->loaders == NULL || read->listed == NULL || read->entries == NULL ||
        !are_loaders_usual(read->loaders)) {
        ff_clear_finder(read);
        return ff_forgive(FF_NO);
    }
    return FF_YES;
}

/* Puts the path of a module's source file into `path`; 0 when it is too long. */
static int source_path(const ff_source *source, ff_text folder, ff_text tail, char *path)
{
    const ff_text parts[] = {folder, FF_LITERAL("/"), tail, source->is_package ? FF_LITERAL("/__init__.py") : FF_LITERAL(".py")};
    return ff_join_path(path, parts, sizeof(parts) / sizeof(parts[0]));
}

/* Whether a FileFinder finds the source file of a frozen module, whatever is in it now. */
ff_answer ff_is_found(const ff_source *source, ff_text folder, ff_text tail)
{
    char path[PATH_MAX];
    struct stat status;
    if (!ff_checks_sources()) {
        return FF_YES;
    }
    ff_answer is_displaced = source_path(source, folder, tail, path) ? ff_is_displaced(source, folder, tail) : FF_YES;
    if (is_displaced != FF_NO) {
        return ff_failed_or(is_displaced, FF_NO);
    }
    return ff_stat(path, &status) == 0 && S_ISREG(status.st_mode) ? FF_YES : FF_NO;
}

/* Whether it finds the source file, and that may be taken for what was frozen. */
ff_answer ff_is_current(const ff_source *source, ff_text folder, ff_text tail)
{
    char path[PATH_MAX];
    if (!ff_checks_sources()) {
        return FF_YES;
    }
    ff_answer answer = source_path(source, folder, tail, path) ? ff_is_displaced(source, folder, tail) : FF_YES;
    answer = answer == FF_NO ? ff_is_stale(source, path) : answer;
    return answer == FF_NO ? FF_YES : ff_failed_or(answer, FF_NO);
}

/* ---- ModuleSpec ---- */

/* What cache_from_source() gives without sys.pycache_prefix: folder/__pycache__/tail.cpython-313.pyc. */
static int set_cached(PyObject *spec, PyObject *folder, const char *stem)
{
    ff_text suffix;
    PyObject *prefix = PyDict_GetItemWithError(ff.sys, ff.str_pycache_prefix);
    ff_answer is_known = prefix == Py_None ? ff_read_bytecode_suffix(&suffix) : ff_forgive(FF_NO);
    if (is_known != FF_YES) {
        return is_known == FF_FAILED ? -1 : 0; /* left to the spec's own property */
    }
    /* For a module in the root directory, cache_from_source() gives a relative path: nothing is before the last slash. */
    const char *slash = PyUnicode_GET_LENGTH(folder) == 0 ? "" : "/";
    PyObject *cached = PyUnicode_FromFormat("%U%s__pycache__/%s%s", folder, slash, stem, suffix.data);
    if (cached == NULL) {
        return -1;
    }
    int status = PyObject_SetAttr(spec, ff.str_cached, cached);
    Py_DECREF(cached);
    return status;
}

/* What get_code() asks for the path of the bytecode: whether there is one, or no tag. Where modules have no __cached__, nobody else asks for it. */
ff_answer ff_is_bytecode_path_usual(void)
{
    if (!FF_OMITS_CACHED) {
        return FF_YES;
    }
    PyObject *prefix = PyDict_GetItemWithError(ff.sys, ff.str_pycache_prefix);
    PyObject *implementation = PyDict_GetItemWithError(ff.sys, ff.str_implementation);
    if (implementation == NULL || prefix == NULL || (prefix != Py_None && !PyUnicode_CheckExact(prefix))) {
        return ff_forgive(FF_UNSURE);
    }
    PyObject *tag = PyObject_GetAttr(implementation, ff.str_cache_tag);
    int is_usual = tag == Py_None || (tag != NULL && PyUnicode_CheckExact(tag));
    Py_XDECREF(tag);
    return tag == NULL ? FF_FAILED : is_usual ? FF_YES : FF_UNSURE;
}

/* The same as ff_strip_slashes(), of an object (a new reference). */
static PyObject *strip_slashes(PyObject *folder)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(folder);
    while (length > 0 && PyUnicode_READ_CHAR(folder, length - 1) == '/') {
        length--;
    }
    return PyUnicode_Substring(folder, 0, length);
}

/* The spec that FileFinder._get_spec() makes: importlib._bootstrap_external.spec_from_file_location(). If the module `is_loading`,
 * with the path of the bytecode file that _init_module_attrs() would ask for, where modules have it as an attribute; else nobody has asked
 * yet, and may never. */
PyObject *ff_make_spec(PyObject *fullname, PyObject *directory, const char *tail, int is_package, int is_loading)
{
    PyObject *package_folder = NULL, *location = NULL, *loader = NULL, *spec = NULL, *result = NULL;
    PyObject *folder = strip_slashes(directory);
    if (folder == NULL) {
        return NULL;
    }
    if (is_package) {
        package_folder = PyUnicode_FromFormat("%U/%s", folder, tail);
        location = package_folder == NULL ? NULL : PyUnicode_FromFormat("%U/__init__.py", package_folder);
    }
    else {
        location = PyUnicode_FromFormat("%U/%s.py", folder, tail);
    }
    if (location == NULL) {
        goto done;
    }
    PyObject *loader_arguments[] = {fullname, location};
    loader = PyObject_Vectorcall(ff.source_file_loader, loader_arguments, 2, NULL);
    if (loader == NULL) {
        goto done;
    }
    PyObject *spec_arguments[] = {fullname, loader, location};
    spec = PyObject_Vectorcall(ff.module_spec, spec_arguments, 2, ff.origin_keyword);
    if (spec == NULL || PyObject_SetAttr(spec, ff.str_set_fileattr, Py_True) < 0) {
        goto done;
    }
    if (is_loading && !FF_OMITS_CACHED && set_cached(spec, is_package ? package_folder : folder, is_package ? "__init__" : tail) < 0) {
        goto done;
    }
    if (is_package) {
        PyObject *locations = PyList_New(1);
        if (locations == NULL) {
            goto done;
        }
        PyList_SET_ITEM(locations, 0, Py_NewRef(package_folder));
        int status = PyObject_SetAttr(spec, ff.str_locations, locations);
        Py_DECREF(locations);
        if (status < 0) {
            goto done;
        }
    }
    result = Py_NewRef(spec);
done:
    Py_DECREF(folder);
    Py_XDECREF(package_folder);
    Py_XDECREF(location);
    Py_XDECREF(loader);
    Py_XDECREF(spec);
    return result;
}

/* ---- installation ---- */

static int intern_names(void)
{
    const struct {
        PyObject **place;
        const char *text;
    } names[] = {{&ff.str_loaders, "_loaders"},
                 {&ff.str_py, ".py"},
                 {&ff.str_path, "path"},
                 {&ff.str_path_mtime, "_path_mtime"},
                 {&ff.str_path_cache, "_path_cache"},
                 {&ff.str_relaxed_path_cache, "_relaxed_path_cache"},
                 {&ff.str_set_fileattr, "_set_fileattr"},
                 {&ff.str_cached, "_cached"},
                 {&ff.str_locations, "submodule_search_locations"},
                 {&ff.str_pycache_prefix, "pycache_prefix"},
                 {&ff.str_implementation, "implementation"},
                 {&ff.str_cache_tag, "cache_tag"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        *names[i].place = PyUnicode_InternFromString(names[i].text);
        if (*names[i].place == NULL) {
            return -1;
        }
    }
    ff.origin_keyword = Py_BuildValue("(s)", "origin");
    return ff.origin_keyword == NULL ? -1 : 0;
}

/* Called before anything here is asked. -1 with an exception when importlib is not as we know it. */
int ff_remember_file_finder(PyObject *bootstrap, PyObject *external)
{
    PyObject *sys = PyImport_AddModule("sys");
    if (sys == NULL || intern_names() < 0) {
        return -1;
    }
    ff.sys = Py_NewRef(PyModule_GetDict(sys));
    ff.file_finder = PyObject_GetAttrString(external, "FileFinder");
    ff.source_file_loader = PyObject_GetAttrString(external, "SourceFileLoader");
    ff.extension_loader = PyObject_GetAttrString(external, "ExtensionFileLoader");
    ff.module_spec = PyObject_GetAttrString(bootstrap, "ModuleSpec");
    return PyErr_Occurred() ? -1 : 0;
}
