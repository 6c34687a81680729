/* Imports without importlib's Python code on the way.
 *
 * The interpreter calls importlib._bootstrap._find_and_load() for every module that is not in sys.modules. The function
 * here takes its place: it does the same for a frozen module that is found where it is expected, for a built-in one, and
 * for one that is nowhere. Everything else, including each case in which somebody could have changed what an import does,
 * is left to the original (Lib/importlib/_bootstrap.py: _find_and_load(), _find_and_load_unlocked()). */
#include FF_LAYOUT

#include "import.h"

#include <string.h>

#if FF_REPLACES_IMPORT

static PyObject *original_find_and_load; /* importlib._bootstrap._find_and_load */

/* Whether sys.modules is the dict that the interpreter goes by. */
static int has_usual_modules(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    return modules != NULL && PyDict_CheckExact(modules) &&
           PyDict_GetItemWithError(ff_import.sys, ff_import.names.modules) == modules;
}

static void raise_not_found(PyObject *name)
{
    PyObject *message = PyUnicode_FromFormat("No module named %R", name);
    if (message != NULL) {
        PyErr_SetImportErrorSubclass(PyExc_ModuleNotFoundError, message, name, NULL);
        Py_DECREF(message);
    }
}

/* module = _load_unlocked(spec), while the parent's spec lists the module. */
static PyObject *load_listed(ff_wanted *wanted, const ff_family *family)
{
    if (ff_note_uninitialized(family, wanted, 1) < 0) {
        return NULL;
    }
    PyObject *module = ff_load_found(wanted);
    if (ff_note_uninitialized(family, wanted, 0) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* _find_and_load_unlocked() (3.12.1: lines 1304 to 1346). FF_UNSURE: nothing has happened, and the original may start over. */
static ff_answer find_and_load_unlocked(ff_wanted *wanted, ff_text text, PyObject *import_function, PyObject **module)
{
    ff_family family = {NULL, NULL, NULL, NULL};
    size_t parent_length = (size_t)(wanted->tail.data - text.data);
    ff_answer answer = FF_YES;
    if (parent_length > 0) {
        family.parent = PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)parent_length - 1);
        family.child = PyUnicode_FromStringAndSize(wanted->tail.data, (Py_ssize_t)wanted->tail.length);
        answer = family.parent == NULL || family.child == NULL ? FF_FAILED
                                                               : ff_import_parent(wanted, import_function, &family, module);
        wanted->path = family.path;
    }
    if (answer == FF_YES && *module == NULL) {
        answer = ff_search(wanted);
        if (answer == FF_NO && wanted->source != NULL && !wanted->is_begun) {
            answer = FF_UNSURE; /* nowhere, though it was frozen */
        }
        if (answer == FF_NO) {
            raise_not_found(wanted->name);
        }
        *module = answer == FF_YES ? load_listed(wanted, &family) : NULL;
        if (*module != NULL && ((parent_length > 0 && ff_bind_to_parent(&family, *module) < 0) ||
                                ff_set_lazy_attributes(wanted->name, *module) < 0)) {
            Py_CLEAR(*module);
        }
    }
    ff_clear_family(&family);
    return answer == FF_UNSURE ? FF_UNSURE : *module == NULL ? FF_FAILED : FF_YES;
}

/* The frames of _find_and_load() and _find_and_load_unlocked(). Up to 3.11, calls of C functions are counted, too: such as the one of
 * the function here. */
#define FRAMES (FF_COUNTS_RECURSION >= 312 ? 2 : 1)

/* What importlib nests at most until the module itself runs. Where there is less room, the original raises RecursionError. */
#define MOST_FRAMES 24

/* Whether somebody loads a module already, here or in importlib, or has done so. */
static ff_answer is_busy(PyObject *name)
{
    int is_there = PyDict_Contains(PyImport_GetModuleDict(), name);
    return is_there < 0 ? FF_FAILED : is_there ? FF_YES : ff_is_loading(name, 0);
}

/* Takes the lock of the module. FF_UNSURE: somebody's own function was asked who imports, and meanwhile the module was taken. */
static ff_answer take_own_lock(ff_wanted *wanted, ff_loading **begun)
{
    ff_owner owner;
    if (ff_ask_owner(wanted, &owner) < 0) {
        return FF_FAILED;
    }
    ff_answer is_taken = wanted->is_begun ? is_busy(wanted->name) : FF_NO;
    if (is_taken != FF_NO) {
        ff_forget_owner(&owner);
        return ff_failed_or(is_taken, FF_UNSURE);
    }
    return ff_begin_loading(wanted, wanted->name, &owner, begun);
}

/* The same, with those of its parents, where importlib takes them. */
static ff_answer take_locks(ff_wanted *wanted, ff_loading **begun)
{
    *begun = NULL;
    ff_answer answer = ff_begin_parents(wanted, begun);
    answer = answer == FF_YES ? take_own_lock(wanted, begun) : answer;
    /* Taking a lock of importlib's again runs its code, and may let others run. */
    int is_there = FF_LOCKS_PARENTS && answer == FF_YES ? PyDict_Contains(PyImport_GetModuleDict(), wanted->name) : 0;
    answer = is_there < 0 ? FF_FAILED : is_there ? FF_UNSURE : answer;
    if (answer != FF_YES && ff_finish_loading(*begun) < 0) {
        answer = FF_FAILED;
    }
    return answer;
}

