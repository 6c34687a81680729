/* Source text that programs compile while they run, compiled beforehand.
 *
 * namedtuple(), dataclass(), annotations in quotes and their like have Python compile a few lines of text with compile(),
 * eval() or exec(), the same ones at every start. What comes out is a function of the text, the co_filename, and the
 * __future__ features of whoever has it compiled, so these three functions get a short cut for the texts of the table: the code
 * is unmarshalled, each time anew, as each compilation gives new objects. eval() and exec() then get the code in the place of
 * the text, and do the same with it (Python/bltinmodule.c). The function objects stay what they are: it is in their method
 * definition that they find whom to call. */
#include FF_LAYOUT

#include "internal/pycore_pylifecycle.h" /* 3.11: _Py_UnhandledKeyboardInterrupt */
#include "marshal.h"

#include "flashfreeze.h"

#include <string.h>

static uint32_t used_count;

static PyObject *unmarshal(const ff_snippet *row)
{
    const char *data = ff_snippet_text + row->text + row->length + row->filename_length;
    return PyMarshal_ReadObjectFromString(data, (Py_ssize_t)row->code_length);
}

#if FF_REPLACES_COMPILE
typedef PyObject *(*fastcall)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*fastcall_with_keywords)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

/* One of the three functions: how it was called before. */
typedef struct {
    PyCFunction ordinary;
    int takes_keywords;
} diverted;

static diverted compile_function, eval_function, exec_function;

static PyObject *call_ordinary(const diverted *function, PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                               PyObject *keywords)
{
    if (function->takes_keywords) {
        return ((fastcall_with_keywords)(void (*)(void))function->ordinary)(self, arguments, count, keywords);
    }
    return ((fastcall)(void (*)(void))function->ordinary)(self, arguments, count);
}

/* ---- the table ---- */

static const ff_snippet *find(ff_text text, ff_text filename, uint32_t flags, int is_expression)
{
    for (uint32_t i = ff_hash(text.data, text.length);; i++) {
        uint32_t index = ff_snippet_buckets[i & ff_snippet_bucket_mask];
        if (index == 0) {
            return NULL;
        }
        const ff_snippet *row = &ff_snippets[index - 1];
        const char *data = ff_snippet_text + row->text;
        if (row->length == text.length && row->filename_length == filename.length && row->flags == flags &&
            row->is_expression == (uint32_t)is_expression && memcmp(data, text.data, text.length) == 0 &&
            memcmp(data + text.length, filename.data, filename.length) == 0) {
            return row;
        }
    }
}

/* ---- its use ---- */

/* Gives new code for a text. FF_NO: it is not in the table, or hooks hear of compilations. */
static ff_answer make_code(ff_text text, ff_text filename, int is_expression, PyObject **code)
{
    if (!ff_images_available() || ff_is_audited()) {
        return FF_NO;
    }
    PyCompilerFlags flags = {.cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION};
    (void)PyEval_MergeCompilerFlags(&flags);
    const ff_snippet *row = find(text, filename, (uint32_t)flags.cf_flags, is_expression);
    if (row == NULL) {
        return FF_NO;
    }
    *code = unmarshal(row);
    used_count += *code != NULL;
    return *code == NULL ? FF_FAILED : FF_YES;
}

/* The same for the arguments of compile(): source, filename, mode. Subclasses of str may be anything, and are not in the table,
 * nor is text with a nul. */
static ff_answer make_compiled(PyObject *const *arguments, PyObject **code)
{
    ff_text text, filename, mode;
    ff_answer answer = ff_read_text(arguments[2], &mode);
    if (answer != FF_YES) {
        return answer;
    }
    int is_expression = ff_is_text("eval", mode.data, mode.length);
    answer = is_expression || ff_is_text("exec", mode.data, mode.length) ? ff_read_text(arguments[0], &text) : FF_NO;
    answer = answer == FF_YES ? ff_read_text(arguments[1], &filename) : answer;
    return answer == FF_YES ? make_code(text, filename, is_expression, code) : answer;
}

static PyObject *call_compile(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    PyObject *code = NULL;
    if (count == 3 && keywords == NULL && make_compiled(arguments, &code) != FF_NO) {
        return code;
    }
    return call_ordinary(&compile_function, self, arguments, count, keywords);
}

/* eval() and exec(): source, globals, locals. What is not text does not come here, and takes no room on the stack: code runs in
 * exec() whenever importlib imports a module. */
