/* The end of a restored process. CPython takes apart all objects that there are, which writes to nearly every page of the snapshot.
 * Up to the point where it begins to, everything is CPython's own: threads are joined, atexit functions called, streams
 * flushed. What is left can be seen only if an object has a finalizer, or a weak reference has a callback: without any, the
 * process ends there (Python/pylifecycle.c, _Py_Finalize()). */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_gc.h"
#include "internal/pycore_pystate.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

extern const char __executable_start[], etext[];

static int snapshot_has_finalizers; /* found when it was made */
static int is_restored;
static jmp_buf end;
static volatile int can_jump;

/* Callbacks that only remove what is gone from a table: nobody looks into that any more. */
static int is_quiet_callback(PyObject *callback)
{
    static const struct {
        const char *module, *name; /* NULL: all of the module's functions */
    } quiet[] = {{"weakref", NULL}, {"_weakrefset", NULL}, {"logging", "_removeHandlerRef"}};
    if (PyCFunction_Check(callback)) {
        char *code = (char *)(uintptr_t)PyCFunction_GET_FUNCTION(callback);
        return code >= __executable_start && code < etext;
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

/* Whether the end of an object can be seen from outside. */
static int has_finalizer(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_finalize != NULL || type->tp_del != NULL) {
        return 1;
    }
    char *dealloc = (char *)(uintptr_t)type->tp_dealloc;
    if (dealloc < __executable_start || dealloc >= etext) { /* a type of a shared library */
        return 1;
    }
    if (PyWeakref_Check(object)) {
        PyObject *callback = ((PyWeakReference *)object)->wr_callback;
        return callback != NULL && !is_quiet_callback(callback);
    }
    return 0;
}

static int have_finalizers(void)
{
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int i = 0; i < NUM_GENERATIONS; i++) {
        PyGC_Head *head = &gc->generations[i].head;
        for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each)) {
            PyObject *object = _Py_FROM_GC(each);
            if (has_finalizer(object) && !ff_is_stream(object)) {
                return 1;
            }
        }
    }
    return 0;
}

/* Before the collector is frozen. */
void ff_find_finalizers(void)
{
    snapshot_has_finalizers = have_finalizers();
}

void ff_begin_restored(void)
{
    is_restored = 1;
}

/* CPython has flushed the streams; what they still hold could not be written, and CPython says so. */
static int are_flushed(void)
{
    for (int i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(i == 0 ? "stdout" : "stderr"), *own = PySys_GetObject(i == 0 ? "__stdout__" : "__stderr__");
        if (stream != own) {
            return 0;
        }
        if (stream != NULL && stream != Py_None) {
            PyObject *done = PyObject_CallMethod(stream, "flush", NULL);
            if (done == NULL) {
                PyErr_Clear();
                return 0;
            }
            Py_DECREF(done);
        }
    }
    return 1;
}

/* Functions of Py_AtExit() that shared libraries have registered. Our own one turns images off. */
static int have_exit_functions(void)
{
    for (int i = 0; i < FF_EXIT_FUNCTION_COUNT; i++) {
        char *code = (char *)(uintptr_t)FF_EXIT_FUNCTIONS[i];
        if (code < __executable_start || code >= etext) {
            return 1;
        }
    }
    return 0;
}

static int is_end_quiet(void)
{
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    return !snapshot_has_finalizers && gc->debug == 0 && (gc->callbacks == NULL || PyList_GET_SIZE(gc->callbacks) == 0) &&
           !have_exit_functions() && PyInterpreterState_Next(PyInterpreterState_Get()) == NULL &&
           PyInterpreterState_Head() == PyInterpreterState_Get() && !have_finalizers() && are_flushed();
}

/* As gc.unfreeze() (Modules/gcmodule.c, gc_list_merge()), but in front of what the process has made itself, as without a snapshot: the
 * order decides in which one finalizers run. */
static void unfreeze(struct _gc_runtime_state *gc)
{
    PyGC_Head *from = &gc->permanent_generation.head, *to = &gc->generations[NUM_GENERATIONS - 1].head;
    if (_PyGCHead_NEXT(from) != from) {
        PyGC_Head *following = _PyGCHead_NEXT(to), *first = _PyGCHead_NEXT(from), *last = _PyGCHead_PREV(from);
        _PyGCHead_SET_NEXT(to, first);
        _PyGCHead_SET_PREV(first, to);
        _PyGCHead_SET_NEXT(last, following);
        _PyGCHead_SET_PREV(following, last);
        _PyGCHead_SET_NEXT(from, from);
        _PyGCHead_SET_PREV(from, from);
    }
}

extern Py_ssize_t __real_PyGC_Collect(void);

/* _Py_Finalize() calls this first when everything else that can be seen is done. */
Py_ssize_t __wrap_PyGC_Collect(void)
{
    if (can_jump && _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL) {
        can_jump = 0;
        if (is_end_quiet()) {
            longjmp(end, 1);
        }
        unfreeze(&PyInterpreterState_Get()->gc);
    }
    return __real_PyGC_Collect();
}

extern int __real_Py_FinalizeEx(void);

int __wrap_Py_FinalizeEx(void)
{
    if (!is_restored) {
        return __real_Py_FinalizeEx();
    }
    is_restored = 0;
    can_jump = 1;
    return setjmp(end) == 0 ? __real_Py_FinalizeEx() : 0;
}

/* As CPython's, which calls its own Py_FinalizeEx(). */
void __wrap_Py_Exit(int status)
{
#if FF_SNAPSHOT_STATE != 311 /* Python/pylifecycle.c, Py_Exit() */
    PyThreadState *thread = _PyThreadState_GET();
    if (thread != NULL && _PyThreadState_IsRunningMain(thread)) {
        _PyInterpreterState_SetNotRunningMain(thread->interp);
    }
#endif
    if (__wrap_Py_FinalizeEx() < 0) {
        status = 120;
    }
    exit(status);
}