/* find_and_load_unlocked(), under the lock of the module. */
static ff_answer load_wanted(ff_wanted *wanted, ff_text text, PyObject *import_function, PyObject **module)
{
    if (ff_enter_frames(FRAMES) < 0) {
        return FF_FAILED;
    }
    ff_loading *begun;
    ff_answer answer = take_locks(wanted, &begun);
    if (answer == FF_YES) {
        ff_begin_import();
        answer = find_and_load_unlocked(wanted, text, import_function, module);
        ff_end_import();
        Py_CLEAR(wanted->spec);
        if (ff_finish_loading(begun) < 0) {
            Py_CLEAR(*module);
            answer = FF_FAILED;
        }
    }
    ff_leave_frames(FRAMES);
    return answer;
}

/* _find_and_load(). FF_UNSURE: that is for the original to do. Its variables are not to lie on the stack below that: a chain of imports
 * is as long as the limit of recursion allows, in threads with small stacks, too. */
__attribute__((noinline)) static ff_answer import_frozen(PyObject *name, PyObject *import_function, PyObject **module)
{
    ff_text text;
    ff_answer is_text = ff_read_text(name, &text);
    if (is_text != FF_YES || !ff_images_available() || !ff_has_room_for_frames(MOST_FRAMES) || ff_is_import_observed() ||
        ff_is_called_from_importlib()) {
        return ff_failed_or(is_text, FF_UNSURE);
    }
    const char *dot = memrchr(text.data, '.', text.length);
    ff_wanted wanted = {.name = name, .tail = text, .source = ff_find_module(text), .is_doubtful = 1};
    if (dot != NULL) {
        if (wanted.source == NULL) {
            return FF_UNSURE;
        }
        wanted.tail.data = dot + 1;
        wanted.tail.length = text.length - (size_t)(wanted.tail.data - text.data);
    }
    ff_answer answer = has_usual_modules() ? ff_may_import(&wanted) : ff_forgive(FF_NO);
    ff_answer is_taken = answer == FF_YES ? is_busy(name) : ff_failed_or(answer, FF_YES);
    return is_taken == FF_NO ? load_wanted(&wanted, text, import_function, module) : ff_failed_or(is_taken, FF_UNSURE);
}

/* The name of the module that importlib's own function is to find and load here, until a finder was asked for it or another import
 * began: borrowed, and only compared. */
static PyObject *expected_name;

/* Whether nobody sees a spec between the finder that makes it and _init_module_attrs(). */
static int has_usual_finders(void)
{
    PyObject *finders = PyDict_GetItemWithError(ff_import.sys, ff_import.names.meta_path);
    if (finders == NULL || !PyList_CheckExact(finders)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(finders); i++) {
        PyObject *each = PyList_GET_ITEM(finders, i);
        if (each != ff_import.builtin_importer && each != ff_import.frozen_importer && each != ff_import.path_finder) {
            return 0;
        }
    }
    return 1;
}

int ff_is_spec_for_loading(PyObject *fullname)
{
    int is_expected = fullname == expected_name;
    expected_name = NULL;
    return is_expected;
}

static PyObject *find_and_load(FF_CALL_PARAMETERS(Py_UNUSED(self)))
{
    PyObject *module = NULL;
    if (count == 2 && keywords == NULL && import_frozen(arguments[0], arguments[1], &module) != FF_UNSURE) {
        return module;
    }
    expected_name = count == 2 && keywords == NULL && has_usual_finders() ? arguments[0] : NULL;
    PyObject *loaded = ff_call_instead(original_find_and_load, arguments, (size_t)count, keywords);
    expected_name = NULL;
    return loaded;
}

/* ---- installation ---- */

static PyMethodDef find_and_load_function = {"_find_and_load", (PyCFunction)(void (*)(void))find_and_load, FF_CALL_FLAGS,
                                             "Find and load the module."};

/* Called once the methods of finders and loaders are in place. -1 with an exception. */
int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    if (ff_remember_import_state(bootstrap, external) < 0) {
        return -1;
    }
    /* Where importlib or its locks are not as we know them, the original stays. */
    int has_locks = PyFunction_Check(ff_import.find_and_load_unlocked) ? ff_install_lock_function(bootstrap) : 0;
    return has_locks > 0 ? ff_replace_function(bootstrap, &find_and_load_function, &original_find_and_load) : has_locks;
}
#else
int ff_is_spec_for_loading(PyObject *fullname)
{
    (void)fullname;
    return 0;
}

int ff_install_import_function(PyObject *bootstrap, PyObject *external)
{
    (void)bootstrap;
    (void)external;
    return 0;
}
#endif
