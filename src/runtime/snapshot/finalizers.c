/* Objects whose end can be seen: a process that has any is taken apart as CPython does (exit.c). */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_gc.h"

#include <stdlib.h>
#include <string.h>

extern const char __executable_start[], etext[];
extern Py_ssize_t __real_PyGC_Collect(void);

static int snapshot_has_finalizers; /* found when it was made */
static int have_library_objects;    /* whose code is not Python's, in the snapshot */
static int have_own_library_objects; /* made by the process */
static int is_snapshot_loud;        /* whether it has such objects, whose end does something */

/* Whether code is CPython's own: of the executable, or of an extension module of the standard library that the snapshot holds. */
static int is_of_python(const char *code)
{
    return (code >= __executable_start && code < etext) || ff_is_in_standard_library(code);
}

/* Callbacks that only remove what is gone from a table: nobody looks into that any more. */
static int is_quiet_callback(PyObject *callback)
{
    static const struct {
        const char *module, *name; /* NULL: all of the module's functions */
    } quiet[] = {{"weakref", NULL},
                 {"_weakrefset", NULL},
                 {"logging", "_removeHandlerRef"},
                 {"sqlalchemy.event.registry", "_collection_gced"},
                 {"numba.core.types.abstract", "_on_type_disposal"},
                 {"numba.core.typing.context", "on_disposal"},
                 {"matplotlib.transforms", "<lambda>"}}; /* TransformNode.set_children() */
    if (PyCFunction_Check(callback)) {
        return is_of_python((char *)(uintptr_t)PyCFunction_GET_FUNCTION(callback));
    }
    if (strcmp(Py_TYPE(callback)->tp_name, "_ctypes.DictRemover") == 0) { /* of the cache of array types (Modules/_ctypes/_ctypes.c) */
        return is_of_python((char *)(uintptr_t)Py_TYPE(callback)->tp_call);
    }
    if (!PyFunction_Check(callback)) {
        return 0;
    }
    const PyFunctionObject *function = (PyFunctionObject *)callback;
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
        if (function->func_module != NULL && PyUnicode_Check(function->func_module) &&
            PyUnicode_CompareWithASCIIString(function->func_module, quiet[i].module) == 0 &&
            (quiet[i].name == NULL || PyUnicode_CompareWithASCIIString(function->func_name, quiet[i].name) == 0)) {
            return 1;
        }
    }
    return 0;
}

static int is_of(const PyTypeObject *type, const char *name, const char *module)
{
    /* The name of a class in Python has no module in it. */
    if (strcmp(type->tp_name, name) != 0) {
        return 0;
    }
    PyObject *own = PyObject_GetAttrString((PyObject *)(uintptr_t)type, "__module__");
    int is_same = own != NULL && PyUnicode_Check(own) && PyUnicode_CompareWithASCIIString(own, module) == 0;
    Py_XDECREF(own);
    PyErr_Clear();
    return is_same;
}

static int has_value(PyObject *object, const char *name, PyObject *expected)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    int is_same = value == expected;
    Py_XDECREF(value);
    PyErr_Clear();
    return is_same;
}

/* ---- Finalizers that have nothing to do in the end if an attribute says so. The snapshot's own are asked then. ---- */

/* They stop their process if they have one (Lib/multiprocessing/resource_tracker.py, ResourceTracker.__del__()): that of the library, and joblib's. */
static const char *const TRACKERS[] = {"multiprocessing.resource_tracker", "joblib.externals.loky.backend.resource_tracker", "loky.backend.resource_tracker"};
enum { TRACKER_COUNT = sizeof(TRACKERS) / sizeof(TRACKERS[0]) };
static PyObject *trackers[TRACKER_COUNT];
static PyObject *finalize; /* atexit calls what is left, and turns it off (Lib/weakref.py, finalize._exitfunc()) */

static int has_tracker_work(PyObject *object)
{
    return !has_value(object, "_fd", Py_None);
}

static int have_tracker_work(void)
{
    for (int i = 0; i < TRACKER_COUNT; i++) {
        if (trackers[i] != NULL && has_tracker_work(trackers[i])) {
            return 1;
        }
    }
    return 0;
}

