/* The locks of modules that are being loaded. importlib makes one for each import; here it is made only when another thread
 * asks importlib for it, and looks then as if the thread that loads the module had acquired it from the start. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

struct ff_loading {
    PyObject *name;
    unsigned long thread;
    PyObject *lock; /* owned, or NULL */
    struct ff_loading *next;
};
static ff_loading *in_progress;

static PyObject *original_get_module_lock; /* importlib._bootstrap._get_module_lock */
static PyObject *module_locks;             /* importlib._bootstrap._module_locks */

static ff_loading *find_loading(PyObject *name)
{
    for (ff_loading *each = in_progress; each != NULL; each = each->next) {
        if (PyUnicode_Compare(each->name, name) == 0) {
            return each;
        }
    }
    return NULL;
}

/* Whether somebody loads the module already, here or in importlib. -1 with an exception. */
int ff_is_loading(PyObject *name)
{
    return find_loading(name) != NULL ? 1 : PyDict_Contains(module_locks, name);
}

/* Whether this thread is loading the module. */
int ff_is_loaded_here(PyObject *name)
{
    const ff_loading *found = find_loading(name);
    return found != NULL && found->thread == PyThread_get_thread_ident();
}

static void release_lock(PyObject *lock /* stolen */)
{
    PyObject *result = PyObject_CallMethod(lock, "release", NULL);
    if (result == NULL) {
        PyErr_WriteUnraisable(lock);
    }
    Py_XDECREF(result);
    Py_DECREF(lock);
}

/* Not on the stack: a thread may go away in the midst of it, as others do in a child after fork(). Its module stays locked
 * then, as it does in importlib. */
ff_loading *ff_begin_loading(PyObject *name)
{
    ff_loading *begun = PyMem_RawMalloc(sizeof(ff_loading));
    if (begun != NULL) {
        *begun = (ff_loading){Py_NewRef(name), PyThread_get_thread_ident(), NULL, in_progress};
        in_progress = begun;
    }
    return begun;
}

/* Ends what was begun: releases the lock that somebody asked for meanwhile. */
void ff_finish_loading(ff_loading *ended)
{
    ff_loading **place = &in_progress;
    while (*place != ended) {
        place = &(*place)->next;
    }
    *place = ended->next;
    if (ended->lock != NULL) {
        FF_KEEPING_EXCEPTION(release_lock(ended->lock));
    }
    Py_DECREF(ended->name);
    PyMem_RawFree(ended);
}

/* Has a lock look as if the thread that loads the module had acquired it: importlib._bootstrap._ModuleLock. */
static int hold_lock(PyObject *lock, unsigned long thread)
{
    PyObject *owner = PyLong_FromUnsignedLong(thread);
    int status = owner == NULL ? -1 : PyObject_SetAttrString(lock, "owner", owner);
    Py_XDECREF(owner);
    PyObject *count = status < 0 ? NULL : PyObject_GetAttrString(lock, "count");
    if (count != NULL && PyList_Check(count)) { /* from 3.12 on */
        status = PyList_Append(count, Py_True);
    }
    else if (count != NULL) {
        PyObject *one = PyLong_FromLong(1);
        status = one == NULL ? -1 : PyObject_SetAttrString(lock, "count", one);
        Py_XDECREF(one);
    }
    Py_XDECREF(count);
    return count == NULL ? -1 : status;
}

/* importlib asks for the lock of a module before it waits for it. */
static PyObject *get_module_lock(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    PyObject *lock = PyObject_Vectorcall(original_get_module_lock, arguments, (size_t)count, keywords);
    ff_loading *found = lock != NULL && count == 1 && PyUnicode_Check(arguments[0]) ? find_loading(arguments[0]) : NULL;
    if (found != NULL && found->lock == NULL) {
        if (hold_lock(lock, found->thread) < 0) {
            Py_DECREF(lock);
            return NULL;
        }
        found->lock = Py_NewRef(lock);
    }
    return lock;
}

static PyMethodDef get_module_lock_function = {"_get_module_lock", (PyCFunction)(void (*)(void))get_module_lock,
                                               METH_FASTCALL | METH_KEYWORDS,
                                               "Get or create the module lock for a given module name."};

/* Called once. 0: the locks are not as we know them, and nothing was done; -1 with an exception. */
int ff_install_lock_function(PyObject *bootstrap)
{
    module_locks = PyObject_GetAttrString(bootstrap, "_module_locks");
    if (module_locks == NULL || !PyDict_CheckExact(module_locks)) {
        return module_locks == NULL ? -1 : 0;
    }
    return ff_replace_function(bootstrap, &get_module_lock_function, &original_get_module_lock) < 0 ? -1 : 1;
}
#endif
