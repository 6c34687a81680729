/* Modules that are found on disk. The path-based importer goes its ordinary way along sys.path; what changes is what
 * two of its methods do when they come to a frozen module: FileFinder.find_spec() knows without a look at the folder
 * that the module is there, and SourceLoader.get_code() has its code. Everything else is left to the originals. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

#if defined(__GLIBC__)
#define ff_memrchr memrchr
#endif

/* Objects of importlib._bootstrap_external that the fast ways need, held from installation on. */
static struct {
    PyObject *file_finder;        /* FileFinder */
    PyObject *source_file_loader; /* SourceFileLoader */
    PyObject *module_spec;        /* importlib._bootstrap.ModuleSpec */
    PyObject *find_spec;          /* FileFinder.find_spec as it was */
    PyObject *get_code;           /* SourceLoader.get_code as it was */
    PyObject *cache_suffix;       /* ".cpython-313.pyc" */
    PyObject *stdlib_dir;         /* sys._stdlib_dir */
    PyObject *str_path, *str_name, *str_loaders, *str_origin, *str_py;
    PyObject *str_set_fileattr, *str_cached, *str_locations, *str_pycache_prefix;
    PyObject *origin_keyword; /* ("origin",) */
} ff;

/* ---- the table ---- */

static const ff_source *lookup(uint16_t root, const char *key, size_t length)
{
    uint32_t i = ff_hash(key, length) & ff_source_bucket_mask;
    for (; ff_source_buckets[i] != 0; i = (i + 1) & ff_source_bucket_mask) {
        const ff_source *source = &ff_sources[ff_source_buckets[i] - 1];
        if (source->root == root && strncmp(source->key, key, length) == 0 && source->key[length] == '\0') {
            return source;
        }
    }
    return NULL;
}

/* The text of a root folder, or NULL when it is not known. */
static const char *root_text(uint32_t root, size_t *length)
{
    const char *text = ff_roots[root];
    if (text == NULL) {
        if (ff.stdlib_dir == NULL) {
            return NULL;
        }
        *length = (size_t)PyUnicode_GET_LENGTH(ff.stdlib_dir);
        return (const char *)PyUnicode_1BYTE_DATA(ff.stdlib_dir);
    }
    *length = strlen(text);
    return text;
}

/* The frozen module `tail` in the folder `path` (of sys.path, or of a package below such a folder), or NULL. */
const ff_source *ff_find_source(const char *path, size_t path_length, const char *tail, size_t tail_length)
{
    char key[512];
    for (uint32_t root = 0; root < ff_root_count; root++) {
        size_t root_length;
        const char *text = root_text(root, &root_length);
        if (text == NULL || path_length < root_length || memcmp(path, text, root_length) != 0) {
            continue;
        }
        size_t below = path_length - root_length;
        if (below > 0) {
            if (path[root_length] != '/' || below + tail_length > sizeof(key)) {
                continue;
            }
            memcpy(key, path + root_length + 1, below - 1);
            key[below - 1] = '/';
        }
        else if (tail_length > sizeof(key)) {
            continue;
        }
        memcpy(key + below, tail, tail_length);
        const ff_source *source = lookup((uint16_t)root, key, below + tail_length);
        if (source != NULL) {
            return source;
        }
    }
    return NULL;
}

/* The path of the module's source file (a new reference), NULL with an exception. */
PyObject *ff_source_path(const ff_source *source)
{
    size_t length;
    const char *root = root_text(source->root, &length);
    if (root == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the standard library's folder is not known");
        return NULL;
    }
    return PyUnicode_FromFormat("%s/%s%s", root, source->key, source->is_package ? "/__init__.py" : ".py");
}

/* ---- FileFinder.find_spec ---- */

/* Whether a FileFinder takes .py files with SourceFileLoader, as those on sys.path_importer_cache do. */
static int has_usual_loaders(PyObject *finder)
{
    PyObject *loaders = PyObject_GetAttr(finder, ff.str_loaders);
    if (loaders == NULL) {
        PyErr_Clear();
        return 0;
    }
    int found = 0;
    for (Py_ssize_t i = 0; PyList_CheckExact(loaders) && i < PyList_GET_SIZE(loaders) && !found; i++) {
        PyObject *pair = PyList_GET_ITEM(loaders, i);
        found = PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2 &&
                PyTuple_GET_ITEM(pair, 1) == ff.source_file_loader &&
                PyUnicode_CheckExact(PyTuple_GET_ITEM(pair, 0)) &&
                PyUnicode_Compare(PyTuple_GET_ITEM(pair, 0), ff.str_py) == 0;
    }
    Py_DECREF(loaders);
    return found;
}