static int has_finalize_work(PyObject *type)
{
    return !has_value(type, "_shutdown", Py_True);
}

/* ---- Streams in memory: closing one frees it. ---- */

static PyTypeObject *memory_streams[2];

static int is_memory_stream(PyTypeObject *type)
{
    for (int i = 0; i < 2; i++) {
        PyTypeObject *base = memory_streams[i];
        if (base == NULL || !PyType_IsSubtype(type, base) || type->tp_finalize != base->tp_finalize || type->tp_del != NULL) {
            continue;
        }
        static const char *const names[] = {"close", "closed"};
        int same = 0;
        for (int k = 0; k < 2; k++) {
            PyObject *name = PyUnicode_InternFromString(names[k]);
            same += name != NULL && _PyType_Lookup(type, name) == _PyType_Lookup(base, name);
            Py_XDECREF(name);
        }
        return same == 2;
    }
    return 0;
}

static void find_memory_streams(void)
{
    static const char *const names[] = {"StringIO", "BytesIO"};
    PyObject *io = PyImport_ImportModule("_io");
    for (int i = 0; io != NULL && i < 2; i++) {
        memory_streams[i] = (PyTypeObject *)PyObject_GetAttrString(io, names[i]);
    }
    Py_XDECREF(io);
    PyErr_Clear();
}

/* ---- Connections to databases in memory: what closing one can show is a warning, which usually is ignored (Modules/_sqlite/connection.c,
 * connection_finalize()). ---- */

typedef struct {
    PyObject_HEAD
    void *database;
} connection; /* pysqlite_Connection of Modules/_sqlite/connection.h, as far as it is looked at */

extern const char *sqlite3_db_name(void *, int) __attribute__((weak));
extern const char *sqlite3_db_filename(void *, const char *) __attribute__((weak));

static int is_in_memory(PyObject *object)
{
    void *database = ((connection *)object)->database;
    if (database == NULL) { /* closed */
        return 1;
    }
    if (sqlite3_db_name == NULL || sqlite3_db_filename == NULL) {
        return 0;
    }
    const char *name;
    for (int i = 0; (name = sqlite3_db_name(database, i)) != NULL; i++) { /* also those that are attached */
        const char *file = sqlite3_db_filename(database, name);
        if (file != NULL && *file != '\0') {
            return 0;
        }
    }
    return 1;
}

/* Whether the first filter that fits ignores it, wherever it comes from (Python/_warnings.c, get_filter()). */
static int is_warning_ignored(PyObject *category)
{
    PyObject *name = PyUnicode_FromString("warnings");
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (module == NULL) {
        PyErr_Clear();
        module = PyImport_ImportModule("_warnings");
    }
    PyObject *filters = module == NULL ? NULL : PyObject_GetAttrString(module, "filters");
    Py_XDECREF(module);
    int is_ignored = 0;
    for (Py_ssize_t i = 0; filters != NULL && PyList_Check(filters) && i < PyList_GET_SIZE(filters); i++) {
        PyObject *each = PyList_GET_ITEM(filters, i);
        if (!PyTuple_Check(each) || PyTuple_GET_SIZE(each) != 5) {
            break;
        }
        int fits = PyObject_IsSubclass(category, PyTuple_GET_ITEM(each, 2));
        if (fits != 0) {
            PyObject *action = PyTuple_GET_ITEM(each, 0), *line = PyTuple_GET_ITEM(each, 4);
            is_ignored = fits > 0 && PyUnicode_Check(action) && PyUnicode_CompareWithASCIIString(action, "ignore") == 0 &&
                         PyTuple_GET_ITEM(each, 1) == Py_None && PyTuple_GET_ITEM(each, 3) == Py_None &&
                         PyLong_CheckExact(line) && PyLong_AsLong(line) == 0;
            break;
        }
    }
    Py_XDECREF(filters);
    PyErr_Clear();
    return is_ignored;
}