static PyObject *run(const diverted *function, PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                     PyObject *keywords)
{
    static const ff_text filename = {"<string>", 8};
    PyObject *own[3], *code = NULL;
    ff_text text;
    ff_answer answer = count <= 3 && keywords == NULL ? ff_read_text(arguments[0], &text) : FF_NO;
    if (answer == FF_YES) {
        int is_expression = function == &eval_function;
        while (is_expression && text.length > 0 && (*text.data == ' ' || *text.data == '\t')) {
            text.data++;
            text.length--;
        }
        answer = make_code(text, filename, is_expression, &code);
    }
    if (answer != FF_YES) {
        return answer == FF_FAILED ? NULL : call_ordinary(function, self, arguments, count, keywords);
    }
    memcpy(own, arguments, (size_t)count * sizeof(own[0]));
    own[0] = code;
#if FF_NOTES_INTERRUPTS
    /* How a program is to end that nothing but an interrupt ends (Python/pythonrun.c, run_eval_code_obj()). */
    FF_UNHANDLED_INTERRUPT = 0;
#endif
    PyObject *result = call_ordinary(function, self, own, count, NULL);
#if FF_NOTES_INTERRUPTS
    if (result == NULL && PyErr_Occurred() == PyExc_KeyboardInterrupt) {
        FF_UNHANDLED_INTERRUPT = 1;
    }
#endif
    Py_DECREF(code);
    return result;
}

static inline int is_text(PyObject *const *arguments, Py_ssize_t count)
{
    return count > 0 && PyUnicode_CheckExact(arguments[0]);
}

static PyObject *call_eval(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (!is_text(arguments, count)) {
        return call_ordinary(&eval_function, self, arguments, count, keywords);
    }
    return run(&eval_function, self, arguments, count, keywords);
}

static PyObject *call_exec(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    if (!is_text(arguments, count)) {
        return call_ordinary(&exec_function, self, arguments, count, keywords);
    }
    return run(&exec_function, self, arguments, count, keywords);
}

static PyObject *call_eval_plain(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (!is_text(arguments, count)) {
        return call_ordinary(&eval_function, self, arguments, count, NULL);
    }
    return run(&eval_function, self, arguments, count, NULL);
}

static PyObject *call_exec_plain(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (!is_text(arguments, count)) {
        return call_ordinary(&exec_function, self, arguments, count, NULL);
    }
    return run(&exec_function, self, arguments, count, NULL);
}

/* ---- installation ---- */

/* Has calls of a function of `builtins` go elsewhere, if it is the interpreter's own and is called in a way known here. */
static void divert(PyObject *builtins, const char *name, diverted *function, fastcall_with_keywords with_keywords,
                   fastcall plain)
{
    PyObject *object = PyDict_GetItemString(PyModule_GetDict(builtins), name);
    if (object == NULL || !PyCFunction_CheckExact(object) || PyCFunction_GET_SELF(object) != builtins) {
        return;
    }
    PyMethodDef *definition = ((PyCFunctionObject *)object)->m_ml;
    PyCFunction called = definition->ml_flags == (METH_FASTCALL | METH_KEYWORDS) ? (PyCFunction)(void (*)(void))with_keywords
                         : definition->ml_flags == METH_FASTCALL                 ? (PyCFunction)(void (*)(void))plain
                                                                                 : NULL;
    if (called != NULL && strcmp(definition->ml_name, name) == 0) {
        function->ordinary = definition->ml_meth;
        function->takes_keywords = definition->ml_flags != METH_FASTCALL;
        definition->ml_meth = called;
    }
}

/* Called once. -1 with an exception. */
int ff_install_snippets(void)
{
    if (ff_snippet_count == 0 || !ff_images_available()) {
        return 0;
    }
    PyObject *builtins = PyImport_AddModule("builtins"); /* borrowed */
    if (builtins != NULL && PyModule_CheckExact(builtins)) {
        divert(builtins, "compile", &compile_function, call_compile, NULL);
        divert(builtins, "eval", &eval_function, call_eval, call_eval_plain);
        divert(builtins, "exec", &exec_function, call_exec, call_exec_plain);
    }
    return builtins == NULL ? -1 : 0;
}
#else
int ff_install_snippets(void)
{
    return 0;
}
#endif

uint32_t ff_used_snippet_count(void)
{
    return used_count;
}

/* The texts of the table, as a list of (text, filename, mode, flags, code). */
PyObject *ff_list_snippets(void)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < ff_snippet_count; i++) {
        const ff_snippet *row = &ff_snippets[i];
        const char *data = ff_snippet_text + row->text;
        PyObject *code = unmarshal(row);
        PyObject *entry = code == NULL ? NULL
                                       : Py_BuildValue("(NNsIN)", PyUnicode_FromStringAndSize(data, row->length),
                                                       PyUnicode_FromStringAndSize(data + row->length, row->filename_length),
                                                       row->is_expression ? "eval" : "exec", (unsigned int)row->flags, code);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    return list;
}
