/* Who has allocated what differs in two dumps: asked of a process that does the same once more, with the same addresses. A word belongs to the module whose
 * body, or whose library's initialisation, ran when the block around it was allocated for the last time. Nothing is allocated for that meanwhile. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uintptr_t address;
    PyObject *globals, *loader; /* of the module's body; or of the library that is being loaded */
} origin;

static origin *origins;
static size_t origin_count;

static int compare(const void *a, const void *b)
{
    const origin *first = a, *second = b;
    return (first->address > second->address) - (first->address < second->address);
}

static int is_named(const PyCodeObject *code, const char *name)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, name) == 0;
}

/* The innermost one. */
static origin find_module(const PyThreadState *thread)
{
    for (FF_FRAME *frame = FF_FIRST_FRAME(thread); frame != NULL; frame = FF_FRAME_BEFORE(frame)) {
        const PyCodeObject *code = FF_CODE_OF_FRAME(frame);
        if (code == NULL) {
            continue;
        }
        if (is_named(code, "<module>")) {
            return (origin){0, frame->f_globals, NULL};
        }
        /* Methods of importlib's ExtensionFileLoader, whose first argument is the loader (Lib/importlib/_bootstrap_external.py). */
        if ((is_named(code, "create_module") || is_named(code, "exec_module")) &&
            PyUnicode_CompareWithASCIIString(code->co_filename, "<frozen importlib._bootstrap_external>") == 0) {
            return (origin){0, NULL, FF_LOCAL_OF_FRAME(frame, 0)};
        }
    }
    return (origin){0, NULL, NULL};
}

static void note(const char *start, size_t size)
{
    size_t low = 0, high = origin_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (origins[middle].address < (uintptr_t)start) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    const PyThreadState *thread = low < origin_count && origins[low].address < (uintptr_t)start + size ? FF_CURRENT_THREAD() : NULL;
    if (thread == NULL) {
        return;
    }
    origin found = find_module(thread);
    Py_XINCREF(found.globals); /* for good */
    Py_XINCREF(found.loader);
    for (; low < origin_count && origins[low].address < (uintptr_t)start + size; low++) {
        origins[low].globals = found.globals;
        origins[low].loader = found.loader;
    }
}

/* Before the imports: for the words of the request. */
void ff_watch_origins(void)
{
    for (const char *word = NULL; (word = ff_request_value("word", word)) != NULL;) {
        origin_count++;
    }
    origins = (origin *)ff_scratch(origin_count * sizeof(*origins) + 1);
    size_t i = 0;
    for (const char *word = NULL; (word = ff_request_value("word", word)) != NULL;) {
        origins[i++].address = strtoul(word, NULL, 16);
    }
    qsort(origins, origin_count, sizeof(*origins), compare);
    ff_watch_allocations(note);
}

/* Afterwards: a dictionary of names by address; NULL with an exception. */
PyObject *ff_name_origins(void)
{
    ff_watch_allocations(NULL);
    PyObject *names = PyDict_New();
    for (size_t i = 0; i < origin_count && names != NULL; i++) {
        const origin *each = &origins[i];
        PyObject *name = each->loader != NULL ? PyObject_GetAttrString(each->loader, "name")
                         : each->globals == NULL ? NULL : Py_XNewRef(PyDict_GetItemString(each->globals, "__name__"));
        PyObject *address = PyLong_FromUnsignedLong(each->address);
        PyErr_Clear(); /* those of nobody stay away */
        if (address == NULL || (name != NULL && PyDict_SetItem(names, address, name) < 0)) {
            Py_CLEAR(names);
        }
        Py_XDECREF(name);
        Py_XDECREF(address);
    }
    return names;
}
