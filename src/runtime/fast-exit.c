/* The end of a process with `--fast-exit`. CPython takes apart all objects that there are, one by one, before the kernel takes the
 * memory. Threads, atexit functions and the standard streams are its own here, too. Then, when it is about to begin
 * (Python/pylifecycle.c, Py_FinalizeEx(): the first collection after them), this file ends what holds data that is not written
 * yet: files, in the order in which one writes to another, and the other objects of the standard library that have a `__del__`. Everything else gets
 * one more reference: CPython goes on and finds nothing to take apart, so it is still CPython that knows the exit code. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include "internal/pycore_pystate.h"

#include <stdlib.h>
#include <string.h>

#define FF_DEPTH 5      /* from a file to one that it writes to: an attribute is two steps where objects have dictionaries */
#define FF_STEPS 10000  /* at most, from each file */

/* ---- what has to be ended ---- */

typedef enum { NOTHING, ENDED, CLOSED } ff_kind_of_end;

typedef struct {
    PyObject *object; /* owned by the list of all objects, which stays */
    ff_kind_of_end kind;
    int is_done;
} ff_last;

static ff_last *last;
static size_t last_count, last_room;

/* Databases that are written when they are freed, and have no finalizer. */
static int is_database(const PyTypeObject *type)
{
    return strcmp(type->tp_name, "_dbm.dbm") == 0 || strcmp(type->tp_name, "_gdbm.gdbm") == 0;
}

/* Whether the `__del__` of the class is a function of the standard library. */
static int has_library_finalizer(PyTypeObject *type)
{
    PyObject *function = PyObject_GetAttrString((PyObject *)type, "__del__"), *module = NULL, *name = NULL;
    int is_library = 0;
    if (function != NULL && PyFunction_Check(function) && (module = PyObject_GetAttrString(function, "__module__")) != NULL &&
        PyUnicode_Check(module)) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(module), dot = PyUnicode_FindChar(module, '.', 0, length, 1);
        PyObject *names = PySys_GetObject("stdlib_module_names");
        name = PyUnicode_Substring(module, 0, dot < 0 ? length : dot);
        is_library = names != NULL && name != NULL && PySequence_Contains(names, name) == 1;
    }
    Py_XDECREF(function);
    Py_XDECREF(module);
    Py_XDECREF(name);
    PyErr_Clear();
    return is_library;
}

static ff_kind_of_end kind_of(PyTypeObject *type, PyTypeObject *file)
{
    /* There are far more objects than classes, and those of one class often follow one another. */
    static PyTypeObject *known;
    static ff_kind_of_end kind;
    if (type->tp_finalize == NULL) {
        return is_database(type) ? CLOSED : NOTHING;
    }
    if (type != known) {
        known = type;
        kind = PyType_IsSubtype(type, file) || has_library_finalizer(type) ? ENDED : NOTHING;
    }
    return kind;
}

/* The standard streams, and what they consist of: what they hold is written, and they stay open for messages. */
static PyObject *streams[9];
static size_t stream_count;

static int is_stream(const PyObject *object)
{
    for (size_t i = 0; i < stream_count; i++) {
        if (streams[i] == object) {
            return 1;
        }
    }
    return 0;
}

static void flush_streams(void)
{
    static const char *const names[] = {"__stdin__", "__stdout__", "__stderr__"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        PyObject *stream = Py_XNewRef(PySys_GetObject(names[i]));
        if (i > 0 && stream != NULL && stream != Py_None) {
            Py_XDECREF(PyObject_CallMethod(stream, "flush", NULL));
            PyErr_Clear();
        }
        for (int layer = 0; stream != NULL && stream != Py_None && layer < 3; layer++) {
            streams[stream_count++] = stream;
            stream = PyObject_GetAttrString(stream, layer == 0 ? "buffer" : "raw");
        }
        PyErr_Clear();
    }
}

/* -1 without memory. */
static int find_all(PyObject *objects, PyTypeObject *file)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        ff_kind_of_end kind = kind_of(Py_TYPE(object), file);
        if (kind == NOTHING || is_stream(object)) {
            continue;
        }
        if (last_count == last_room) {
            size_t room = last_room == 0 ? 64 : 2 * last_room;
            ff_last *larger = realloc(last, room * sizeof(ff_last));
            if (larger == NULL) {
                return -1;
            }
            last = larger;
            last_room = room;
        }
        last[last_count++] = (ff_last){.object = object, .kind = kind};
    }
    return 0;
}

/* ---- the order ---- */

typedef struct {
    const PyObject *from;
    int depth, steps;
    size_t from_index;
} ff_walk;

static unsigned char *writes; /* a table of last_count by last_count: whether one leads to the other */

static int visit(PyObject *object, void *argument)
{
    ff_walk *walk = argument;
    if (object == walk->from || !PyObject_IS_GC(object) || PyType_Check(object) || PyModule_Check(object) || PyFunction_Check(object) ||
        walk->depth == FF_DEPTH || ++walk->steps > FF_STEPS) {
        return 0;
    }
    if (Py_TYPE(object)->tp_finalize != NULL || is_database(Py_TYPE(object))) {
        for (size_t i = 0; i < last_count; i++) {
            if (last[i].object == object) {
                writes[walk->from_index * last_count + i] = 1;
            }
        }
    }
    walk->depth++;
    Py_TYPE(object)->tp_traverse(object, visit, walk);
    walk->depth--;
    return 0;
}

/* Whether nothing that is left writes to it. */
static int is_outermost(size_t index)
{
    for (size_t i = 0; i < last_count; i++) {
        if (!last[i].is_done && writes[i * last_count + index]) {
            return 0;
        }
    }
    return 1;
}

