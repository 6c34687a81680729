/* The limit of recursion. importlib's functions stand on the stack between an import statement and the module that it runs, and
 * count as calls; here they are not called, so they are counted. Otherwise a chain of imports would go on beyond the limit, on
 * a stack that need not have room for it. */
#include FF_LAYOUT

#include "flashfreeze.h"

#if FF_COUNTS_RECURSION
/* How many more calls a thread may nest, and the counter of it (Include/cpython/pystate.h). */
static int calls_left(const PyThreadState *thread)
{
#if FF_COUNTS_RECURSION >= 312
    return thread->py_recursion_remaining;
#elif FF_COUNTS_RECURSION >= 311
    return thread->recursion_remaining;
#else
    return thread->interp->ceval.recursion_limit - thread->recursion_depth;
#endif
}

static void take_calls(PyThreadState *thread, int count)
{
#if FF_COUNTS_RECURSION >= 312
    thread->py_recursion_remaining -= count;
#elif FF_COUNTS_RECURSION >= 311
    thread->recursion_remaining -= count;
#else
    thread->recursion_depth += count;
#endif
}

/* Counts `count` calls as begun. -1 with an exception when there are too many, unless the thread handles that already. */
int ff_enter_frames(int count)
{
    PyThreadState *thread = PyThreadState_Get();
    if (calls_left(thread) < count && thread->recursion_headroom == 0) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
        return -1;
    }
    take_calls(thread, count);
    return 0;
}

/* Counts them as ended. */
void ff_leave_frames(int count)
{
    take_calls(PyThreadState_Get(), -count);
}

/* Whether so many calls can be nested here. Near the limit, importlib's functions raise where they call others, which are called
 * nowhere here: so there, the originals are to run. */
int ff_has_room_for_frames(int count)
{
    return calls_left(PyThreadState_Get()) >= count;
}

/* Calls a function in the place of the C function that runs. Up to 3.11, that one is counted as a call, too
 * (Objects/methodobject.c). */
PyObject *ff_call_instead(PyObject *function, PyObject *const *arguments, size_t count, PyObject *keywords)
{
#if FF_COUNTS_RECURSION >= 312
    return PyObject_Vectorcall(function, arguments, count, keywords);
#else
    take_calls(PyThreadState_Get(), -1);
    PyObject *result = PyObject_Vectorcall(function, arguments, count, keywords);
    take_calls(PyThreadState_Get(), 1);
    return result;
#endif
}
#else
/* Of an interpreter that counts otherwise nothing is known. */
int ff_enter_frames(int count)
{
    (void)count;
    return 0;
}

void ff_leave_frames(int count)
{
    (void)count;
}

int ff_has_room_for_frames(int count)
{
    (void)count;
    return 1;
}

PyObject *ff_call_instead(PyObject *function, PyObject *const *arguments, size_t count, PyObject *keywords)
{
    return PyObject_Vectorcall(function, arguments, count, keywords);
}
#endif
