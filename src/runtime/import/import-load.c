/* Loading a module that was found: importlib._bootstrap._load_unlocked(). */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* Sets `name` of the module to an attribute of the spec, unless that is None. */
static int copy_attribute(PyObject *dict, PyObject *name, PyObject *spec, PyObject *attribute)
{
    PyObject *value = PyObject_GetAttr(spec, attribute);
    int status = value == NULL ? -1 : value == Py_None ? 0 : PyDict_SetItem(dict, name, value);
    Py_XDECREF(value);
    return status;
}

/* Gives a new module the attributes that every import gives it, where it has none of its own: _init_module_attrs(). */
static int set_common_attributes(PyObject *dict, PyObject *spec, PyObject *package)
{
    PyObject *loader = PyDict_GetItemWithError(dict, ff_import.names.__loader__);
    if ((loader == NULL || loader == Py_None) &&
        (PyErr_Occurred() || copy_attribute(dict, ff_import.names.__loader__, spec, ff_import.names.loader) < 0)) {
        return -1;
    }
    PyObject *own_package = PyDict_GetItemWithError(dict, ff_import.names.__package__);
    if ((own_package == NULL || own_package == Py_None) &&
        (PyErr_Occurred() || PyDict_SetItem(dict, ff_import.names.__package__, package) < 0)) {
        return -1;
    }
    return PyDict_SetItem(dict, ff_import.names.__spec__, spec);
}

/* The same for what a module from a file has in addition, in the order of importlib. */
static int set_file_attributes(PyObject *dict, PyObject *spec)
{
    if (copy_attribute(dict, ff_import.names.__path__, spec, ff_import.names.submodule_search_locations) < 0 ||
        copy_attribute(dict, ff_import.names.__file__, spec, ff_import.names.origin) < 0) {
        return -1;
    }
    PyObject *cached = PyObject_GetAttr(spec, ff_import.names._cached);
    int is_known = cached != NULL && cached != Py_None;
    Py_XDECREF(cached);
    return copy_attribute(dict, ff_import.names.__cached__, spec,
                          is_known ? ff_import.names._cached : ff_import.names.cached);
}

/* Runs the module's code: the static one, or what its loader has instead. */
static PyObject *execute(PyObject *module, PyObject *spec, const ff_source *source)
{
    PyObject *dict = PyModule_GetDict(module);
    PyObject *path = PyDict_GetItemWithError(dict, ff_import.names.__file__);
    PyObject *code = path == NULL ? NULL : ff_thaw(source->image, path);
    if (code == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        PyObject *loader = PyObject_GetAttr(spec, ff_import.names.loader);
        PyObject *result =
            loader == NULL ? NULL : PyObject_CallMethodOneArg(loader, ff_import.names.exec_module, module);
        Py_XDECREF(loader);
        return result;
    }
    /* As exec() does, called from importlib. */
    PyObject *result = NULL;
    if (PyDict_SetItem(dict, ff_import.names.__builtins__, PyInterpreterState_Get()->builtins) == 0) {
        result = PyEval_EvalCode(code, dict, dict);
    }
    Py_DECREF(code);
    return result;
}

/* Takes the module out of sys.modules and puts whatever is there now at its end. */
static PyObject *requeue(PyObject *modules, PyObject *name)
{
    PyObject *module = Py_XNewRef(PyDict_GetItemWithError(modules, name));
    if (module == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, name);
        }
        return NULL;
    }
    if (PyDict_DelItem(modules, name) < 0 || PyDict_SetItem(modules, name, module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* Has a module in sys.modules while it is executed; gives what is there in the end (a new reference). */
typedef PyObject *(*executor)(PyObject *module, PyObject *spec, const ff_source *source);

static PyObject *load(PyObject *modules, PyObject *name, PyObject *module, PyObject *spec, const ff_source *source,
                      executor execute_module)
{
    PyObject *loaded = NULL;
    if (PyObject_SetAttr(spec, ff_import.names._initializing, Py_True) == 0 && PyDict_SetItem(modules, name, module) == 0) {
        PyObject *result = execute_module(module, spec, source);
        if (result != NULL) {
            Py_DECREF(result);
            loaded = requeue(modules, name);
        }
        else {
            FF_KEEPING_EXCEPTION((void)PyDict_DelItem(modules, name)); /* unless it removed itself */
        }
    }
    FF_KEEPING_EXCEPTION((void)PyObject_SetAttr(spec, ff_import.names._initializing, Py_False));
    return loaded;
}

/* `package` is the module's __package__. */
PyObject *ff_load_source(PyObject *modules, const ff_wanted *wanted, PyObject *spec, PyObject *package)
{
    PyObject *module = PyModule_NewObject(wanted->name), *loaded = NULL;
    PyObject *dict = module == NULL ? NULL : PyModule_GetDict(module);
    if (dict != NULL && set_common_attributes(dict, spec, package) == 0 && set_file_attributes(dict, spec) == 0) {
        loaded = load(modules, wanted->name, module, spec, wanted->source, execute);
        if (loaded != NULL) {
            ff_install_expressions();
        }
    }
    Py_XDECREF(module);
    return loaded;
}

static PyObject *execute_builtin(PyObject *module, PyObject *Py_UNUSED(spec), const ff_source *Py_UNUSED(source))
{
    return PyObject_CallOneArg(ff_import.exec_builtin, module);
}

/* The spec that BuiltinImporter.find_spec() makes. */
static PyObject *make_builtin_spec(PyObject *name)
{
    PyObject *class = (PyObject *)ff_import.classes[FF_MODULE_SPEC].type;
    PyObject *origin = PyUnicode_InternFromString("built-in");
    PyObject *keywords = Py_BuildValue("(ss)", "origin", "is_package");
    PyObject *arguments[] = {name, (PyObject *)ff_import.classes[FF_BUILTIN_IMPORTER].type, origin, Py_False};
    PyObject *spec = origin == NULL || keywords == NULL ? NULL : PyObject_Vectorcall(class, arguments, 2, keywords);
    Py_XDECREF(origin);
    Py_XDECREF(keywords);
    return spec;
}

PyObject *ff_load_builtin(PyObject *modules, PyObject *name)
{
    PyObject *spec = make_builtin_spec(name), *loaded = NULL;
    PyObject *module = spec == NULL ? NULL : PyObject_CallOneArg(ff_import.create_builtin, spec);
    PyObject *package = module == NULL ? NULL : PyUnicode_FromStringAndSize("", 0);
    if (package != NULL && PyModule_CheckExact(module) &&
        set_common_attributes(PyModule_GetDict(module), spec, package) == 0) {
        loaded = load(modules, name, module, spec, NULL, execute_builtin);
    }
    Py_XDECREF(package);
    Py_XDECREF(module);
    Py_XDECREF(spec);
    return loaded;
}
#endif
