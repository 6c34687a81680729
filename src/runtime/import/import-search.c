/* Where a module is: Lib/importlib/_bootstrap.py, _find_spec() (3.12.1: lines 1240 to 1282). */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* The frame of _find_spec(). */
#define FRAMES 1

/* What a function of _imp says of a name. */
static ff_answer ask_imp(PyObject *function, PyObject *name)
{
    PyObject *answer = PyObject_CallOneArg(function, name);
    int is_true = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is_true < 0 ? FF_FAILED : is_true ? FF_YES : FF_NO;
}

/* The spec that BuiltinImporter.find_spec() makes. */
static PyObject *make_builtin_spec(PyObject *name)
{
    PyObject *origin = PyUnicode_InternFromString("built-in");
    PyObject *keywords = Py_BuildValue("(ss)", "origin", "is_package");
    PyObject *arguments[] = {name, ff_import.builtin_importer, origin, Py_False};
    PyObject *spec = origin == NULL || keywords == NULL ? NULL : PyObject_Vectorcall(ff_import.module_spec, arguments, 2, keywords);
    Py_XDECREF(origin);
    Py_XDECREF(keywords);
    return spec;
}

/* What an unmodified finder of importlib's says, as far as that is known without it; FF_UNSURE: it has to be asked. */
static ff_answer predict_finder(PyObject *finder, ff_wanted *wanted)
{
    if (finder == ff_import.path_finder) {
        return ff_search_path(wanted);
    }
    if (finder == ff_import.builtin_importer) {
        /* It has no module that was found on disk when it was frozen. */
        ff_answer answer = wanted->source != NULL ? FF_NO : ask_imp(ff_import.is_builtin, wanted->name);
        if (answer == FF_YES) {
            wanted->spec = make_builtin_spec(wanted->name);
            wanted->found = FF_AS_BUILTIN;
            answer = wanted->spec == NULL ? FF_FAILED : FF_YES;
        }
        return answer;
    }
    if (finder == ff_import.frozen_importer) {
        ff_answer answer = wanted->source != NULL ? FF_NO : ask_imp(ff_import.is_frozen, wanted->name);
        return answer == FF_YES ? FF_UNSURE : answer;
    }
    ff_note_foreign_code(wanted);
    return FF_UNSURE;
}

/* What asking for find_spec() came to; before 3.12, one that has none is asked by _find_spec_legacy(). A new reference. */
static PyObject *call_find_spec(PyObject *finder, const ff_wanted *wanted)
{
    PyObject *find_spec = PyObject_GetAttr(finder, ff_import.names.find_spec);
    PyObject *path = wanted->path == NULL ? Py_None : wanted->path;
    if (find_spec == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        /* The original asks while it handles the AttributeError, which becomes the context of what is raised then. */
        _PyErr_StackItem missing;
        ff_begin_handling(&missing);
        PyObject *arguments[] = {finder, wanted->name, path};
        PyObject *spec = FF_REQUIRES_FIND_SPEC ? Py_NewRef(Py_None)
                                               : ff_call_bootstrap(ff_import.names._find_spec_legacy, arguments, 3);
        ff_end_handling(&missing);
        return spec;
    }
    PyObject *arguments[] = {wanted->name, path, Py_None};
    PyObject *spec = PyObject_Vectorcall(find_spec, arguments, 3, NULL);
    Py_DECREF(find_spec);
    return spec;
}

/* Asks a finder as importlib does. */
static ff_answer ask_finder(PyObject *finder, ff_wanted *wanted)
{
    if (ff_enter_frames(FRAMES) < 0) {
        return FF_FAILED;
    }
    PyObject *spec = NULL;
    if (ff_acquire_import_lock() == 0) {
        spec = call_find_spec(finder, wanted);
        ff_release_import_lock();
    }
    ff_leave_frames(FRAMES);
    if (spec == NULL || PyErr_Occurred()) {
        Py_XDECREF(spec);
        return FF_FAILED;
    }
    if (spec == Py_None) {
        Py_DECREF(spec);
        return FF_NO;
    }
    wanted->spec = spec;
    wanted->found = FF_BY_OTHERS;
    return FF_YES;
}