static int is_quiet_connection(PyObject *object)
{
    const PyTypeObject *base = Py_TYPE(object);
    while (base != NULL && !is_of(base, "sqlite3.Connection", "sqlite3")) {
        base = base->tp_base;
    }
    /* One in a shared library may have another layout. */
    char *code = base == NULL ? NULL : (char *)(uintptr_t)base->tp_finalize;
    return code >= __executable_start && code < etext && Py_TYPE(object)->tp_finalize == base->tp_finalize &&
           Py_TYPE(object)->tp_del == NULL && is_in_memory(object) && is_warning_ignored(PyExc_ResourceWarning);
}

/* ---- All of them ---- */

/* ---- Objects of the snapshot with finalizers: these are tried when it is made, as all ends are, and once more at the end of each process that still has
 * them. ---- */

#define TRIED 256
static PyObject *tried[TRIED]; /* borrowed: what is freed of a snapshot stays where it was, with no references */
static size_t tried_count;

static int try_later(PyObject *object)
{
    if (Py_TYPE(object)->tp_del != NULL || tried_count == TRIED) {
        return 0;
    }
    tried[tried_count++] = object;
    have_library_objects = 1;
    return 1;
}

/* Of objects that the process has made, those whose class says in Python what their end does are tried, too. */
static PyObject *own[TRIED]; /* borrowed, until they are tried */
static size_t own_count;

static int try_own(PyObject *object)
{
    PyObject *name = PyUnicode_InternFromString("__del__");
    PyObject *method = name == NULL ? NULL : _PyType_Lookup(Py_TYPE(object), name);
    Py_XDECREF(name);
    PyErr_Clear();
    if (method == NULL || !PyFunction_Check(method) || Py_TYPE(object)->tp_del != NULL || own_count == TRIED) {
        return 0;
    }
    own[own_count++] = object;
    return 1;
}

static int are_tried_loud(void)
{
    PyObject *left[2 * TRIED];
    size_t count = 0;
    for (size_t i = 0; i < own_count; i++) {
        left[count++] = own[i];
    }
    for (size_t i = 0; i < tried_count; i++) {
        if (Py_REFCNT(tried[i]) > 0) {
            left[count++] = tried[i];
        }
    }
    return count > 0 && !ff_try_finalizers(left, count);
}

/* Whether the end of an object can be seen from outside. */
static int has_finalizer(PyObject *object, int is_end)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_finalize != NULL || type->tp_del != NULL) {
        for (int i = 0; i < TRACKER_COUNT; i++) {
            if (is_of(type, "ResourceTracker", TRACKERS[i])) {
                if (!is_end) {
                    Py_INCREF(object);
                    Py_XSETREF(trackers[i], object);
                }
                return has_tracker_work(object);
            }
        }
        if (is_memory_stream(type) || ff_is_plain_generator(object) || ff_is_stream(object)) {
            return 0;
        }
        return is_end ? !is_quiet_connection(object) && !try_own(object) : !try_later(object);
    }
    *(is_end ? &have_own_library_objects : &have_library_objects) |= !is_of_python((char *)(uintptr_t)type->tp_dealloc);
    if (PyWeakref_Check(object)) {
        PyObject *callback = ((PyWeakReference *)object)->wr_callback;
        if (callback != NULL && is_of(Py_TYPE(callback), "finalize", "weakref")) {
            if (!is_end) {
                Py_INCREF(Py_TYPE(callback));
                Py_XSETREF(finalize, (PyObject *)Py_TYPE(callback));
            }
            return is_end && has_finalize_work((PyObject *)Py_TYPE(callback));
        }
        if (callback == NULL || is_quiet_callback(callback)) {
            return 0;
        }
        /* A function of a library is tried as the ends of its objects are. */
        int is_tried = PyCFunction_Check(callback);
        *(is_end ? &have_own_library_objects : &have_library_objects) |= is_tried;
        return !is_tried;
    }
    return 0;
}

/* Text layers over the standard streams that the process has made. More of them than a few are an end that can be seen. */
static PyObject *layers[8];
static size_t layer_count;

