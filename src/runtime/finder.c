/* Modules that are found on disk. The path-based importer goes its ordinary way along sys.path; what changes is what
 * two of its methods do when they come to a frozen module: FileFinder.find_spec() knows without a look at the folder
 * that the module is there, and SourceLoader.get_code() has its code. Everything else is left to the originals. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Objects of importlib._bootstrap_external that the fast ways need, held from installation on. */
static struct {
    PyObject *file_finder;        /* FileFinder */
    PyObject *get_spec;           /* FileFinder._get_spec, which find_spec() goes through */
    PyObject *source_file_loader; /* SourceFileLoader */
    ff_class loader_class;        /* the same, as it was */
    PyObject *extension_loader;   /* ExtensionFileLoader */
    PyObject *module_spec;        /* importlib._bootstrap.ModuleSpec */
    PyObject *find_spec;          /* FileFinder.find_spec as it was */
    PyObject *get_code;           /* SourceLoader.get_code as it was */
    PyObject *sys;                /* the names of sys */
    PyObject *cache_tag;          /* sys.implementation.cache_tag */
    PyObject *cache_suffix;       /* ".cpython-313.pyc" */
    PyObject *str_path, *str_name, *str_loaders, *str_py, *str_get_spec, *str_target;
    PyObject *str_set_fileattr, *str_cached, *str_locations;
    PyObject *str_pycache_prefix, *str_implementation, *str_cache_tag;
    PyObject *origin_keyword; /* ("origin",) */
} ff;

/* ---- FileFinder.find_spec ---- */

/* Whether a finder looks for modules as those in sys.path_importer_cache do: in nobody's subclass, extension modules
 * first, then .py files with SourceFileLoader. */
int ff_is_usual_finder(PyObject *finder)
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
    int is_usual = 0;
    for (Py_ssize_t i = 0; PyList_CheckExact(loaders) && i < PyList_GET_SIZE(loaders); i++) {
        PyObject *pair = PyList_GET_ITEM(loaders, i);
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !PyUnicode_CheckExact(PyTuple_GET_ITEM(pair, 0))) {
            break;
        }
        PyObject *loader = PyTuple_GET_ITEM(pair, 1);
        if (PyUnicode_Compare(PyTuple_GET_ITEM(pair, 0), ff.str_py) == 0) {
            is_usual = loader == ff.source_file_loader;
            break;
        }
        if (loader != ff.extension_loader) {
            break;
        }
    }
    Py_DECREF(loaders);
    return is_usual;
}

/* sys.implementation.cache_tag as it was at the start: the name of byte code files has not changed. */
static int has_usual_cache_tag(void)
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
    if ((prefix != NULL && prefix != Py_None) || !has_usual_cache_tag()) {
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

/* Whether the source file of a frozen module may be taken for what was frozen. */
int ff_is_current(const ff_source *source, ff_text folder, ff_text tail)
{
    if (!ff_checks_sources()) {
        return 1;
    }
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s%s", folder.data, tail.data,
                          source->is_package ? "/__init__.py" : ".py");
    return length > 0 && (size_t)length < sizeof(path) && !ff_is_stale(source, path);
}

/* Sets *spec to the spec of a frozen module, or to NULL when the original has to look. */
static int find_frozen_spec(PyObject *finder, PyObject *fullname, PyObject **spec)
{
    *spec = NULL;
    ff_text name, path;
    if (!ff_read_text(fullname, &name) || !ff_images_available() || ff_is_import_observed() ||
        !ff_is_usual_finder(finder)) {
        return 0;
    }
    PyObject *folder = PyObject_GetAttr(finder, ff.str_path);
    if (folder == NULL) {
        PyErr_Clear();
        return 0;
    }
    int status = 0;
    if (ff_read_text(folder, &path)) {
        const char *dot = memrchr(name.data, '.', name.length);
        ff_text tail = name;
        if (dot != NULL) {
            tail.data = dot + 1;
            tail.length = name.length - (size_t)(tail.data - name.data);
        }
        const ff_source *source = ff_find_source(path, tail);
        if (source != NULL && ff_is_text(ff_image_name(source->image), name.data, name.length) &&
            ff_is_current(source, path, tail)) {
            *spec = ff_make_spec(fullname, folder, tail.data, source->is_package);
            status = *spec == NULL ? -1 : 0;
        }
    }
    Py_DECREF(folder);
    return status;
}