/* What cache_from_source() gives without sys.pycache_prefix: folder/__pycache__/tail.cpython-313.pyc. */
static int set_cached(PyObject *spec, PyObject *folder, const char *stem)
{
    PyObject *prefix = PySys_GetObject("pycache_prefix");
    if (prefix != NULL && prefix != Py_None) {
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
static PyObject *make_spec(PyObject *fullname, PyObject *folder, const char *tail, int is_package)
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

static int is_plain_text(PyObject *object)
{
    return PyUnicode_CheckExact(object) && PyUnicode_IS_ASCII(object);
}

/* Sets *spec to the spec of a frozen module, or to NULL when the original has to look. */
static int find_frozen_spec(PyObject *finder, PyObject *fullname, PyObject **spec)
{
    *spec = NULL;
    if (!is_plain_text(fullname) || !ff_images_available()) {
        return 0;
    }
    PyObject *folder = PyObject_GetAttr(finder, ff.str_path);
    if (folder == NULL) {
        PyErr_Clear();
        return 0;
    }
    int status = 0;
    if (is_plain_text(folder)) {
        const char *name = (const char *)PyUnicode_1BYTE_DATA(fullname);
        size_t length = (size_t)PyUnicode_GET_LENGTH(fullname);
        const char *dot = ff_memrchr(name, '.', length);
        const char *tail = dot == NULL ? name : dot + 1;
        const ff_source *source = ff_find_source((const char *)PyUnicode_1BYTE_DATA(folder),
                                                 (size_t)PyUnicode_GET_LENGTH(folder), tail,
                                                 length - (size_t)(tail - name));
        if (source != NULL && strcmp(source->image->name, name) == 0 && has_usual_loaders(finder)) {
            *spec = make_spec(fullname, folder, tail, source->is_package);
            status = *spec == NULL ? -1 : 0;
        }
    }
    Py_DECREF(folder);
    return status;
}

static PyObject *finder_find_spec(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (count >= 1) {
        PyObject *spec;
        if (find_frozen_spec(self, arguments[0], &spec) < 0 || spec != NULL) {
            return spec;
        }
    }
    Py_ssize_t total = count + (keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords));
    PyObject *stack[4] = {self};
    if (total > 3) {
        PyErr_SetString(PyExc_TypeError, "find_spec() takes from 2 to 3 positional arguments");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < total; i++) {
        stack[i + 1] = arguments[i];
    }
    return PyObject_Vectorcall(ff.find_spec, stack, (size_t)count + 1, keywords);
}

/* ---- SourceLoader.get_code ---- */

/* The frozen module whose source file is `path`, or NULL. */
static const ff_source *source_of_path(PyObject *path)
{
    if (!is_plain_text(path)) {
        return NULL;
    }
    const char *text = (const char *)PyUnicode_1BYTE_DATA(path);
    size_t length = (size_t)PyUnicode_GET_LENGTH(path);
    if (length < 3 || memcmp(text + length - 3, ".py", 3) != 0) {
        return NULL;
    }
    length -= 3;
    int is_package = length > 9 && memcmp(text + length - 9, "/__init__", 9) == 0;
    if (is_package) {
        length -= 9;
    }
    const char *slash = ff_memrchr(text, '/', length);
    if (slash == NULL) {
        return NULL;
    }
    const char *tail = slash + 1;
    const ff_source *source =
        ff_find_source(text, (size_t)(slash - text), tail, length - (size_t)(tail - text));
    return source != NULL && source->is_package == is_package ? source : NULL;
}

/* The static code for a loader (a new reference), or NULL without an exception. */
static PyObject *frozen_code(PyObject *loader, PyObject *fullname)
{
    if (Py_TYPE(loader) != (PyTypeObject *)ff.source_file_loader || !is_plain_text(fullname)) {
        return NULL;
    }
    PyObject *code = NULL;
    PyObject *path = PyObject_GetAttr(loader, ff.str_path);
    PyObject *name = path == NULL ? NULL : PyObject_GetAttr(loader, ff.str_name);
    if (name != NULL && is_plain_text(name) && PyUnicode_Compare(name, fullname) == 0) {
        const ff_source *source = source_of_path(path);
        if (source != NULL && strcmp(source->image->name, (const char *)PyUnicode_1BYTE_DATA(name)) == 0) {
            code = ff_thaw(source->image, path);
        }
    }
    PyErr_Clear();
    Py_XDECREF(path);
    Py_XDECREF(name);
    return code;
}

static PyObject *loader_get_code(PyObject *self, PyObject *fullname)
{
    PyObject *code = frozen_code(self, fullname);
    if (code != NULL) {
        return code;
    }
    PyObject *stack[] = {self, fullname};
    return PyObject_Vectorcall(ff.get_code, stack, 2, NULL);
}

/* ---- installation ---- */

static PyMethodDef find_spec_method = {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec,
                                       METH_FASTCALL | METH_KEYWORDS,
                                       "Try to find a spec for the specified module.\n\n"
                                       "Returns the matching spec, or None if not found."};
static PyMethodDef get_code_method = {"get_code", loader_get_code, METH_O,
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
                 {&ff.str_locations, "submodule_search_locations"}};
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
    PyObject *implementation = PySys_GetObject("implementation");
    PyObject *tag = implementation == NULL ? NULL : PyObject_GetAttrString(implementation, "cache_tag");
    if (tag == NULL) {
        return -1;
    }
    ff.cache_suffix = PyUnicode_Check(tag) ? PyUnicode_FromFormat(".%U.pyc", tag) : NULL;
    Py_DECREF(tag);
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
    if (external == NULL || bootstrap == NULL || intern_names() < 0 || find_cache_suffix() < 0) {
        return -1;
    }
    PyObject *folder = PySys_GetObject("_stdlib_dir");
    if (folder != NULL && is_plain_text(folder)) {
        ff.stdlib_dir = Py_NewRef(folder);
    }
    ff.file_finder = PyObject_GetAttrString(external, "FileFinder");
    ff.source_file_loader = PyObject_GetAttrString(external, "SourceFileLoader");
    ff.module_spec = PyObject_GetAttrString(bootstrap, "ModuleSpec");
    PyObject *source_loader = PyObject_GetAttrString(external, "SourceLoader");
    if (ff.file_finder == NULL || ff.source_file_loader == NULL || ff.module_spec == NULL || source_loader == NULL) {
        Py_XDECREF(source_loader);
        return -1;
    }
    int status = replace_method(ff.file_finder, &find_spec_method, &ff.find_spec);
    if (status == 0) {
        status = replace_method(source_loader, &get_code_method, &ff.get_code);
    }
    Py_DECREF(source_loader);
    return status;
}
