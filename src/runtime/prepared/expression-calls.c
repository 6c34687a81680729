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

/* Functions that do the work: tools replace them now and then. They are known by their code, which is static. */
static PyObject *compile_code, *parse_code;
static PyObject *str_compiler_module, *str_compile, *str_code, *str_parse, *str_parser, *str_sre;

/* The static code of a function in a module's dict, or NULL. */
static PyObject *static_code_of(PyObject *globals, PyObject *name)
{
    PyObject *function = PyDict_GetItemWithError(globals, name);
    if (function == NULL || !PyFunction_Check(function)) {
        return NULL;
    }
    PyObject *code = PyFunction_GET_CODE(function);
    return ff_is_static(code) ? code : NULL;
}

/* A module that another one has imported (borrowed), or NULL. */
static PyObject *module_in(PyObject *globals, PyObject *name)
{
    PyObject *module = PyDict_GetItemWithError(globals, name);
    return module != NULL && PyModule_CheckExact(module) ? module : NULL;
}

static int are_functions_unmodified(PyObject *globals)
{
    PyObject *parser = module_in(globals, str_parser);
    return parser != NULL && static_code_of(globals, str_code) == compile_code &&
           static_code_of(PyModule_GetDict(parser), str_parse) == parse_code;
}

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

/* The row for the arguments of a call, or NULL without an exception. Subclasses of str and bytes may be anything. */
static const ff_expression *find_called(PyObject *const *arguments, Py_ssize_t count)
{
    if (count < 1 || count > 2 || (count == 2 && !PyLong_CheckExact(arguments[1]))) {
        return NULL;
    }
    long flags = count == 2 ? PyLong_AsLong(arguments[1]) : 0;
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
    PyErr_Clear(); /* flags of more bits than there are; a lone surrogate */
    if (data == NULL || flags < 0 || flags > UINT16_MAX) {
        return NULL;
    }
    return find((ff_text){data, (size_t)length}, (uint32_t)flags, PyBytes_CheckExact(pattern));
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

static PyObject *make(PyObject *sre, PyObject *pattern, const ff_expression *row)
{
    PyObject *code = list_of_code(row), *numbers = PyDict_New(), *names = PyTuple_New(row->groups + 1), *made = NULL;
    if (code != NULL && numbers != NULL && names != NULL && name_groups(row, numbers, names) == 0) {
        PyObject *function = PyObject_GetAttr(sre, str_compile);
        if (function != NULL) {
            made = PyObject_CallFunction(function, "OIOIOO", pattern, (unsigned int)row->all_flags, code,
                                         (unsigned int)row->groups, numbers, names);
            Py_DECREF(function);
        }
    }
    Py_XDECREF(code);
    Py_XDECREF(numbers);
    Py_XDECREF(names);
    return made;
}

static PyObject *call(PyObject *function, PyObject *const *arguments, size_t count, PyObject *keywords)
{
    PyObject *globals = PyFunction_GET_GLOBALS(function);
    const ff_expression *row = keywords == NULL ? find_called(arguments, PyVectorcall_NARGS(count)) : NULL;
    PyObject *sre = row == NULL ? NULL : module_in(globals, str_sre);
    if (sre != NULL && are_functions_unmodified(globals) && !ff_is_traced(PyInterpreterState_Get())) {
        used_count++;
        return make(sre, arguments[0], row);
    }
    PyErr_Clear();
    return ordinary_call(function, arguments, count, keywords);
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

static PyObject *intern(const char *data, size_t length)
{
    PyObject *text = PyUnicode_FromStringAndSize(data, (Py_ssize_t)length);
    if (text != NULL) {
        PyUnicode_InternInPlace(&text);
    }
    return text;
}

static int intern_names(void)
{
    const char *rest = FF_RE_MODULES;
    ff_text compiler, parser;
    (void)next_module(&rest, &compiler);
    (void)next_module(&rest, &parser);
    /* The compiler has imported the parser under the last part of its name. */
    const char *dot = memrchr(parser.data, '.', parser.length);
    const char *name = dot == NULL ? parser.data : dot + 1;
    str_compiler_module = intern(compiler.data, compiler.length);
    str_parser = intern(name, parser.length - (size_t)(name - parser.data));
    str_compile = PyUnicode_InternFromString("compile");
    str_code = PyUnicode_InternFromString("_code");
    str_parse = PyUnicode_InternFromString("parse");
    str_sre = PyUnicode_InternFromString("_sre");
    return PyErr_Occurred() ? -1 : 0;
}

/* Whether all modules that have to do with it are static code: else what they would compile now may be something else. */
static int are_compilers_static(void)
{
    const char *rest = FF_RE_MODULES;
    ff_text name;
    while (next_module(&rest, &name)) {
        const ff_source *source = ff_find_module(name);
        if (source == NULL || !ff_is_thawed(source->image)) {
            return 0;
        }
    }
    return 1;
}

/* Called after frozen modules were loaded, until the module that compiles regular expressions is among them. */
void ff_install_expressions(void)
{
    if (state != WAITING || ff_expression_count == 0 || !ff_images_available()) {
        return;
    }
    if (str_compiler_module == NULL && intern_names() < 0) {
        PyErr_Clear();
        state = GIVEN_UP;
        return;
    }
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = modules == NULL ? NULL : PyDict_GetItemWithError(modules, str_compiler_module);
    PyObject *globals = module == NULL || !PyModule_CheckExact(module) ? NULL : PyModule_GetDict(module);
    if (globals == NULL || PyDict_GetItemWithError(globals, str_compile) == NULL) {
        PyErr_Clear();
        return; /* not yet */
    }
    state = GIVEN_UP;
    if (are_compilers_static() && static_code_of(globals, str_compile) != NULL) {
        PyObject *parser = module_in(globals, str_parser);
        compile_code = static_code_of(globals, str_code);
        parse_code = parser == NULL ? NULL : static_code_of(PyModule_GetDict(parser), str_parse);
        if (compile_code != NULL && parse_code != NULL && divert(PyDict_GetItemWithError(globals, str_compile)) == 0) {
            state = INSTALLED;
        }
    }
    PyErr_Clear();
}

#else
void ff_install_expressions(void)
{
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
