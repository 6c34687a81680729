/* The locks of modules that are being loaded. importlib makes one for each import; here it is made only when another thread
 * asks importlib for it, and looks then as if the thread that loads the module had acquired it from the start. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

struct ff_loading {
    PyObject *name;
    PyObject *owner;      /* whoever loads it, as importlib knows its threads */
    unsigned long thread; /* the thread of the system that does */
    PyObject *lock;       /* owned, or NULL */
    struct ff_loading *next;
};
static ff_loading *in_progress;

static PyObject *original_get_module_lock; /* importlib._bootstrap._get_module_lock */
static PyObject *module_locks;             /* importlib._bootstrap._module_locks */
static PyObject *known_get_ident;          /* the function that gave the owners in progress their names */

/* What puts other threads into the place of the system's (gevent's monkey patching) replaces _thread.get_ident(), and gives
 * importlib's locks that are held at that moment to their owner's new name. So locks that are not made yet go along: those of
 * the thread that comes here, as nobody else imports in it until then. */
static void rename_owners(PyObject *get_ident, PyObject *owner)
{
    unsigned long thread = PyThread_get_thread_ident();
    for (ff_loading *each = in_progress; each != NULL; each = each->next) {
        if (each->thread == thread && each->lock == NULL) {
            Py_SETREF(each->owner, Py_NewRef(owner));
        }
    }
    Py_XSETREF(known_get_ident, Py_NewRef(get_ident));
}

/* Who imports now: what importlib would ask, its own `_thread.get_ident()` (a new reference), or NULL with an exception. */
PyObject *ff_import_owner(void)
{
    PyObject *thread = PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names._thread);
    if (thread == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_NameError, "name '_thread' is not defined");
        }
        return NULL;
    }
    PyObject *get_ident = PyObject_GetAttr(thread, ff_import.names.get_ident);
    PyObject *owner = get_ident == NULL ? NULL : PyObject_Vectorcall(get_ident, NULL, 0, NULL);
    if (owner != NULL && get_ident != known_get_ident) {
        rename_owners(get_ident, owner);
    }
    Py_XDECREF(get_ident);
    return owner;
}

static ff_loading *find_loading(PyObject *name)
{
    for (ff_loading *each = in_progress; each != NULL; each = each->next) {
        if (PyUnicode_Compare(each->name, name) == 0) {
            return each;
        }
    }
    return NULL;
}

static ff_answer answer_of(int truth)
{
    return truth < 0 ? FF_FAILED : truth ? FF_YES : FF_NO;
}

/* Whether somebody loads the module already, here or in importlib. */
ff_answer ff_is_loading(PyObject *name)
{
    return find_loading(name) != NULL ? FF_YES : answer_of(PyDict_Contains(module_locks, name));
}

/* Whether whoever imports now is loading the module. */
ff_answer ff_is_loaded_here(PyObject *name)
{
    PyObject *owner = ff_import_owner();
    if (owner == NULL) {
        return FF_FAILED;
    }
    const ff_loading *found = find_loading(name);
    ff_answer is_here = FF_NO;
    if (found != NULL) {
        PyObject *found_owner = Py_NewRef(found->owner); /* comparing may run code that ends the loading */
        is_here = answer_of(PyObject_RichCompareBool(found_owner, owner, Py_EQ));
        Py_DECREF(found_owner);
    }
    Py_DECREF(owner);
    return is_here;
}

/* What is raised goes on, after an exception that is on its way: _ModuleLockManager.__exit__(). */
static int release_lock(PyObject *lock /* stolen */)
{
    ff_exception raised = ff_take_exception();
    PyObject *result = PyObject_CallMethod(lock, "release", NULL);
    int status = result == NULL ? -1 : 0;
    Py_XDECREF(result);
    Py_DECREF(lock);
    ff_chain_exception(raised);
    return status;
}

/* Not on the stack: a thread may go away in the midst of it, as others do in a child after fork(). Its module stays locked
 * then, as it does in importlib. */
ff_loading *ff_begin_loading(PyObject *name, PyObject *owner)
{
    ff_loading *begun = PyMem_RawMalloc(sizeof(ff_loading));
    if (begun == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *begun = (ff_loading){Py_NewRef(name), Py_NewRef(owner), PyThread_get_thread_ident(), NULL, in_progress};
    in_progress = begun;
    return begun;
}

/* Ends what was begun: releases the lock that somebody asked for meanwhile. -1 with an exception. */
int ff_finish_loading(ff_loading *ended)
{
    ff_loading **place = &in_progress;
    while (*place != ended) {
        place = &(*place)->next;
    }
    *place = ended->next;
    int status = ended->lock == NULL ? 0 : release_lock(ended->lock);
    Py_DECREF(ended->name);
    Py_DECREF(ended->owner);
    PyMem_RawFree(ended);
    return status;
}

/* Has a lock look as if whoever loads the module had acquired it: importlib._bootstrap._ModuleLock. */
static int hold_lock(PyObject *lock, PyObject *owner)
{
    int status = PyObject_SetAttrString(lock, "owner", owner);
    PyObject *count = status < 0 ? NULL : PyObject_GetAttrString(lock, "count");
    if (count != NULL && PyList_Check(count)) { /* since 3.12 */
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
    PyObject *owner = ff_import_owner(); /* those who import may have other names from now on */
    PyObject *lock = owner == NULL ? NULL : PyObject_Vectorcall(original_get_module_lock, arguments, (size_t)count, keywords);
    Py_XDECREF(owner);
    ff_loading *found = lock != NULL && count == 1 && PyUnicode_Check(arguments[0]) ? find_loading(arguments[0]) : NULL;
    if (found != NULL && found->lock == NULL) {
        found->lock = Py_NewRef(lock); /* before code of others can run: the loading may end then */
        owner = Py_NewRef(found->owner);
        int status = hold_lock(lock, owner);
        Py_DECREF(owner);
        if (status < 0) {
            found = find_loading(arguments[0]);
            if (found != NULL && found->lock == lock) {
                Py_CLEAR(found->lock);
            }
            Py_CLEAR(lock);
        }
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
