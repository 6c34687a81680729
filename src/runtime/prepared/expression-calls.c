/* Regular expressions that were compiled beforehand.
 *
 * Programs compile a hundred of them when they start, and that is Python code. What it makes of a text and flags is always the
 * same, so re._compiler.compile() is given a short cut: for an expression of the table it calls _sre.compile() with the
 * arguments that were computed by the same code when the interpreter was built (Lib/re/_compiler.py, compile();
 * Lib/sre_compile.py in 3.10). The function object stays what it is; only how it is called changes. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

static uint32_t used_count;

#if FF_REPLACES_RE_COMPILE
static enum { WAITING, INSTALLED, GIVEN_UP } state;
static vectorcallfunc ordinary_call; /* how functions are called */

/* All that compiles expressions: the modules, the classes and dictionaries in them, and _sre. Tools replace parts of it now and
 * then. */
static ff_memory compilers;
static PyObject *sre_compile; /* _sre.compile() */
static const char builtins[] = "bytearray bytes chr dict enumerate int isinstance len list map max min ord range set slice sorted str "
                               "super tuple type zip";

/* ---- the table ---- */

static const ff_expression *find(ff_text text, uint32_t flags, int is_bytes)
{
    /* The parser decodes bytes (Lib/re/_parser.py, Tokenizer), and development mode looks up the codec for that, which imports
     * it (Objects/unicodeobject.c, unicode_check_encoding_errors()). */
    if (is_bytes && _Py_GetConfig()->dev_mode) {
        return NULL;
    }
    uint32_t i = ff_hash(text.data, text.length) ^ (2 * flags + (uint32_t)is_bytes);
    for (;; i++) {
        uint32_t index = ff_expression_buckets[i & ff_expression_bucket_mask];
        if (index == 0) {
            return NULL;
        }
        const ff_expression *row = &ff_expressions[index - 1];
        if (row->length == text.length && row->flags == flags && row->is_bytes == (uint32_t)is_bytes &&
            memcmp(ff_expression_text + row->text, text.data, text.length) == 0) {
            return row;
        }
    }
}

/* Finds the row for the arguments of a call. FF_NO: there is none. Subclasses of str and bytes may be anything. */
static ff_answer find_called(PyObject *const *arguments, Py_ssize_t count, const ff_expression **row)
{
    if (count < 1 || count > 2 || (count == 2 && !PyLong_CheckExact(arguments[1]))) {
        return FF_NO;
    }
    int overflow;
    long flags = count == 2 ? PyLong_AsLongAndOverflow(arguments[1], &overflow) : 0;
    PyObject *pattern = arguments[0];
    const char *data = NULL;
    Py_ssize_t length = 0;
    if (PyBytes_CheckExact(pattern)) {
        data = PyBytes_AS_STRING(pattern);
        length = PyBytes_GET_SIZE(pattern);
    }
    else if (PyUnicode_CheckExact(pattern)) {
        data = PyUnicode_AsUTF8AndSize(pattern, &length);
    }
    if (data == NULL || flags < 0 || flags > UINT16_MAX) {
        return ff_forgive(FF_NO); /* a lone surrogate */
    }
    *row = find((ff_text){data, (size_t)length}, (uint32_t)flags, PyBytes_CheckExact(pattern));
    return *row == NULL ? FF_NO : FF_YES;
}

/* ---- its use ---- */

static PyObject *list_of_code(const ff_expression *row)
{
    PyObject *list = PyList_New(row->code_length);
    for (uint32_t i = 0; list != NULL && i < row->code_length; i++) {
        PyObject *number = PyLong_FromUnsignedLong(ff_expression_code[row->code + i]);
        if (number == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, i, number);
        }
    }
    return list;
}

