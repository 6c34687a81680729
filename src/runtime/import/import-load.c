/* Loading a module that was found: Lib/importlib/_bootstrap.py, _load_unlocked() (3.12.1: lines 911 to 952), module_from_spec() and
 * _init_module_attrs(), for specs that were made here. Other specs are loaded by importlib's own function. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* The frames that stand before the code of a module: _load_unlocked(), exec_module(), _call_with_frames_removed(). Up to 3.11, the call
 * of exec() counts, too. */
#define FRAMES (FF_COUNTS_RECURSION >= 312 ? 3 : 4)
/* The first of them, when the loader is asked. */
#define LOADING_FRAMES 1

/* Sets `name` of the module to an attribute of the spec, unless that is None. */
static int copy_attribute(PyObject *dict, PyObject *name, PyObject *spec, PyObject *attribute)
{
    PyObject *value = PyObject_GetAttr(spec, attribute);
    int status = value == NULL ? -1 : value == Py_None ? 0 : PyDict_SetItem(dict, name, value);
    Py_XDECREF(value);
    return status;
}

/* Gives a new module the attributes that every import gives it, where it has none of its own. `package` is its __package__. */
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
#if FF_OMITS_CACHED
    return 0;
#else
    PyObject *cached = PyObject_GetAttr(spec, ff_import.names._cached);
    int is_known = cached != NULL && cached != Py_None;
    Py_XDECREF(cached);
    if (cached == NULL) {
        return -1;
    }
    return copy_attribute(dict, ff_import.names.__cached__, spec,
                          is_known ? ff_import.names._cached : ff_import.names.cached);
#endif
}

/* spec.parent: the name of a package, or what comes before the last dot. A new reference. */
static PyObject *parent_of(const ff_wanted *wanted)
{
    if (wanted->found == FF_AS_SOURCE && wanted->source->is_package) {
        return Py_NewRef(wanted->name);
    }
    const char *text = PyUnicode_AsUTF8(wanted->name);
    Py_ssize_t length = text == NULL ? 0 : wanted->tail.data - text;
    return text == NULL ? NULL : PyUnicode_FromStringAndSize(text, length == 0 ? 0 : length - 1);
}

/* _init_module_attrs() */
static int init_attributes(PyObject *module, const ff_wanted *wanted)
{
    if (!PyModule_CheckExact(module)) {
        PyObject *arguments[] = {wanted->spec, module};
        PyObject *result = ff_call_bootstrap(ff_import.names._init_module_attrs, arguments, 2);
        Py_XDECREF(result);
        return result == NULL ? -1 : 0;
    }
    PyObject *dict = PyModule_GetDict(module), *package = parent_of(wanted);
    int status = package == NULL ? -1 : set_common_attributes(dict, wanted->spec, package);
    Py_XDECREF(package);
    return status == 0 && wanted->found == FF_AS_SOURCE ? set_file_attributes(dict, wanted->spec) : status;
}

/* Calls a function of _imp from a frame of importlib. Where a module in C imports others, as _pickle does, the frame that runs says by which
 * __import__(), and with which globals. */
static PyObject *call_for_builtin(PyObject *function, PyObject *argument)
{
    PyObject *arguments[] = {function, argument};
    return ff_call_bootstrap(ff_import.names._call_with_frames_removed, arguments, 2);
}

