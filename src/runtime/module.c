/* The module _flashfreeze: what is frozen in this interpreter. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

static PyStructSequence_Field module_fields[] = {
    {"name", "the module's name"},
    {"origin", "'frozen', or the path of the source file it stands for"},
    {"digest", "sha256 of the code it was made from, hexadecimal"},
    {NULL, NULL}};
static PyStructSequence_Desc module_description = {"_flashfreeze.Module", "A frozen module.", module_fields, 3};

typedef struct {
    PyObject *module_type;
    PyObject *before_snapshot, *after_restore; /* lists of functions */
} module_state;

static PyObject *new_entry(PyObject *type, const ff_image *image, PyObject *origin /* stolen */)
{
    PyObject *entry = origin == NULL ? NULL : PyStructSequence_New((PyTypeObject *)type);
    if (entry == NULL) {
        Py_XDECREF(origin);
        return NULL;
    }
    PyStructSequence_SetItem(entry, 0, PyUnicode_FromString(ff_image_name(image)));
    PyStructSequence_SetItem(entry, 1, origin);
    PyStructSequence_SetItem(entry, 2, PyUnicode_FromString(FF_FOLLOW(image, const char, image->digest)));
    if (PyErr_Occurred()) {
        Py_CLEAR(entry);
    }
    return entry;
}

static int append_entry(PyObject *list, PyObject *entry /* stolen */)
{
    int status = entry == NULL ? -1 : PyList_Append(list, entry);
    Py_XDECREF(entry);
    return status;
}

/* Whether an earlier row has the same image (os.path is posixpath). */
static int is_alias(uint32_t row)
{
    for (uint32_t i = 0; i < row; i++) {
        if (ff_frozen_rows[i].image == ff_frozen_rows[row].image) {
            return 1;
        }
    }
    return 0;
}

static PyObject *modules(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *type = ((module_state *)PyModule_GetState(self))->module_type;
    PyObject *list = PyList_New(0);
    int status = list == NULL ? -1 : 0;
    if (status == 0 && ff_getpath != NULL) {
        status = append_entry(list, new_entry(type, ff_getpath, PyUnicode_FromString("frozen")));
    }
    for (uint32_t i = 0; i < ff_frozen_row_count && status == 0; i++) {
        if (!is_alias(i)) {
            status = append_entry(list, new_entry(type, ff_frozen_rows[i].image, PyUnicode_FromString("frozen")));
        }
    }
    for (uint32_t i = 0; i < ff_source_count && status == 0; i++) {
        status = append_entry(list, new_entry(type, ff_sources[i].image, ff_source_path(&ff_sources[i])));
    }
    if (status < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *code(PyObject *Py_UNUSED(self), PyObject *argument)
{
    const char *name = PyUnicode_AsUTF8(argument); /* refuses lone surrogates; no frozen name contains a nul */
    if (name == NULL) {
        return NULL;
    }
    if (PyUnicode_FindChar(argument, 0, 0, PyUnicode_GET_LENGTH(argument), 1) >= 0) {
        name = "";
    }
    const ff_image *image = NULL;
    PyObject *path = NULL;
    if (ff_getpath != NULL && strcmp(ff_image_name(ff_getpath), name) == 0) {
        image = ff_getpath;
    }
    for (uint32_t i = 0; i < ff_frozen_row_count && image == NULL; i++) {
        if (strcmp(ff_image_name(ff_frozen_rows[i].image), name) == 0) {
            image = ff_frozen_rows[i].image;
        }
    }
    for (uint32_t i = 0; i < ff_source_count && image == NULL; i++) {
        if (strcmp(ff_image_name(ff_sources[i].image), name) == 0) {
            image = ff_sources[i].image;
            path = ff_source_path(&ff_sources[i]);
            if (path == NULL) {
                return NULL;
            }
        }
    }
    PyObject *found = NULL;
    ff_answer is_found = image == NULL ? FF_NO : ff_thaw(image, path, &found);
    Py_XDECREF(path);
    if (is_found == FF_NO || is_found == FF_UNSURE) {
        const char *reason = ff_unavailable_reason();
        PyErr_Format(PyExc_LookupError, "no static code for %R%s%s", argument, reason == NULL ? "" : ": ",
                     reason == NULL ? "" : reason);
    }
    return found;
}

static PyObject *is_static(PyObject *Py_UNUSED(self), PyObject *argument)
{
    if (!PyCode_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "expected a code object, not %s", Py_TYPE(argument)->tp_name);
        return NULL;
    }
    return PyBool_FromLong(ff_is_static(argument));
}

static uint32_t module_count(void)
{
    uint32_t count = ff_source_count + (ff_getpath != NULL);
    for (uint32_t i = 0; i < ff_frozen_row_count; i++) {
        count += !is_alias(i);
    }
    return count;
}

const char *ff_snapshot_state = NULL;

static PyObject *info(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    const char *reason = ff_unavailable_reason();
    return Py_BuildValue("{s:N,s:z,s:z,s:N,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "active", PyBool_FromLong(reason == NULL),
                         "inactive_because", reason, "snapshot", ff_snapshot_state, "checks_sources", PyBool_FromLong(ff_checks_sources()), "modules",
                         (unsigned int)module_count(), "used", (unsigned int)ff_thawed_count(), "expressions",
                         (unsigned int)ff_expression_count, "used_expressions", (unsigned int)ff_used_expression_count(),
                         "snippets", (unsigned int)ff_snippet_count, "used_snippets", (unsigned int)ff_used_snippet_count(),
                         "build", ff_build_info);
}

static PyObject *expressions(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return ff_list_expressions();
}

static PyObject *snippets(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return ff_list_snippets();
}

static PyObject *append_function(PyObject *list, PyObject *function)
{
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "expected a callable, not %s", Py_TYPE(function)->tp_name);
        return NULL;
    }
    if (PyList_Append(list, function) < 0) {
        return NULL;
    }
    Py_INCREF(function);
    return function;
}