/* Whether a call is find_spec(fullname) or find_spec(fullname, target), the target perhaps by name. */
static int is_plain_call(Py_ssize_t count, PyObject *keywords)
{
    Py_ssize_t named = keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords);
    return count >= 1 && count + named <= 2 &&
           (named == 0 || PyUnicode_Compare(PyTuple_GET_ITEM(keywords, 0), ff.str_target) == 0);
}

/* Calls a method as it was, which also says what is wrong with the arguments. */
static PyObject *call_original(PyObject *method, PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                               PyObject *keywords)
{
    Py_ssize_t total = count + (keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords));
    PyObject **stack = PyMem_New(PyObject *, total + 1);
    if (stack == NULL) {
        return PyErr_NoMemory();
    }
    stack[0] = self;
    if (total > 0) {
        memcpy(stack + 1, arguments, (size_t)total * sizeof(PyObject *));
    }
    PyObject *result = PyObject_Vectorcall(method, stack, (size_t)count + 1, keywords);
    PyMem_Free(stack);
    return result;
}

static PyObject *finder_find_spec(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (is_plain_call(count, keywords)) {
        PyObject *spec;
        if (find_frozen_spec(self, arguments[0], &spec) < 0 || spec != NULL) {
            return spec;
        }
    }
    return call_original(ff.find_spec, self, arguments, count, keywords);
}

/* ---- SourceLoader.get_code ---- */

/* The frozen module whose source file is `path`, or NULL. */
static const ff_source *source_of_path(ff_text path)
{
    if (path.length < 3 || memcmp(path.data + path.length - 3, ".py", 3) != 0) {
        return NULL;
    }
    path.length -= 3;
    int is_package = path.length > 9 && memcmp(path.data + path.length - 9, "/__init__", 9) == 0;
    if (is_package) {
        path.length -= 9;
    }
    const char *slash = memrchr(path.data, '/', path.length);
    if (slash == NULL) {
        return NULL;
    }
    ff_text folder = {path.data, (size_t)(slash - path.data)};
    ff_text tail = {slash + 1, path.length - folder.length - 1};
    const ff_source *source = ff_find_source(folder, tail);
    return source != NULL && source->is_package == is_package ? source : NULL;
}

/* A SourceFileLoader, of whose methods none was replaced. */
static int is_usual_loader(PyObject *loader)
{
    return Py_TYPE(loader) == ff.loader_class.type && ff_is_class_usual(&ff.loader_class);
}

/* The static code for a loader (a new reference), or NULL without an exception. */
static PyObject *frozen_code(PyObject *loader, PyObject *fullname)
{
    ff_text wanted, path_text;
    if (!is_usual_loader(loader) || ff_is_import_observed() ||
        !ff_read_text(fullname, &wanted)) {
        return NULL;
    }
    PyObject *code = NULL;
    PyObject *path = PyObject_GetAttr(loader, ff.str_path);
    PyObject *name = path == NULL ? NULL : PyObject_GetAttr(loader, ff.str_name);
    if (name != NULL && PyUnicode_CheckExact(name) && PyUnicode_Compare(name, fullname) == 0 &&
        ff_read_text(path, &path_text)) {
        const ff_source *source = source_of_path(path_text);
        if (source != NULL && ff_is_text(ff_image_name(source->image), wanted.data, wanted.length) &&
            !(ff_checks_sources() && ff_is_stale(source, path_text.data))) {
            code = ff_thaw(source->image, path);
        }
    }
    PyErr_Clear();
    Py_XDECREF(path);
    Py_XDECREF(name);
    return code;
}

static PyObject *loader_get_code(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    PyObject *code = count == 1 && keywords == NULL ? frozen_code(self, arguments[0]) : NULL;
    if (code == NULL) {
        return call_original(ff.get_code, self, arguments, count, keywords);
    }
    ff_install_expressions(); /* what compiles them may have been loaded before this module */
    return code;
}