/* module_from_spec(). A new reference. */
static PyObject *make_module(const ff_wanted *wanted)
{
    PyObject *module = wanted->found == FF_AS_BUILTIN ? call_for_builtin(ff_import.create_builtin, wanted->spec)
                                                      : PyModule_NewObject(wanted->name);
    if (module != NULL && init_attributes(module, wanted) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* spec.loader.exec_module(module) */
static PyObject *call_exec_module(PyObject *module, PyObject *spec)
{
    PyObject *loader = PyObject_GetAttr(spec, ff_import.names.loader), *result = NULL;
    if (loader != NULL && ff_enter_frames(LOADING_FRAMES) == 0) {
        result = PyObject_CallMethodOneArg(loader, ff_import.names.exec_module, module);
        ff_leave_frames(LOADING_FRAMES);
    }
    Py_XDECREF(loader);
    return result;
}

/* The same: runs the static code, or what the loader has instead. */
static PyObject *execute(PyObject *module, const ff_wanted *wanted)
{
    if (wanted->found == FF_AS_BUILTIN) {
        return call_for_builtin(ff_import.exec_builtin, module);
    }
    PyObject *dict = PyModule_GetDict(module);
    PyObject *path = Py_XNewRef(PyDict_GetItemWithError(dict, ff_import.names.__file__)), *code = NULL;
    ff_answer has_code = path == NULL ? ff_forgive(FF_UNSURE) : ff_is_bytecode_path_usual();
    has_code = has_code == FF_YES ? ff_thaw(wanted->source->image, path, &code) : ff_failed_or(has_code, FF_UNSURE);
    Py_XDECREF(path);
    if (has_code == FF_FAILED) {
        return NULL;
    }
    if (has_code == FF_UNSURE) {
        return call_exec_module(module, wanted->spec);
    }
    if (ff_rules != NULL) {
        ff_rules->mark_point();
    }
    /* As exec() does, called from importlib. */
    PyObject *result = NULL;
    if (PyDict_SetItem(dict, ff_import.names.__builtins__, PyInterpreterState_Get()->builtins) == 0 &&
        ff_enter_frames(FRAMES) == 0) {
        result = PyEval_EvalCode(code, dict, dict);
        ff_leave_frames(FRAMES);
    }
    Py_DECREF(code);
    if (ff_rules != NULL) {
        ff_rules->mark_point();
    }
    return result;
}

/* sys.modules[spec.name] = module: both are read anew, as the module may have replaced them. */
static int put_module(PyObject *spec, PyObject *module)
{
    PyObject *modules = ff_read_modules();
    PyObject *name = modules == NULL ? NULL : PyObject_GetAttr(spec, ff_import.names.name);
    int status = name == NULL ? -1 : PyObject_SetItem(modules, name, module);
    Py_XDECREF(modules);
    Py_XDECREF(name);
    return status;
}

/* del sys.modules[spec.name], if it is there. */
static int delete_module(PyObject *spec)
{
    PyObject *modules = ff_read_modules();
    PyObject *name = modules == NULL ? NULL : PyObject_GetAttr(spec, ff_import.names.name);
    int status = name == NULL ? -1 : PyObject_DelItem(modules, name);
    if (status < 0 && name != NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        status = 0;
    }
    Py_XDECREF(modules);
    Py_XDECREF(name);
    return status;
}

/* Takes the module out of sys.modules and puts whatever is there now at its end:
 *     module = sys.modules.pop(spec.name); sys.modules[spec.name] = module */
static PyObject *requeue(PyObject *spec)
{
    PyObject *modules = ff_read_modules();
    PyObject *name = modules == NULL ? NULL : PyObject_GetAttr(spec, ff_import.names.name);
    PyObject *module = NULL;
    if (name != NULL && PyDict_CheckExact(modules)) {
        module = PyObject_GetItem(modules, name);
        if (module != NULL && PyObject_DelItem(modules, name) < 0) {
            Py_CLEAR(module);
        }
    }
    else if (name != NULL) {
        module = PyObject_CallMethodOneArg(modules, ff_import.names.pop, name);
    }
    Py_XDECREF(modules);
    Py_XDECREF(name);
    if (module != NULL && put_module(spec, module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* Has the module in sys.modules while it is executed; gives what is there in the end (a new reference). */
static PyObject *load_module(PyObject *module, const ff_wanted *wanted)
{
    PyObject *spec = wanted->spec, *loaded = NULL;
    if (PyObject_SetAttr(spec, ff_import.names._initializing, Py_True) < 0) {
        return NULL;
    }
    if (put_module(spec, module) == 0) {
        PyObject *result = execute(module, wanted);
        if (result != NULL) {
            Py_DECREF(result);
            loaded = requeue(spec);
        }
        else {
            ff_exception raised = ff_take_exception();
            (void)delete_module(spec);
            ff_chain_exception(raised);
        }
    }
    ff_exception raised = ff_take_exception();
    if (PyObject_SetAttr(spec, ff_import.names._initializing, Py_False) < 0) {
        Py_CLEAR(loaded);
    }
    ff_chain_exception(raised);
    return loaded;
}

/* Loads the module that wanted->spec stands for (a new reference). */
PyObject *ff_load_found(ff_wanted *wanted)
{
    ff_answer is_usual = wanted->found == FF_BY_OTHERS ? FF_NO : ff_may_import(wanted);
    if (is_usual != FF_YES) {
        return is_usual == FF_FAILED ? NULL : ff_call_bootstrap(ff_import.names._load_unlocked, &wanted->spec, 1);
    }
    PyObject *module = make_module(wanted);
    PyObject *loaded = module == NULL ? NULL : load_module(module, wanted);
    Py_XDECREF(module);
    if (loaded != NULL && wanted->found == FF_AS_SOURCE && ff_install_expressions() < 0) {
        Py_CLEAR(loaded);
    }
    return loaded;
}
#endif
