/* Whether functions do what they did when they were remembered: their code can be replaced, their defaults, the variables of
 * functions around them, and what is called in their place (PyFunction_SetVectorcall()). */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

struct ff_function {
    PyFunctionObject *function;
    PyObject *code, *defaults, *keyword_defaults;
    vectorcallfunc vectorcall;
    uint32_t version; /* 0: it has none */
};

/* A variable of a function around one. */
struct ff_cell {
    PyObject *cell, *value;
};

/* A number that is another one, or 0, whenever code, defaults or the vectorcall of the function were set. */
static uint32_t version_of(const PyFunctionObject *function)
{
#if FF_HAS_FUNCTION_VERSION
    return function->func_version;
#else
    (void)function;
    return 0;
#endif
}

/* Whether a function is the original one, by its co_filename, which begins like that. */
static int is_original(PyObject *function, const char *filename)
{
    PyObject *own = ((PyCodeObject *)PyFunction_GET_CODE(function))->co_filename;
    size_t length = strlen(filename);
    return PyUnicode_IS_COMPACT_ASCII(own) && (size_t)PyUnicode_GET_LENGTH(own) >= length &&
           memcmp(PyUnicode_1BYTE_DATA(own), filename, length) == 0;
}

/* ---- remembering ---- */

static int is_cell_remembered(const ff_memory *memory, PyObject *cell)
{
    for (size_t i = 0; i < memory->cell_count; i++) {
        if (memory->cells[i].cell == cell) {
            return 1;
        }
    }
    return 0;
}

/* Remembers the variables of functions around one, and the functions in these: decorators wrap them so. */
static int remember_closure(ff_memory *memory, PyObject *closure, const char *filename)
{
    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_GET_SIZE(closure); i++) {
        PyObject *cell = PyTuple_GET_ITEM(closure, i), *value = PyCell_GET(cell);
        if (is_cell_remembered(memory, cell)) {
            continue;
        }
        ff_cell *cells = ff_make_room(memory->cells, memory->cell_count, sizeof(ff_cell));
        if (cells == NULL) {
            return -1;
        }
        memory->cells = cells;
        memory->cells[memory->cell_count++] = (ff_cell){Py_NewRef(cell), Py_XNewRef(value)};
        if (value != NULL && ff_remember_functions(memory, value, filename) < 0) {
            return -1;
        }
    }
    return 0;
}

static int remember_function(ff_memory *memory, PyObject *object, const char *filename)
{
    ff_function *functions = ff_make_room(memory->functions, memory->function_count, sizeof(ff_function));
    if (functions == NULL) {
        return -1;
    }
    PyFunctionObject *function = (PyFunctionObject *)Py_NewRef(object);
    /* 3.12 counts versions of code and of changed functions apart. From now on they cannot be equal. */
    (void)ff_reserve_versions(0);
    memory->functions = functions;
    memory->functions[memory->function_count++] =
        (ff_function){function, Py_NewRef(function->func_code), Py_XNewRef(function->func_defaults),
                      Py_XNewRef(function->func_kwdefaults), function->vectorcall, version_of(function)};
    if (filename != NULL && !is_original(object, filename)) {
        memory->is_foreign = 1;
    }
    if (function->func_kwdefaults != NULL && ff_remember_container(memory, function->func_kwdefaults) < 0) {
        return -1;
    }
    return remember_closure(memory, function->func_closure, filename);
}

/* Remembers the functions that a value of a namespace is, or that a method or a property is made of. `filename`: how the
 * co_filename of original ones begins, or NULL. -1 with an exception. */
int ff_remember_functions(ff_memory *memory, PyObject *value, const char *filename)
{
    static const char *const parts[] = {"__func__", "fget", "fset", "fdel"};
    int is_method = Py_IS_TYPE(value, &PyClassMethod_Type) || Py_IS_TYPE(value, &PyStaticMethod_Type);
    if (PyFunction_Check(value)) {
        return remember_function(memory, value, filename);
    }
    if (!is_method && !Py_IS_TYPE(value, &PyProperty_Type)) {
        return 0;
    }
    for (size_t i = is_method ? 0 : 1; i < (is_method ? 1 : sizeof(parts) / sizeof(parts[0])); i++) {
        PyObject *part = PyObject_GetAttrString(value, parts[i]);
        int status = part == NULL ? -1 : ff_remember_functions(memory, part, filename);
        Py_XDECREF(part);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* A function that was remembered is to have the vectorcall that it has now. */
void ff_accept_vectorcall(ff_memory *memory, PyObject *object)
{
    for (size_t i = 0; i < memory->function_count; i++) {
        ff_function *each = &memory->functions[i];
        if ((PyObject *)each->function == object) {
            each->vectorcall = each->function->vectorcall;
        }
    }
}

/* ---- comparing ---- */

/* Whether every function has the version that was remembered, and none is without. Asked before each import, so it is without
 * branches. */
static int are_versions_unmodified(const ff_memory *memory)
{
    uint32_t different = 0;
    const ff_function *each = memory->functions, *end = each + memory->function_count;
    for (; end - each >= 4; each += 4) {
        different |= (version_of(each[0].function) ^ each[0].version) | (version_of(each[1].function) ^ each[1].version) |
                     (version_of(each[2].function) ^ each[2].version) | (version_of(each[3].function) ^ each[3].version);
    }
    for (; each < end; each++) {
        different |= version_of(each->function) ^ each->version;
    }
    return memory->have_versions && different == 0;
}

static ff_answer are_parts_unmodified(ff_memory *memory)
{
    int have_versions = 1;
    for (size_t i = 0; i < memory->function_count; i++) {
        ff_function *each = &memory->functions[i];
        const PyFunctionObject *function = each->function;
        if (function->func_code != each->code || function->func_defaults != each->defaults ||
            function->func_kwdefaults != each->keyword_defaults || function->vectorcall != each->vectorcall) {
            return FF_NO;
        }
        each->version = version_of(function);
        have_versions &= each->version != 0;
    }
    memory->have_versions = have_versions;
    return FF_YES;
}

/* Whether they do what they did. */
ff_answer ff_are_functions_unmodified(ff_memory *memory)
{
    if (!are_versions_unmodified(memory) && are_parts_unmodified(memory) != FF_YES) {
        return FF_NO;
    }
    for (size_t i = 0; i < memory->cell_count; i++) {
        if (PyCell_GET(memory->cells[i].cell) != memory->cells[i].value) {
            return FF_NO;
        }
    }
    return FF_YES;
}

/* Whether all functions that were remembered are static code. */
int ff_are_functions_static(const ff_memory *memory)
{
    for (size_t i = 0; i < memory->function_count; i++) {
        if (!ff_is_static(memory->functions[i].code)) {
            return 0;
        }
    }
    return 1;
}
