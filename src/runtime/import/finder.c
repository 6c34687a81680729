/* Modules that are found on disk. The path-based importer goes its ordinary way along sys.path; what changes is what
 * two of its methods do when they come to a frozen module: FileFinder.find_spec() knows without a look at the directory
 * that the module is there, and SourceLoader.get_code() has its code. Everything else is left to the originals. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

static PyObject *original_find_spec; /* FileFinder.find_spec */
static PyObject *original_get_code;  /* SourceLoader.get_code */
static PyTypeObject *loader_type;    /* SourceFileLoader */
static PyObject *str_path, *str_name, *str_target;

/* What the originals nest at most: FileFinder.find_spec(), _get_spec(), spec_from_file_location(), and what that calls; up to 3.11,
 * calls of C functions, too. Where there is less room, they raise RecursionError. */
#define MOST_FRAMES 12

/* ---- FileFinder.find_spec ---- */

/* Gives *spec, the spec of the frozen module `name` (`fullname` as text) in the folder of a finder. */
static ff_answer make_spec_in(PyObject *folder, PyObject *fullname, ff_text name, PyObject **spec)
{
    ff_text path, tail = name;
    ff_answer answer = ff_read_text(folder, &path);
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    const char *dot = memrchr(name.data, '.', name.length);
    if (dot != NULL) {
        tail.data = dot + 1;
        tail.length = name.length - (size_t)(tail.data - name.data);
    }
    const ff_source *source = ff_find_source(path, tail);
    if (source == NULL || !ff_is_text(ff_image_name(source->image), name.data, name.length)) {
        return FF_UNSURE;
    }
    /* What is in the file is asked when it is loaded: its spec is the same in any case. */
    answer = ff_is_found(source, path, tail);
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    *spec = ff_make_spec(fullname, folder, tail.data, source->is_package, ff_is_spec_for_loading(fullname));
    return *spec == NULL ? FF_FAILED : FF_YES;
}

/* Gives *spec, the spec of a frozen module that the finder has. FF_UNSURE: the original has to look. */
static ff_answer find_frozen_spec(PyObject *finder, PyObject *fullname, PyObject **spec)
{
    ff_text name;
    ff_finder read;
    ff_answer answer = ff_images_available() && ff_has_room_for_frames(MOST_FRAMES) && !ff_is_import_observed()
                           ? ff_read_text(fullname, &name)
                           : FF_NO;
    answer = answer == FF_YES ? ff_is_importlib_unmodified() : answer;
    answer = answer == FF_YES ? ff_read_finder(finder, &read) : answer;
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    answer = make_spec_in(read.path, fullname, name, spec);
    ff_clear_finder(&read);
    return answer;
}

/* Whether a call is find_spec(fullname) or find_spec(fullname, target), the target perhaps by name. */
static int is_plain_call(Py_ssize_t count, PyObject *keywords)
{
    Py_ssize_t named = keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords);
    return count >= 1 && count + named <= 2 &&
           (named == 0 || PyUnicode_Compare(PyTuple_GET_ITEM(keywords, 0), str_target) == 0);
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
    PyObject *result = ff_call_instead(method, stack, (size_t)count + 1, keywords);
    PyMem_Free(stack);
    return result;
}