/* One finder after the other. FF_UNSURE: nobody was asked, and the original may ask. */
static ff_answer search_finders(PyObject *finders, ff_wanted *wanted)
{
    ff_answer answer = FF_NO;
    for (Py_ssize_t i = 0; answer == FF_NO && i < PyList_GET_SIZE(finders); i++) {
        PyObject *finder = Py_NewRef(PyList_GET_ITEM(finders, i));
        ff_answer is_usual = ff_may_import(wanted);
        answer = is_usual == FF_YES ? predict_finder(finder, wanted) : is_usual == FF_NO ? FF_UNSURE : is_usual;
        if (answer == FF_UNSURE && wanted->is_begun) {
            answer = ask_finder(finder, wanted);
        }
        Py_DECREF(finder);
    }
    return answer;
}

/* name in sys.modules; -1 with an exception. */
static int is_imported(PyObject *name)
{
    PyObject *modules = ff_read_modules();
    int is_there = modules == NULL ? -1 : PySequence_Contains(modules, name);
    Py_XDECREF(modules);
    return is_there;
}

/* A finder may have imported the very module while it was asked. Then its spec is that which importlib goes by. */
static int prefer_loaded_spec(ff_wanted *wanted)
{
    PyObject *modules = ff_read_modules();
    int is_there = modules == NULL ? -1 : PySequence_Contains(modules, wanted->name);
    PyObject *module = is_there > 0 ? PyObject_GetItem(modules, wanted->name) : NULL;
    Py_XDECREF(modules);
    if (is_there <= 0 || module == NULL) {
        return is_there == 0 ? 0 : -1;
    }
    PyObject *spec = PyObject_GetAttr(module, ff_import.names.__spec__);
    Py_DECREF(module);
    if (spec == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    else if (spec == Py_None) {
        Py_DECREF(spec);
    }
    else {
        Py_SETREF(wanted->spec, spec);
        wanted->found = FF_BY_OTHERS;
    }
    return 0;
}

/* Leaves the whole search to importlib's function. */
static ff_answer call_original(ff_wanted *wanted)
{
    PyObject *arguments[] = {wanted->name, wanted->path == NULL ? Py_None : wanted->path};
    PyObject *spec = ff_call_bootstrap(ff_import.names._find_spec, arguments, 2);
    if (spec == NULL || spec == Py_None) {
        Py_XDECREF(spec);
        return spec == NULL ? FF_FAILED : FF_NO;
    }
    wanted->spec = spec;
    wanted->found = FF_BY_OTHERS;
    return FF_YES;
}

/* Gives the spec of a module, if there is one. FF_UNSURE: nobody was asked anything, and the original may start over. */
ff_answer ff_search(ff_wanted *wanted)
{
    ff_answer answer = ff_may_import(wanted);
    if (answer == FF_FAILED) {
        return answer;
    }
    PyObject *finders = PyDict_GetItemWithError(ff_import.sys, ff_import.names.meta_path);
    if (finders == NULL && PyErr_Occurred()) {
        return FF_FAILED;
    }
    if (answer == FF_NO || finders == NULL || !PyList_CheckExact(finders) || PyList_GET_SIZE(finders) == 0) {
        return wanted->is_begun ? call_original(wanted) : FF_UNSURE;
    }
    Py_INCREF(finders);
    int is_reload = is_imported(wanted->name);
    if (is_reload >= 0 && FF_COPIES_META_PATH) {
        Py_SETREF(finders, PyList_GetSlice(finders, 0, PyList_GET_SIZE(finders)));
    }
    answer = is_reload < 0 || finders == NULL ? FF_FAILED : search_finders(finders, wanted);
    Py_XDECREF(finders);
    return answer == FF_YES && !is_reload && prefer_loaded_spec(wanted) < 0 ? FF_FAILED : answer;
}
#endif