static int is_layer(PyObject *object)
{
    if (layer_count == sizeof(layers) / sizeof(layers[0]) || !ff_is_over_stream(object)) {
        return 0;
    }
    layers[layer_count++] = object;
    return 1;
}

/* Not while the collector's lists are walked, for writing makes objects. */
static int are_layers_flushed(void)
{
    for (size_t i = 0; i < layer_count; i++) {
        if (!ff_flush_stream(layers[i])) {
            return 0;
        }
    }
    return 1;
}

static int have_finalizers(int is_end)
{
    layer_count = 0;
    own_count = 0;
    have_own_library_objects = 0;
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int i = 0; i < NUM_GENERATIONS; i++) {
        PyGC_Head *head = &gc->generations[i].head;
        for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) {
            PyObject *object = _Py_FROM_GC(each);
            if (has_finalizer(object, is_end) && !ff_is_stream(object) && !(is_end && is_layer(object))) {
                return 1;
            }
        }
    }
    return 0;
}

/* Before the collector is frozen. */
void ff_find_finalizers(void)
{
    find_memory_streams();
    snapshot_has_finalizers = have_finalizers(0);
    is_snapshot_loud = !snapshot_has_finalizers && have_library_objects && !ff_try_end();
}

/* What the main program has left is what CPython takes apart first (Python/pylifecycle.c, finalize_modules()). */
static void end_main(void)
{
    (void)__real_PyGC_Collect();
    (void)PyDict_SetItemString(PyImport_GetModuleDict(), "__main__", Py_None);
    PyErr_Clear();
    (void)__real_PyGC_Collect();
}

static int is_of_library(PyObject *object)
{
    const PyTypeObject *type = Py_TYPE(object);
    PyObject *callback = PyWeakref_Check(object) ? ((PyWeakReference *)object)->wr_callback : NULL;
    if (callback != NULL && PyCFunction_Check(callback) && !is_quiet_callback(callback)) {
        return 1;
    }
    return type->tp_finalize == NULL && type->tp_del == NULL && !is_of_python((char *)(uintptr_t)type->tp_dealloc);
}

/* Whether the end of what libraries have made in this process can be seen. */
static int are_own_loud(void)
{
    size_t count = 0, room = 0;
    PyObject **objects = NULL;
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int i = 0; i < NUM_GENERATIONS; i++) {
        PyGC_Head *head = &gc->generations[i].head;
        for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) {
            if (!is_of_library(_Py_FROM_GC(each))) {
                continue;
            }
            if (count == room) {
                room = room * 2 + 256;
                PyObject **larger = realloc(objects, room * sizeof(*objects));
                if (larger == NULL) {
                    free(objects);
                    return 1;
                }
                objects = larger;
            }
            objects[count++] = _Py_FROM_GC(each);
        }
    }
    int is_loud = !ff_try_ends(objects, count);
    free(objects);
    return is_loud;
}

/* Whether objects of libraries that the process has made stay when its main program is gone, and their end can be seen: what the others do in the end, they
 * have done. */
static int have_lasting_objects(void)
{
    if (!have_own_library_objects) {
        return 0;
    }
    end_main();
    return have_finalizers(1) || (have_own_library_objects && are_own_loud());
}

/* In a restored process. */
void ff_begin_finalizers(void)
{
    if (have_library_objects) {
        ff_note_open_files();
    }
}

/* At its end. */
int ff_have_finalizers(void)
{
    return snapshot_has_finalizers || is_snapshot_loud || have_tracker_work() ||
           (finalize != NULL && has_finalize_work(finalize)) || have_finalizers(1) || have_lasting_objects() ||
           (have_library_objects && ff_has_open_files()) || !are_layers_flushed() || are_tried_loud();
}

/* Before CPython takes objects apart. */
void ff_leave_finalizers(void)
{
    for (int i = 0; i < TRACKER_COUNT; i++) {
        Py_CLEAR(trackers[i]);
    }
    Py_CLEAR(finalize);
    for (int i = 0; i < 2; i++) {
        Py_CLEAR(memory_streams[i]);
    }
}
