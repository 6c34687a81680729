/* Generators whose end nobody can see: closing one raises an exception where it stands, and nothing in its code handles any, in no `try` and no `with`. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#if FF_SNAPSHOT_STATE >= 311
#include "internal/pycore_code.h"
#include "opcode.h"

/* A number in the table of handlers (InternalDocs/exception_handling.md): six bits a byte, the seventh says that more follow. */
static unsigned int read_number(const unsigned char **at)
{
    unsigned char byte = *(*at)++;
    unsigned int number = byte & 63;
    while ((byte & 64) != 0) {
        byte = *(*at)++;
        number = number << 6 | (byte & 63);
    }
    return number;
}

/* The handler that a generator's whole body has since 3.12: it turns StopIteration into an error (Python/compile.c, wrap_in_stopiteration_handler()). */
static int is_for_stop_iteration(PyCodeObject *code, unsigned int handler)
{
#if FF_SNAPSHOT_STATE >= 312
    const _Py_CODEUNIT *first = _PyCode_CODE(code) + handler;
    return FF_OPCODE(*first) == CALL_INTRINSIC_1 && FF_OPARG(*first) == 3; /* INTRINSIC_STOPITERATION_ERROR */
#else
    (void)code;
    (void)handler;
    return 0;
#endif
}

static int has_handlers(PyCodeObject *code)
{
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(code->co_exceptiontable);
    const unsigned char *end = at + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (at < end) {
        (void)read_number(&at); /* where it begins */
        (void)read_number(&at); /* for how long */
        unsigned int handler = read_number(&at);
        (void)read_number(&at); /* the depth of the stack */
        if (!is_for_stop_iteration(code, handler)) {
            return 1;
        }
    }
    return 0;
}

/* `yield from` closes what it waits for; since 3.12 it has a handler. */
static int has_others(PyCodeObject *code)
{
#if FF_SNAPSHOT_STATE < 312
    const _Py_CODEUNIT *units = _PyCode_CODE(code);
    for (Py_ssize_t i = 0; i < Py_SIZE(code); i += 1 + _PyOpcode_Caches[_PyOpcode_Deopt[FF_OPCODE(units[i])]]) {
        if (FF_OPCODE(units[i]) == SEND) {
            return 1;
        }
    }
#else
    (void)code;
#endif
    return 0;
}

int ff_is_plain_generator(PyObject *object)
{
    if (!PyGen_CheckExact(object)) {
        return 0;
    }
#if FF_SNAPSHOT_STATE >= 312
    PyCodeObject *code = PyGen_GetCode((PyGenObject *)object);
#else
    PyCodeObject *code = (PyCodeObject *)Py_NewRef(((PyGenObject *)object)->gi_code);
#endif
    int is_plain = !has_handlers(code) && !has_others(code);
    Py_DECREF(code);
    return is_plain;
}
#else
int ff_is_plain_generator(PyObject *Py_UNUSED(object))
{
    return 0;
}
#endif