/* Groups by name, and names by group. */
static int name_groups(const ff_expression *row, PyObject *numbers, PyObject *names)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(Py_None));
    }
    const char *text = ff_expression_text + row->text + row->length;
    for (uint32_t i = 0; i < row->names; i++, text += strlen(text) + 1) {
        uint32_t group = ff_expression_code[row->code + row->code_length + i];
        PyObject *name = PyUnicode_FromString(text);
        PyObject *number = name == NULL ? NULL : PyLong_FromUnsignedLong(group);
        int status = number == NULL ? -1 : PyDict_SetItem(numbers, name, number);
        Py_XDECREF(number);
        if (status < 0) {
            Py_XDECREF(name);
            return -1;
        }
        Py_SETREF(PyTuple_GET_ITEM(names, group), name);
    }
    return 0;
}

static PyObject *make(PyObject *pattern, const ff_expression *row)
{
    PyObject *code = list_of_code(row), *numbers = PyDict_New(), *names = PyTuple_New(row->groups + 1), *made = NULL;
    if (code != NULL && numbers != NULL && names != NULL && name_groups(row, numbers, names) == 0) {
        made = PyObject_CallFunction(sre_compile, "OIOIOO", pattern, (unsigned int)row->all_flags, code,
                                     (unsigned int)row->groups, numbers, names);
    }
    Py_XDECREF(code);
    Py_XDECREF(numbers);
    Py_XDECREF(names);
    return made;
}

static PyObject *call(PyObject *function, PyObject *const *arguments, size_t count, PyObject *keywords)
{
    const ff_expression *row;
    ff_answer answer = keywords == NULL ? find_called(arguments, PyVectorcall_NARGS(count), &row) : FF_NO;
    if (answer == FF_YES) {
        answer = ff_is_traced(PyInterpreterState_Get()) ? FF_NO : ff_is_unmodified(&compilers);
    }
    if (answer == FF_NO) {
        return ordinary_call(function, arguments, count, keywords);
    }
    used_count += answer == FF_YES;
    return answer == FF_YES ? make(arguments[0], row) : NULL;
}

/* ---- installation ---- */

#if FF_INLINES_FUNCTIONS
/* Pickling and copying go by the type, and know that of functions. */
static PyObject *reduce(PyObject *function, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(((PyFunctionObject *)function)->func_qualname);
}

static PyMethodDef diverted_methods[] = {{"__reduce__", reduce, METH_NOARGS, "A function is found by its name."},
                                         {NULL, NULL, 0, NULL}};
/* A function's code is evaluated where it is called, unless its type is not exactly that of functions (3.11,
 * Python/ceval.c, CALL). This one differs in nothing else. */
static PyTypeObject diverted_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "function", .tp_base = &PyFunction_Type, .tp_methods = diverted_methods};
#endif

/* Has calls of the function come here. */
static int divert(PyObject *function)
{
    ordinary_call = ((PyFunctionObject *)function)->vectorcall;
#if FF_HAS_SET_VECTORCALL
    PyFunction_SetVectorcall((PyFunctionObject *)function, call);
#else
#if FF_INLINES_FUNCTIONS
    if (diverted_type.tp_dict == NULL) {
        diverted_type.tp_flags = PyFunction_Type.tp_flags & (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_METHOD_DESCRIPTOR);
        if (PyType_Ready(&diverted_type) < 0) {
            return -1;
        }
    }
    Py_SET_TYPE(function, &diverted_type);
#endif
    ((PyFunctionObject *)function)->vectorcall = call;
#endif
    return 0;
}

/* Takes the first word off FF_RE_MODULES, or what is left of it; 0 at its end. */
static int next_module(const char **rest, ff_text *name)
{
    *name = (ff_text){*rest, strcspn(*rest, " ")};
    *rest += name->length;
    *rest += strspn(*rest, " ");
    return name->length > 0;
}