/* In a circle, what Python code defines comes before what it consists of. */
static size_t choose_next(void)
{
    size_t chosen = last_count;
    for (size_t i = 0; i < last_count; i++) {
        if (last[i].is_done) {
            continue;
        }
        if (is_outermost(i)) {
            return i;
        }
        if (chosen == last_count || (strncmp(Py_TYPE(last[chosen].object)->tp_name, "_io.", 4) == 0 &&
                                     strncmp(Py_TYPE(last[i].object)->tp_name, "_io.", 4) != 0)) {
            chosen = i;
        }
    }
    return chosen;
}

static void end(const ff_last *each)
{
    if (each->kind == ENDED) {
        PyObject_CallFinalizer(each->object);
        return;
    }
    Py_XDECREF(PyObject_CallMethod(each->object, "close", NULL));
    PyErr_Clear();
}

/* -1 without memory: CPython does all of it then. */
static int end_all(PyObject *objects, PyTypeObject *file)
{
    flush_streams();
    if (find_all(objects, file) < 0 || (writes = calloc(last_count + 1, last_count + 1)) == NULL) {
        return -1;
    }
    for (size_t i = 0; i < last_count; i++) {
        ff_walk walk = {.from = last[i].object, .from_index = i};
        Py_TYPE(walk.from)->tp_traverse(last[i].object, visit, &walk);
    }
    for (size_t i; (i = choose_next()) < last_count;) {
        last[i].is_done = 1;
        end(&last[i]);
    }
    return 0;
}

/* ---- nothing is left to take apart ---- */

/* Gives what a dictionary holds one more reference, for ever. */
static int hold(PyObject *dict)
{
    return dict == NULL || PyDict_Copy(dict) == NULL ? -1 : 0;
}

static PyObject *collector; /* the module gc */

static PyObject *call_collector(const char *name)
{
    return PyObject_CallMethod(collector, name, NULL);
}

/* The collector is given all objects that are not to be looked at, and sys.modules is emptied; sys and builtins, which CPython takes
 * apart by themselves, go on having all they have. */
static int take_nothing_apart(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    if (hold(modules) < 0 || hold(PyEval_GetBuiltins()) < 0 || hold(PyModule_GetDict(PyImport_AddModule("sys"))) < 0) {
        return -1;
    }
    PyDict_Clear(modules);
    return call_collector("freeze") == NULL ? -1 : 0;
}

/* ---- when ---- */

/* The collector calls this when it begins and when it ends. Python code may run while CPython flushes the streams, and collect. */
static PyObject *at_collection(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(arguments))
{
    static int is_done;
    if (is_done || _PyRuntimeState_GetFinalizing(&_PyRuntime) == NULL || PyEval_GetFrame() != NULL) {
        Py_RETURN_NONE;
    }
    is_done = 1;
    /* What is frozen is no part of the list. */
    PyObject *objects = NULL, *io = PyImport_GetModule(PyUnicode_InternFromString("_io"));
    PyObject *file = io == NULL ? NULL : PyObject_GetAttrString(io, "_IOBase");
    if (file != NULL && PyType_Check(file) && call_collector("unfreeze") != NULL && (objects = call_collector("get_objects")) != NULL &&
        PyList_CheckExact(objects) && end_all(objects, (PyTypeObject *)file) == 0) {
        (void)take_nothing_apart();
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* Who asks for messages about what is left gets them from CPython. Threads that go on may hold locks of files. */
static int may_exit_fast(void)
{
    const PyConfig *config = _Py_GetConfig();
    PyInterpreterState *main = PyInterpreterState_Main();
    return PyInterpreterState_Get() == main && PyInterpreterState_Next(main) == NULL && PyInterpreterState_Head() == main &&
           PyThreadState_Next(PyInterpreterState_ThreadHead(main)) == NULL && !config->dev_mode && !config->verbose &&
           config->warnoptions.length == 0 && ff_snapshot_state == NULL;
}

/* An atexit function: those that are called later still come before the collection. */
static PyObject *at_exit(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(arguments))
{
    static PyMethodDef definition = {"_flashfreeze_exit", at_collection, METH_VARARGS, NULL};
    if (!may_exit_fast()) {
        Py_RETURN_NONE;
    }
    collector = PyImport_ImportModule("gc");
    PyObject *callbacks = collector == NULL ? NULL : PyObject_GetAttrString(collector, "callbacks");
    PyObject *callback = PyCFunction_New(&definition, NULL);
    if (callbacks != NULL && callback != NULL && PyList_CheckExact(callbacks) && PyList_Append(callbacks, callback) == 0) {
        PyGC_Enable(); /* else there is no collection */
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* -1 with an exception. */
int ff_install_fast_exit(void)
{
    static PyMethodDef definition = {"_flashfreeze_exit", at_exit, METH_NOARGS, NULL};
    const PyConfig *config = _Py_GetConfig();
    if (!ff_wants_fast_exit(config) || config->verbose || config->import_time) {
        return 0;
    }
    /* Programs that do not import atexit do not have it. */
    PyObject *modules = PyImport_GetModuleDict(), *function = PyCFunction_New(&definition, NULL);
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *done = atexit == NULL || function == NULL ? NULL : PyObject_CallMethod(atexit, "register", "O", function);
    int failed = done == NULL || PyDict_DelItemString(modules, "atexit") < 0;
    Py_XDECREF(done);
    Py_XDECREF(atexit);
    Py_XDECREF(function);
    return failed ? -1 : 0;
}
