/* Whether functions do what they did when they were remembered: their code can be replaced, and their defaults. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

struct ff_function {
    PyFunctionObject *function;
    PyObject *code, *defaults, *keyword_defaults;
    uint32_t version; /* 0: it has none */
};

/* A number that is another one, or 0, whenever code or defaults of the function were set. */
static uint32_t version_of(const PyFunctionObject *function)
{
#if FF_HAS_FUNCTION_VERSION
    return function->func_version;
#else
    (void)function;
    return 0;
#endif
}

/* Room for one more element of an array that has `count`: it grows when these are a power of two. NULL with an exception. */
void *ff_make_room(void *array, size_t count, size_t element_size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    void *larger = PyMem_RawRealloc(array, (count == 0 ? 1 : 2 * count) * element_size);
    if (larger == NULL) {
        PyErr_NoMemory();
    }
    return larger;
}

/* Gives the function behind a value of a namespace (borrowed: the value keeps it), or NULL. -1 with an exception. */
int ff_read_function(PyObject *value, PyObject **function)
{
    *function = NULL;
    if (PyFunction_Check(value)) {
        *function = value;
    }
    else if (Py_IS_TYPE(value, &PyClassMethod_Type) || Py_IS_TYPE(value, &PyStaticMethod_Type)) {
        PyObject *wrapped = PyObject_GetAttrString(value, "__func__");
        if (wrapped == NULL) {
            return -1;
        }
        Py_DECREF(wrapped);
        *function = PyFunction_Check(wrapped) ? wrapped : NULL;
    }
    return 0;
}

/* -1 with an exception. */
int ff_remember_function(ff_memory *memory, PyObject *object)
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
                      Py_XNewRef(function->func_kwdefaults), version_of(function)};
    return 0;
}

/* Whether a function is the original one, by its co_filename, which begins like that. */
int ff_is_original(PyObject *function, const char *filename)
{
    PyObject *own = ((PyCodeObject *)PyFunction_GET_CODE(function))->co_filename;
    size_t length = strlen(filename);
    return PyUnicode_IS_COMPACT_ASCII(own) && (size_t)PyUnicode_GET_LENGTH(own) >= length &&
           memcmp(PyUnicode_1BYTE_DATA(own), filename, length) == 0;
}

/* Whether they do what they did. */
ff_answer ff_are_functions_unmodified(const ff_memory *memory)
{
    for (size_t i = 0; i < memory->function_count; i++) {
        ff_function *each = &memory->functions[i];
        const PyFunctionObject *function = each->function;
        uint32_t version = version_of(function);
        if (version != 0 && version == each->version) {
            continue;
        }
        if (function->func_code != each->code || function->func_defaults != each->defaults ||
            function->func_kwdefaults != each->keyword_defaults) {
            return FF_NO;
        }
        each->version = version;
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
