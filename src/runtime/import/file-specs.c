/* What importlib makes for a source file on the path: its finder, and the spec that leads to it
 * (Lib/importlib/_bootstrap_external.py). */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>

/* Objects of importlib, held from installation on. */
static struct {
    PyObject *file_finder;        /* FileFinder */
    PyObject *get_spec;           /* FileFinder._get_spec, which find_spec() goes through */
    PyObject *source_file_loader; /* SourceFileLoader */
    PyObject *extension_loader;   /* ExtensionFileLoader */
    PyObject *module_spec;        /* importlib._bootstrap.ModuleSpec */
    PyObject *sys;                /* the names of sys */
    PyObject *cache_tag;          /* sys.implementation.cache_tag */
    PyObject *cache_suffix;       /* ".cpython-313.pyc" */
    PyObject *str_loaders, *str_py, *str_get_spec, *str_set_fileattr, *str_cached, *str_locations;
    PyObject *str_pycache_prefix, *str_implementation, *str_cache_tag;
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

/* Whether a finder looks for modules as those in sys.path_importer_cache do: in nobody's subclass, extension modules
 * first, then .py files with SourceFileLoader, then whatever else has a suffix. */
int ff_is_finder_unmodified(PyObject *finder)
{
    PyTypeObject *type = (PyTypeObject *)ff.file_finder;
    if (Py_TYPE(finder) != type || _PyType_Lookup(type, ff.str_get_spec) != ff.get_spec) {
        return 0;
    }
    PyObject *loaders = PyObject_GetAttr(finder, ff.str_loaders);
    if (loaders == NULL) {
        PyErr_Clear();
        return 0;
    }
    int finds_sources = 0, is_known = PyList_CheckExact(loaders);
    for (Py_ssize_t i = 0; is_known && i < PyList_GET_SIZE(loaders); i++) {
        PyObject *suffix, *loader;
        is_known = ff_read_loader(PyList_GET_ITEM(loaders, i), &suffix, &loader);
        if (!is_known || finds_sources) {
            continue;
        }
        finds_sources = PyUnicode_Compare(suffix, ff.str_py) == 0;
        is_known = loader == (finds_sources ? ff.source_file_loader : ff.extension_loader);
    }
    Py_DECREF(loaders);
    return is_known && finds_sources;
}

/* Whether the source file of a frozen module may be taken for what was frozen. */
int ff_is_current(const ff_source *source, ff_text folder, ff_text tail)
{
    if (!ff_checks_sources()) {
        return 1;
    }
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s%s", folder.data, tail.data,
                          source->is_package ? "/__init__.py" : ".py");
    return length > 0 && (size_t)length < sizeof(path) && !ff_is_displaced(source, folder.data, tail.data) &&
           !ff_is_stale(source, path);
}

/* ---- ModuleSpec ---- */

/* sys.implementation.cache_tag as it was at the start: the name of bytecode files has not changed. */
static int is_cache_tag_unmodified(void)
{
    PyObject *implementation = PyDict_GetItemWithError(ff.sys, ff.str_implementation);
    PyObject *tag = implementation == NULL ? NULL : PyObject_GetAttr(implementation, ff.str_cache_tag);
    PyErr_Clear();
    Py_XDECREF(tag);
    return tag == ff.cache_tag;
}

/* What cache_from_source() gives without sys.pycache_prefix: folder/__pycache__/tail.cpython-313.pyc. */
static int set_cached(PyObject *spec, PyObject *folder, const char *stem)
{
    PyObject *prefix = PyDict_GetItemWithError(ff.sys, ff.str_pycache_prefix);
    if (prefix == NULL && PyErr_Occurred()) {
        return -1;
    }
    if ((prefix != NULL && prefix != Py_None) || !is_cache_tag_unmodified()) {
        return 0; /* left to the spec's own property */
    }
    PyObject *cached = PyUnicode_FromFormat("%U/__pycache__/%s%U", folder, stem, ff.cache_suffix);
    if (cached == NULL) {
        return -1;
    }
    int status = PyObject_SetAttr(spec, ff.str_cached, cached);
    Py_DECREF(cached);
    return status;
}

/* The spec that FileFinder._get_spec() makes: importlib._bootstrap_external.spec_from_file_location(). */
PyObject *ff_make_spec(PyObject *fullname, PyObject *folder, const char *tail, int is_package)
{
    PyObject *package_folder = NULL, *location = NULL, *loader = NULL, *spec = NULL, *result = NULL;
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
    if (spec == NULL || PyObject_SetAttr(spec, ff.str_set_fileattr, Py_True) < 0 ||
        set_cached(spec, is_package ? package_folder : folder, is_package ? "__init__" : tail) < 0) {
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
                 {&ff.str_get_spec, "_get_spec"},
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

/* ".cpython-313.pyc", from sys.implementation.cache_tag; without a tag there is no cache and nothing of ours is used. */
static int find_cache_suffix(void)
{
    PyObject *implementation = PyDict_GetItemWithError(ff.sys, ff.str_implementation);
    ff.cache_tag = implementation == NULL ? NULL : PyObject_GetAttr(implementation, ff.str_cache_tag);
    if (ff.cache_tag == NULL || !PyUnicode_Check(ff.cache_tag)) {
        return -1;
    }
    ff.cache_suffix = PyUnicode_FromFormat(".%U.pyc", ff.cache_tag);
    return ff.cache_suffix == NULL ? -1 : 0;
}

/* Called before anything here is asked. -1 with an exception when importlib is not as we know it. */
int ff_remember_file_finder(PyObject *bootstrap, PyObject *external)
{
    PyObject *sys = PyImport_AddModule("sys");
    if (sys == NULL || intern_names() < 0) {
        return -1;
    }
    ff.sys = Py_NewRef(PyModule_GetDict(sys));
    if (find_cache_suffix() < 0) {
        return -1;
    }
    ff.file_finder = PyObject_GetAttrString(external, "FileFinder");
    ff.get_spec = ff.file_finder == NULL ? NULL : PyObject_GetAttr(ff.file_finder, ff.str_get_spec);
    ff.source_file_loader = PyObject_GetAttrString(external, "SourceFileLoader");
    ff.extension_loader = PyObject_GetAttrString(external, "ExtensionFileLoader");
    ff.module_spec = PyObject_GetAttrString(bootstrap, "ModuleSpec");
    return PyErr_Occurred() ? -1 : 0;
}
