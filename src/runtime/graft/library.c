/* The images as a library that a copy of the Python's executable needs: the dynamic linker loads it before main(). It gets
 * into the interpreter by public means, through the table of built-in modules: `_imp` is the first of them that a starting
 * interpreter makes, and importlib asks it for the code of every frozen module (Python/import.c, init_importlib()): of its own second
 * half, of zipimport, and of all others. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

/* ---- modules that CPython freezes itself ---- */

static PyCFunction get_frozen_object;

/* Whether the interpreter has static code of the module already, which it prepares at each start, whether it is used or not: where that is so, images
 * of importlib's second half and of zipimport, which every start runs and no program looks at, would only be more pages. */
static int has_code_of_its_own(ff_text name)
{
    return FF_HAS_DEEPFREEZE &&
           (ff_is_text("_frozen_importlib_external", name.data, name.length) || ff_is_text("zipimport", name.data, name.length));
}

/* Gives static code for a name. FF_UNSURE: the interpreter's own function has to answer. */
static ff_answer find_frozen_code(PyObject *name, PyObject **code)
{
    ff_text text;
    *code = NULL;
    ff_answer answer = ff_read_text(name, &text);
    if (answer != FF_YES) {
        return ff_failed_or(answer, FF_UNSURE);
    }
    /* zipimport is the first module that CPython asks for once the path-based importer is in place, before anything is
     * looked for on disk (Python/pylifecycle.c, init_interp_main() -> init_importlib_external()). */
    if (ff_is_text("zipimport", text.data, text.length) &&
        (ff_restore_executable() < 0 || (ff_images_available() && ff_install_import_hooks() < 0))) {
        return FF_FAILED;
    }
    if (ff_is_import_observed() || has_code_of_its_own(text)) {
        return FF_UNSURE;
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

/* importlib's FrozenImporter gets code from this function of _imp only. The definition of the module is the interpreter's, and one
 * for all of its modules of that name. */
static void divert_frozen_code(PyModuleDef *imp)
{
    for (PyMethodDef *each = imp->m_methods; each != NULL && each->ml_name != NULL; each++) {
        if (strcmp(each->ml_name, "get_frozen_object") != 0) {
            continue;
        }
        PyCFunction ours = each->ml_flags == METH_FASTCALL ? (PyCFunction)(void (*)(void))get_with_data
                           : each->ml_flags == METH_O      ? get_by_name
                                                           : NULL;
        if (ours != NULL) {
            get_frozen_object = each->ml_meth;
            each->ml_meth = ours;
        }
    }
}

/* ---- how the interpreter comes here ---- */

static PyObject *(*original_init_imp)(void);

/* Called for each interpreter of the process, the main one first. */
static PyObject *init_imp(void)
{
    PyObject *definition = original_init_imp();
    if (get_frozen_object == NULL && definition != NULL && Py_IS_TYPE(definition, &PyModuleDef_Type)) {
        if (ff_target != NULL && strcmp(Py_GetVersion(), ff_target) != 0) {
            ff_disable("made for another build of Python");
        }
        divert_frozen_code((PyModuleDef *)definition);
    }
    return definition;
}

__attribute__((constructor)) static void get_in(void)
{
    ff_populate_start();
    ff_start_as_original();
    /* Fails only without memory; then `import _flashfreeze` fails, and nothing else. It makes the table one that can be written. */
    if (PyImport_AppendInittab("_flashfreeze", ff_module_init) < 0) {
        return;
    }
    for (struct _inittab *row = PyImport_Inittab; row->name != NULL; row++) {
        if (strcmp(row->name, "_imp") == 0) {
            original_init_imp = row->initfunc;
            row->initfunc = init_imp;
        }
    }
}