static PyObject *before_snapshot(PyObject *self, PyObject *function)
{
    return append_function(((module_state *)PyModule_GetState(self))->before_snapshot, function);
}

static PyObject *after_restore(PyObject *self, PyObject *function)
{
    return append_function(((module_state *)PyModule_GetState(self))->after_restore, function);
}

/* For snapshot/renewal.c and the recording of imports. */
static PyObject *snapshot_functions(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    module_state *state = PyModule_GetState(self);
    return PyTuple_Pack(2, state->before_snapshot, state->after_restore);
}

const ff_snapshot_rules *ff_rules = NULL;

/* For the recording of imports: why a snapshot cannot hold an extension module in a shared library; None if it can. */
static PyObject *reason_to_leave_out(PyObject *Py_UNUSED(self), PyObject *path)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(path, &bytes)) {
        return NULL;
    }
    const char *reason = ff_rules == NULL ? "there is no snapshot" : ff_rules->reason_to_leave_out(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    return reason == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(reason);
}

/* The same: what belongs to the process. */
static PyObject *process_settings(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return ff_rules == NULL ? PyUnicode_FromString("") : ff_rules->settings();
}

#ifdef FF_POSITION_INDEPENDENT
/* For fix_addresses.py: (a bytearray of all images, where they are going to lie). */
static PyObject *fix_addresses(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *copy;
    unsigned long long base;
    if (!PyArg_ParseTuple(arguments, "YK", &copy, &base)) {
        return NULL;
    }
    return ff_fix_addresses(PyByteArray_AS_STRING(copy), (size_t)PyByteArray_GET_SIZE(copy), (uintptr_t)base);
}
#endif

static PyMethodDef functions[] = {
    {"modules", modules, METH_NOARGS, "modules()\n--\n\nThe frozen modules, as a list of (name, origin, digest)."},
    {"code", code, METH_O, "code(name, /)\n--\n\nThe static code object of a frozen module; LookupError if there is none."},
    {"is_static", is_static, METH_O, "is_static(code, /)\n--\n\nWhether a code object is static data of this interpreter."},
    {"expressions", expressions, METH_NOARGS,
     "expressions()\n--\n\nThe regular expressions that were compiled beforehand, as a list of (pattern, flags)."},
    {"snippets", snippets, METH_NOARGS,
     "snippets()\n--\n\nThe source text that was compiled beforehand, as a list of (text, filename, mode, flags, code)."},
    {"before_snapshot", before_snapshot, METH_O,
     "before_snapshot(function, /)\n--\n\nCall a function before a snapshot is made, the last one first; returns it."},
    {"after_restore", after_restore, METH_O,
     "after_restore(function, /)\n--\n\nCall a function when a process starts from a snapshot, the first one first; returns it."},
    {"_snapshot_functions", snapshot_functions, METH_NOARGS, NULL},
    {"_reason_to_leave_out", reason_to_leave_out, METH_O, NULL},
    {"_process_settings", process_settings, METH_NOARGS, NULL},
#ifdef FF_POSITION_INDEPENDENT
    {"_fix_addresses", fix_addresses, METH_VARARGS, NULL},
#endif
    {"info", info, METH_NOARGS, "info()\n--\n\nWhether static code is in use, why not, and what made this interpreter."},
    {NULL, NULL, 0, NULL}};

static int execute(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    state->module_type = (PyObject *)PyStructSequence_NewType(&module_description);
    state->before_snapshot = PyList_New(0);
    state->after_restore = PyList_New(0);
    if (state->before_snapshot == NULL || state->after_restore == NULL) {
        return -1;
    }
    return state->module_type == NULL ? -1 : PyModule_AddObjectRef(module, "Module", state->module_type);
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = PyModule_GetState(module);
    Py_VISIT(state->module_type);
    Py_VISIT(state->before_snapshot);
    Py_VISIT(state->after_restore);
    return 0;
}

static int clear(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->module_type);
    Py_CLEAR(state->before_snapshot);
    Py_CLEAR(state->after_restore);
    return 0;
}

static void free_module(void *module)
{
    (void)clear(module); /* nobody does before, unless the module is part of a cycle */
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute},
#ifdef Py_mod_multiple_interpreters
                                   {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
                                   {0, NULL}};
static PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                 .m_name = "_flashfreeze",
                                 .m_doc = "What is frozen in this interpreter.",
                                 .m_size = sizeof(module_state),
                                 .m_methods = functions,
                                 .m_slots = slots,
                                 .m_traverse = traverse,
                                 .m_clear = clear,
                                 .m_free = free_module};

PyObject *ff_module_init(void)
{
    return PyModuleDef_Init(&definition);
}