static PyObject *finder_find_spec(FF_CALL_PARAMETERS(self))
{
    if (is_plain_call(count, keywords)) {
        PyObject *spec = NULL;
        if (find_frozen_spec(self, arguments[0], &spec) != FF_UNSURE) {
            return spec;
        }
    }
    return call_original(original_find_spec, self, arguments, count, keywords);
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

/* Gives *code, the static code of the module `name` whose source is `path`. */
static ff_answer thaw_source(PyObject *path, ff_text name, PyObject **code)
{
    ff_text text;
    ff_answer answer = ff_read_text(path, &text);
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    const ff_source *source = source_of_path(text);
    if (source == NULL || !ff_is_text(ff_image_name(source->image), name.data, name.length)) {
        return FF_UNSURE;
    }
    ff_answer is_stale = ff_checks_sources() ? ff_is_stale(source, text.data) : FF_NO;
    answer = is_stale == FF_NO ? ff_is_bytecode_path_usual() : ff_failed_or(is_stale, FF_UNSURE);
    return answer == FF_YES ? ff_thaw(source->image, path, code) : ff_failed_or(answer, FF_UNSURE);
}

/* Gives *code, the static code for a loader. FF_UNSURE: the original has to look. */
static ff_answer find_frozen_code(PyObject *loader, PyObject *fullname, PyObject **code)
{
    PyObject *const attributes[] = {str_name, str_path};
    PyObject *dict;
    ff_text wanted;
    /* A SourceFileLoader, no method of which was replaced, neither in a class nor in the loader itself. */
    ff_answer answer = Py_IS_TYPE(loader, loader_type) && ff_has_room_for_frames(MOST_FRAMES) && !ff_is_import_observed()
                           ? ff_read_text(fullname, &wanted)
                           : FF_NO;
    answer = answer == FF_YES ? ff_is_importlib_unmodified() : answer;
    answer = answer == FF_YES ? ff_read_instance(loader, attributes, 2, &dict) : answer;
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    PyObject *name = Py_XNewRef(PyDict_GetItemWithError(dict, str_name));
    PyObject *path = Py_XNewRef(PyDict_GetItemWithError(dict, str_path));
    Py_DECREF(dict);
    answer = name != NULL && path != NULL && PyUnicode_CheckExact(name) && PyUnicode_Compare(name, fullname) == 0
                 ? thaw_source(path, wanted, code)
                 : ff_forgive(FF_UNSURE);
    Py_XDECREF(path);
    Py_XDECREF(name);
    return answer;
}

static PyObject *loader_get_code(FF_CALL_PARAMETERS(self))
{
    PyObject *code = NULL;
    ff_answer found = count == 1 && keywords == NULL ? find_frozen_code(self, arguments[0], &code) : FF_UNSURE;
    if (found == FF_UNSURE) {
        return call_original(original_get_code, self, arguments, count, keywords);
    }
    if (found == FF_YES && ff_install_expressions() < 0) { /* what compiles them may have been loaded before this module */
        Py_CLEAR(code);
    }
    return code;
}

/* ---- installation ---- */

static PyMethodDef find_spec_method = {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec, FF_CALL_FLAGS,
                                       "find_spec($self, fullname, target=None)\n--\n\n"
                                       "Try to find a spec for the specified module.\n\n"
                                       "Returns the matching spec, or None if not found."};
static PyMethodDef get_code_method = {"get_code", (PyCFunction)(void (*)(void))loader_get_code, FF_CALL_FLAGS,
                                      "get_code($self, fullname)\n--\n\n"
                                      "Concrete implementation of InspectLoader.get_code.\n\n"
                                      "Reading of bytecode requires path_stats to be implemented. To write\n"
                                      "bytecode, set_data must also be implemented."};

/* Puts a C method in place of a class's own; *original gets what was there. As a function does, it takes objects of other classes, too:
 * those that borrow it. */
static int replace_method(PyObject *type, PyMethodDef *method, PyObject **original)
{
    *original = PyObject_GetAttrString(type, method->ml_name);
    PyObject *name = *original == NULL ? NULL : PyObject_GetAttrString(*original, "__qualname__");
    PyObject *descriptor = name == NULL ? NULL : PyDescr_NewMethod(&PyBaseObject_Type, method);
    if (descriptor == NULL) {
        Py_XDECREF(name);
        return -1;
    }
    ((PyDescrObject *)descriptor)->d_qualname = name; /* it would say `object` */
    int status = PyObject_SetAttrString(type, method->ml_name, descriptor);
    Py_DECREF(descriptor);
    return status;
}

static int intern_names(void)
{
    str_path = PyUnicode_InternFromString("path");
    str_name = PyUnicode_InternFromString("name");
    str_target = PyUnicode_InternFromString("target");
    return str_path == NULL || str_name == NULL || str_target == NULL ? -1 : 0;
}

static int replace_method_of(PyObject *module, const char *class_name, PyMethodDef *method, PyObject **original)
{
    PyObject *class = PyObject_GetAttrString(module, class_name);
    int status = class == NULL ? -1 : replace_method(class, method, original);
    Py_XDECREF(class);
    return status;
}

/* Called once. -1 with an exception when importlib is not as we know it. */
int ff_install_finder_methods(PyObject *external)
{
    if (intern_names() < 0 ||
        replace_method_of(external, "FileFinder", &find_spec_method, &original_find_spec) < 0 ||
        replace_method_of(external, "SourceLoader", &get_code_method, &original_get_code) < 0) {
        return -1;
    }
    loader_type = (PyTypeObject *)PyObject_GetAttrString(external, "SourceFileLoader");
    return loader_type == NULL ? -1 : 0;
}