/* ---- installation ---- */

static PyMethodDef find_spec_method = {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec,
                                       METH_FASTCALL | METH_KEYWORDS,
                                       "find_spec($self, fullname, target=None)\n--\n\n"
                                       "Try to find a spec for the specified module.\n\n"
                                       "Returns the matching spec, or None if not found."};
static PyMethodDef get_code_method = {"get_code", (PyCFunction)(void (*)(void))loader_get_code,
                                      METH_FASTCALL | METH_KEYWORDS,
                                      "get_code($self, fullname)\n--\n\n"
                                      "Concrete implementation of InspectLoader.get_code.\n\n"
                                      "Reading of bytecode requires path_stats to be implemented. To write\n"
                                      "bytecode, set_data must also be implemented."};

/* Puts a C method in place of a class's own; *original gets what was there. */
static int replace_method(PyObject *type, PyMethodDef *method, PyObject **original)
{
    *original = PyObject_GetAttrString(type, method->ml_name);
    PyObject *descriptor = *original == NULL ? NULL : PyDescr_NewMethod((PyTypeObject *)type, method);
    if (descriptor == NULL) {
        return -1;
    }
    int status = PyObject_SetAttrString(type, method->ml_name, descriptor);
    Py_DECREF(descriptor);
    return status;
}

static int intern_names(void)
{
    const struct {
        PyObject **place;
        const char *text;
    } names[] = {{&ff.str_path, "path"},
                 {&ff.str_name, "name"},
                 {&ff.str_loaders, "_loaders"},
                 {&ff.str_py, ".py"},
                 {&ff.str_set_fileattr, "_set_fileattr"},
                 {&ff.str_cached, "_cached"},
                 {&ff.str_locations, "submodule_search_locations"},
                 {&ff.str_get_spec, "_get_spec"},
                 {&ff.str_target, "target"},
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

/* Called when the path-based importer is in place, and whenever zipimport is loaded again. Returns -1 with an exception
 * when the interpreter is not as we know it. */
int ff_install_import_hooks(void)
{
    static int installed;
    if (installed) {
        return 0;
    }
    installed = 1;
    PyObject *external = PyImport_AddModule("_frozen_importlib_external");
    PyObject *bootstrap = PyImport_AddModule("_frozen_importlib");
    PyObject *sys = PyImport_AddModule("sys");
    if (external == NULL || bootstrap == NULL || sys == NULL || intern_names() < 0) {
        return -1;
    }
    ff.sys = Py_NewRef(PyModule_GetDict(sys));
    if (find_cache_suffix() < 0) {
        return -1;
    }
    ff_remember_folders();
    ff.file_finder = PyObject_GetAttrString(external, "FileFinder");
    ff.get_spec = ff.file_finder == NULL ? NULL : PyObject_GetAttr(ff.file_finder, ff.str_get_spec);
    ff.source_file_loader = PyObject_GetAttrString(external, "SourceFileLoader");
    ff.extension_loader = PyObject_GetAttrString(external, "ExtensionFileLoader");
    ff.module_spec = PyObject_GetAttrString(bootstrap, "ModuleSpec");
    PyObject *source_loader = PyObject_GetAttrString(external, "SourceLoader");
    if (ff.get_spec == NULL || ff.source_file_loader == NULL || ff.extension_loader == NULL || ff.module_spec == NULL || source_loader == NULL) {
        Py_XDECREF(source_loader);
        return -1;
    }
    int status = replace_method(ff.file_finder, &find_spec_method, &ff.find_spec);
    if (status == 0) {
        status = replace_method(source_loader, &get_code_method, &ff.get_code);
    }
    Py_DECREF(source_loader);
    if (status == 0) {
        status = ff_remember_class(&ff.loader_class, external, "SourceFileLoader");
    }
    if (status < 0 || ff_install_import_function(bootstrap, external) < 0) {
        return -1;
    }
    ff_install_snippets();
    return 0;
}