/* Gives the names of a module that is in sys.modules (borrowed). FF_NO: it is not there. */
static ff_answer find_module(ff_text name, PyObject **globals)
{
    PyObject *text = PyUnicode_FromStringAndSize(name.data, (Py_ssize_t)name.length), *modules = PyImport_GetModuleDict();
    PyObject *module = text == NULL || modules == NULL ? NULL : PyDict_GetItemWithError(modules, text);
    Py_XDECREF(text);
    if (module == NULL || !PyModule_CheckExact(module)) {
        return ff_forgive(FF_NO);
    }
    *globals = PyModule_GetDict(module);
    return FF_YES;
}

/* Remembers _sre, as the compiler has it. FF_NO: it is not as we know it. */
static ff_answer remember_sre(PyObject *globals)
{
    PyObject *module = PyDict_GetItemString(globals, "_sre"); /* borrowed */
    PyObject *function = module == NULL || !PyModule_CheckExact(module)
                             ? NULL
                             : PyDict_GetItemString(PyModule_GetDict(module), "compile");
    if (function == NULL || !PyCFunction_Check(function)) {
        return FF_NO;
    }
    sre_compile = Py_NewRef(function);
    return ff_remember_module(&compilers, PyModule_GetDict(module), NULL) < 0 ? FF_FAILED : FF_YES;
}

/* Remembers all modules that have to do with it. FF_NO: they are not all static code, and what they would compile now may be
 * something else. */
static ff_answer remember_compilers(PyObject *globals)
{
    const char *rest = FF_RE_MODULES;
    ff_text name;
    ff_answer answer = remember_sre(globals);
    while (answer == FF_YES && next_module(&rest, &name)) {
        const ff_source *source = ff_find_module(name);
        PyObject *others;
        answer = source != NULL && ff_is_thawed(source->image) ? find_module(name, &others) : FF_NO;
        if (answer == FF_YES && (ff_remember_module(&compilers, others, NULL) < 0 || ff_remember_contents(&compilers, others) < 0)) {
            answer = FF_FAILED;
        }
    }
    if (answer == FF_YES && ff_remember_builtins(&compilers, builtins) < 0) {
        return FF_FAILED;
    }
    return answer == FF_YES && !ff_are_functions_static(&compilers) ? FF_NO : answer;
}

/* Gives the function that compiles regular expressions (borrowed) and the names that it knows, once there is one. */
static ff_answer find_compile(PyObject **function, PyObject **globals)
{
    const char *rest = FF_RE_MODULES;
    ff_text name;
    (void)next_module(&rest, &name);
    ff_answer answer = find_module(name, globals);
    if (answer == FF_YES) {
        *function = PyDict_GetItemString(*globals, "compile");
        answer = *function == NULL ? FF_NO : FF_YES;
    }
    return answer;
}

/* Called after frozen modules were loaded, until the module that compiles regular expressions is among them. -1 with an exception. */
int ff_install_expressions(void)
{
    PyObject *function, *globals;
    if (state != WAITING || ff_expression_count == 0 || !ff_images_available()) {
        return 0;
    }
    ff_answer answer = find_compile(&function, &globals);
    if (answer != FF_YES) {
        return answer == FF_FAILED ? -1 : 0; /* not yet */
    }
    state = GIVEN_UP;
    answer = PyFunction_Check(function) ? remember_compilers(globals) : FF_NO;
    if (answer == FF_YES && divert(function) == 0) {
        ff_accept_vectorcall(&compilers, function);
        state = INSTALLED;
    }
    return PyErr_Occurred() ? -1 : 0;
}

#else
int ff_install_expressions(void)
{
    return 0;
}
#endif

uint32_t ff_used_expression_count(void)
{
    return used_count;
}

/* The expressions of the table, as a list of (pattern, flags). */
PyObject *ff_list_expressions(void)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < ff_expression_count; i++) {
        const ff_expression *row = &ff_expressions[i];
        const char *text = ff_expression_text + row->text;
        PyObject *pattern = row->is_bytes ? PyBytes_FromStringAndSize(text, row->length)
                                          : PyUnicode_FromStringAndSize(text, row->length);
        PyObject *pair = Py_BuildValue("(NI)", pattern, (unsigned int)row->flags);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}
