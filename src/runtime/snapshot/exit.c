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

extern const char __executable_start[], etext[];

static int is_restored;
static jmp_buf end;
static volatile int can_jump;
static volatile int is_end_unseen; /* CPython has left all objects as they are */

void ff_begin_restored(void)
{
    is_restored = 1;
    ff_begin_finalizers();
}

/* CPython has flushed the streams; what they still hold could not be written, and CPython says so. */
static int are_flushed(void)
{
    for (int i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(i == 0 ? "stdout" : "stderr"), *own = PySys_GetObject(i == 0 ? "__stdout__" : "__stderr__");
        if (stream != own && (stream == NULL || !ff_is_over_stream(stream) || !ff_flush_stream(stream))) {
            return 0;
        }
        if (own != NULL && own != Py_None && !ff_flush_stream(own)) {
            return 0;
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
    return gc->debug == 0 && (gc->callbacks == NULL || PyList_GET_SIZE(gc->callbacks) == 0) &&
           !have_exit_functions() && PyInterpreterState_Next(PyInterpreterState_Get()) == NULL &&
           PyInterpreterState_Head() == PyInterpreterState_Get() && !ff_have_finalizers() && are_flushed();
}

/* Moves all objects of a list in front of a place in another one (Modules/gcmodule.c, gc_list_merge()). */
static void move_before(PyGC_Head *from, PyGC_Head *place)
{
    PyGC_Head *first = _PyGCHead_NEXT(from), *last = _PyGCHead_PREV(from), *previous = _PyGCHead_PREV(place);
    if (first == from) {
        return;
    }
    _PyGCHead_SET_NEXT(previous, first);
    _PyGCHead_SET_PREV(first, previous);
    _PyGCHead_SET_NEXT(last, place);
    _PyGCHead_SET_PREV(place, last);
    _PyGCHead_SET_NEXT(from, from);
    _PyGCHead_SET_PREV(from, from);
}

/* As gc.unfreeze(), but in front of what the process has made itself, as without a snapshot: the order decides in which one finalizers
 * run. */
static void unfreeze(struct _gc_runtime_state *gc)
{
    move_before(&gc->permanent_generation.head, _PyGCHead_NEXT(&gc->generations[NUM_GENERATIONS - 1].head));
}

/* What a start has made anew before the program begins counts as the snapshot's: the end that was tried took such objects apart. */
void ff_join_snapshot(void)
{
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    for (int i = NUM_GENERATIONS - 1; i >= 0; i--) {
        move_before(&gc->generations[i].head, &gc->permanent_generation.head);
    }
}

extern Py_ssize_t __real_PyGC_Collect(void);

/* _Py_Finalize() calls this first when everything else that can be seen is done. */
FF_PUBLIC Py_ssize_t __wrap_PyGC_Collect(void)
{
    if (_PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL) {
        ff_begin_trial();
    }
    if (can_jump && _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL) {
        can_jump = 0;
        if (is_end_quiet()) {
            longjmp(end, 1);
        }
        ff_leave_finalizers();
        ff_use_all_pages();
        unfreeze(&PyInterpreterState_Get()->gc);
    }
    return __real_PyGC_Collect();
}

extern int __real_Py_FinalizeEx(void);

FF_PUBLIC int __wrap_Py_FinalizeEx(void)
{
    if (!is_restored) {
        return __real_Py_FinalizeEx();
    }
    ff_tell_written_pages(); /* without what the end writes to: a process that goes on has no use for it */
    is_restored = 0;
    can_jump = 1;
    if (setjmp(end) == 0) {
        return __real_Py_FinalizeEx();
    }
    is_end_unseen = 1;
    return 0;
}

/* Whether nothing of the end can be seen, also if destructors of libraries do not run that were tried. What a library keeps for a program it writes through a
 * file that is open then. */
int ff_is_end_unseen(void)
{
    if (is_end_unseen == 1) {
        is_end_unseen = ff_has_open_files() ? 0 : 2;
    }
    return is_end_unseen != 0;
}

/* As CPython's, which calls its own Py_FinalizeEx(). */
FF_PUBLIC void __wrap_Py_Exit(int status)
{
#if FF_SNAPSHOT_STATE >= 313 /* Python/pylifecycle.c, Py_Exit() */
    PyThreadState *thread = FF_CURRENT_THREAD();
    if (thread != NULL && _PyThreadState_IsRunningMain(thread)) {
        _PyInterpreterState_SetNotRunningMain(thread->interp);
    }
#endif
    if (__wrap_Py_FinalizeEx() < 0) {
        status = 120;
    }
    exit(status);
}
