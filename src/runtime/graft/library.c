/* The images as a library that a copy of the Python's executable needs: the dynamic linker loads it before main(). It gets
 * into the interpreter by public means, when importlib is in place and before anything is imported from a file: the first such
 * module is `encodings` (Python/pylifecycle.c, init_interp_main() -> _PyUnicode_InitEncodings()), and importlib asks for
 * frozen modules before it looks at sys.path. So our own frozen `encodings` comes first (ff_entry). It imports
 * _flashfreeze, which takes it away again, and then the real one. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY "encodings"

static const struct _frozen *tables_before;

/* ---- modules that CPython freezes itself ---- */

static PyCFunction get_frozen_object;

/* Gives static code for a name. FF_UNSURE: the interpreter's own function has to answer. */
static ff_answer find_frozen_code(PyObject *name, PyObject **code)
{
    ff_text text;
    *code = NULL;
    ff_answer answer = ff_is_import_observed() ? FF_NO : ff_read_text(name, &text);
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    for (uint32_t i = 0; i < ff_frozen_row_count; i++) {
        if (ff_is_text(ff_frozen_rows[i].name, text.data, text.length)) {
            return ff_thaw(ff_frozen_rows[i].image, NULL, code);
        }
    }
    return FF_UNSURE;
}

typedef PyObject *(*fastcall)(PyObject *, PyObject *const *, Py_ssize_t);

/* 3.11 and later: get_frozen_object(name, data=None) (Python/import.c, _imp_get_frozen_object()). */
static PyObject *get_with_data(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *code = NULL;
    if ((count == 1 || (count == 2 && arguments[1] == Py_None)) && find_frozen_code(arguments[0], &code) != FF_UNSURE) {
        return code;
    }
    return ((fastcall)(void (*)(void))get_frozen_object)(self, arguments, count);
}

/* 3.10: get_frozen_object(name). */
static PyObject *get_by_name(PyObject *self, PyObject *name)
{
    PyObject *code;
    return find_frozen_code(name, &code) != FF_UNSURE ? code : get_frozen_object(self, name);
}

/* importlib's FrozenImporter gets code from this function of _imp only. Returns -1 with an exception. */
static int divert_frozen_code(void)
{
    PyObject *imp = PyImport_AddModule("_imp");
    PyObject *function = imp == NULL ? NULL : PyDict_GetItemString(PyModule_GetDict(imp), "get_frozen_object");
    if (imp == NULL) {
        return -1;
    }
    if (function != NULL && PyCFunction_CheckExact(function)) {
        PyMethodDef *definition = ((PyCFunctionObject *)function)->m_ml;
        PyCFunction ours = definition->ml_flags == METH_FASTCALL ? (PyCFunction)(void (*)(void))get_with_data
                           : definition->ml_flags == METH_O      ? get_by_name
                                                                 : NULL;
        if (ours != NULL) {
            get_frozen_object = definition->ml_meth;
            definition->ml_meth = ours;
        }
    }
    return 0;
}

/* ---- how the interpreter comes here ---- */

static PyObject *init_module(void)
{
    static int is_installed;
    if (!is_installed) {
        is_installed = 1;
        PyImport_FrozenModules = tables_before;
        if (ff_target != NULL && strcmp(Py_GetVersion(), ff_target) != 0) {
            ff_disable("made for another build of Python");
        }
        else if (ff_images_available() && (divert_frozen_code() < 0 || ff_install_import_hooks() < 0)) {
            return NULL;
        }
    }
    return ff_module_init();
}

/* Our row, and where the interpreter has one table only (3.10), its rows after it. NULL without memory. */
static struct _frozen *with_entry(const struct _frozen *table)
{
    size_t count = 0;
    while (table != NULL && table[count].name != NULL) {
        count++;
    }
    struct _frozen *rows = calloc(count + 2, sizeof(struct _frozen));
    if (rows != NULL) {
        rows[0].name = ENTRY;
        rows[0].code = ff_entry;
#if FF_FROZEN_TABLES == 3
        rows[0].size = (int)ff_entry_size;
        rows[0].is_package = 1;
#else
        rows[0].size = -(int)ff_entry_size; /* a package (Python/import.c) */
#endif
        if (count > 0) {
            memcpy(rows + 1, table, count * sizeof(struct _frozen));
        }
    }
    return rows;
}

__attribute__((constructor)) static void get_in(void)
{
    struct _frozen *rows = with_entry(PyImport_FrozenModules);
    if (rows == NULL || PyImport_AppendInittab("_flashfreeze", init_module) < 0) {
        free(rows);
        return;
    }
    tables_before = PyImport_FrozenModules;
    PyImport_FrozenModules = rows;
}
