/* The locks of modules that are being loaded. importlib makes one for each import; here it is made only when another thread
 * asks importlib for it, and looks then as if the thread that loads the module had acquired it from the start. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

struct ff_loading {
    PyObject *name;
    ff_owner owner;       /* whoever loads it */
    unsigned long thread; /* the thread of the system that does */
    PyObject *lock;       /* owned, or NULL */
    struct ff_loading *next;
};
static ff_loading *in_progress;

static PyObject *original_get_module_lock; /* importlib._bootstrap._get_module_lock */
static PyObject *module_locks;             /* importlib._bootstrap._module_locks */
static PyObject *usual_get_ident;          /* _thread.get_ident, as it was: nobody notices how often it is called */

/* What importlib asks who imports, its own `_thread.get_ident` (a new reference), or NULL with an exception. */
static PyObject *read_get_ident(void)
{
    PyObject *thread = PyDict_GetItemWithError(ff_import.bootstrap, ff_import.names._thread);
    if (thread == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_NameError, "name '_thread' is not defined");
        }
        return NULL;
    }
    return PyObject_GetAttr(thread, ff_import.names.get_ident);
}

void ff_forget_owner(ff_owner *owner)
{
    Py_CLEAR(owner->ident);
    Py_CLEAR(owner->get_ident);
}

/* A lock that is not made yet, of the thread that comes here, whose owner's name is of another function than `get_ident`. */
static ff_loading *find_misnamed(PyObject *get_ident)
{
    unsigned long thread = PyThread_get_thread_ident();
    for (ff_loading *each = in_progress; each != NULL; each = each->next) {
        if (each->owner.get_ident != get_ident && each->thread == thread && each->lock == NULL) {
            return each;
        }
    }
    return NULL;
}

/* The frame of _ModuleLock.acquire() or release(), below that of a method of _ModuleLockManager, which stands for one that is begun. */
#define FRAMES 1

static PyObject *call_get_ident(PyObject *get_ident)
{
    if (ff_enter_frames(FRAMES) < 0) {
        return NULL;
    }
    PyObject *ident = PyObject_Vectorcall(get_ident, NULL, 0, NULL);
    ff_leave_frames(FRAMES);
    return ident;
}

/* Asks `get_ident` (taken over, may be NULL) who imports now. -1 with an exception. What puts other threads into the place of the
 * system's (gevent's monkey patching) replaces that function, and gives importlib's locks that are held at that moment to their owner's
 * new name. So locks that are not made yet go along: those of the thread that comes here, as nobody else imports in it until then. */
static int ask_owner(PyObject *get_ident, ff_owner *owner)
{
    *owner = (ff_owner){NULL, get_ident};
    if (get_ident != usual_get_ident) {
        owner->ident = get_ident == NULL ? NULL : call_get_ident(get_ident);
        if (owner->ident == NULL) {
            ff_forget_owner(owner);
            return -1;
        }
    }
    /* From the start each time: freeing a name may run code that ends a loading. */
    for (ff_loading *each; (each = find_misnamed(get_ident)) != NULL;) {
        ff_owner former = each->owner;
        each->owner = (ff_owner){Py_XNewRef(owner->ident), Py_NewRef(get_ident)};
        ff_forget_owner(&former);
    }
    return 0;
}

/* What _ModuleLock.acquire() asks. -1 with an exception. */
int ff_ask_owner(ff_wanted *wanted, ff_owner *owner)
{
    PyObject *get_ident = read_get_ident();
    if (get_ident != usual_get_ident) {
        ff_note_foreign_code(wanted);
    }
    return ask_owner(get_ident, owner);
}

/* The owner as `_thread.get_ident()` names it (a new reference), or NULL with an exception. */
static PyObject *ident_of(const ff_loading *loading)
{
    return loading->owner.ident != NULL ? Py_NewRef(loading->owner.ident) : PyLong_FromUnsignedLong(loading->thread);
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

/* Whether whoever imports now is loading the module. FF_NO also where only importlib can ask for that, as often as it does. */
ff_answer ff_is_loaded_here(PyObject *name)
{
    PyObject *get_ident = read_get_ident();
    Py_XDECREF(get_ident);
    if (get_ident == NULL) {
        return FF_FAILED;
    }
    const ff_loading *found = find_loading(name);
    return found != NULL && get_ident == usual_get_ident && found->owner.get_ident == usual_get_ident &&
                   found->thread == PyThread_get_thread_ident()
               ? FF_YES
               : FF_NO;
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

/* Whether the owner has another name than the module was taken under; -1 with an exception. */
static int is_other_owner(const ff_loading *loading, const ff_owner *owner)
{
    PyObject *known = ident_of(loading);
    PyObject *asked = owner->ident != NULL ? Py_NewRef(owner->ident) : PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    PyObject *differs = known == NULL || asked == NULL ? NULL : PyObject_RichCompare(known, asked, Py_NE);
    int is_other = differs == NULL ? -1 : PyObject_IsTrue(differs);
    Py_XDECREF(known);
    Py_XDECREF(asked);
    Py_XDECREF(differs);
    return is_other;
}

/* What _ModuleLock.release() asks and compares, of a lock that is not made, unless that makes no difference. */
static int release_unmade_lock(const ff_loading *ended)
{
    ff_exception raised = ff_take_exception();
    PyObject *get_ident = read_get_ident();
    int status = 0;
    if (get_ident != NULL && get_ident == usual_get_ident && ended->owner.get_ident == usual_get_ident) {
        Py_DECREF(get_ident);
    }
    else {
        ff_owner owner;
        status = ask_owner(get_ident, &owner);
        if (status == 0 && ended->lock == NULL) { /* one that was made meanwhile compares them itself */
            int is_other = is_other_owner(ended, &owner);
            if (is_other > 0) {
                PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
            }
            status = is_other == 0 ? 0 : -1;
        }
        ff_forget_owner(&owner);
    }
    ff_chain_exception(raised);
    return status;
}

/* The owner is taken over. NULL with an exception. What is begun lies not on the stack: a thread may go away in the midst of it, as others
 * do in a child after fork(). Its module stays locked then, as it does in importlib. */
ff_loading *ff_begin_loading(PyObject *name, ff_owner *owner)
{
    ff_loading *begun = PyMem_RawMalloc(sizeof(ff_loading));
    if (begun == NULL) {
        ff_forget_owner(owner);
        PyErr_NoMemory();
        return NULL;
    }
    *begun = (ff_loading){Py_NewRef(name), *owner, PyThread_get_thread_ident(), NULL, in_progress};
    in_progress = begun;
    return begun;
}

/* Ends what was begun: releases the lock that somebody asked for meanwhile. -1 with an exception. */
int ff_finish_loading(ff_loading *ended)
{
    int status = ended->lock == NULL ? release_unmade_lock(ended) : 0;
    ff_loading **place = &in_progress;
    while (*place != ended) {
        place = &(*place)->next;
    }
    *place = ended->next;
    if (ended->lock != NULL && release_lock(ended->lock) < 0) {
        status = -1;
    }
    Py_DECREF(ended->name);
    ff_forget_owner(&ended->owner);
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

/* The lock gets the name that its owner has by now: the thread that comes here may be the owner, and has another name since another
 * function gives names. -1 with an exception. */
static int rename_owner(const ff_loading *found)
{
    PyObject *get_ident = read_get_ident();
    if (get_ident != NULL && (get_ident == found->owner.get_ident || found->thread != PyThread_get_thread_ident())) {
        Py_DECREF(get_ident);
        return 0;
    }
    ff_owner owner;
    int status = ask_owner(get_ident, &owner);
    ff_forget_owner(&owner);
    return status;
}

/* A new lock of a module that is loaded here is one that whoever loads it holds. -1 with an exception. */
static int hold_for_owner(PyObject *lock, PyObject *name)
{
    ff_loading *found = find_loading(name);
    if (found == NULL || found->lock != NULL) {
        return 0;
    }
    if (rename_owner(found) < 0) {
        return -1;
    }
    found = find_loading(name); /* anew: code of others may have run */
    if (found == NULL || found->lock != NULL) {
        return 0;
    }
    found->lock = Py_NewRef(lock); /* before code of others can run again: the loading may end then */
    PyObject *ident = ident_of(found);
    int status = ident == NULL ? -1 : hold_lock(lock, ident);
    Py_XDECREF(ident);
    found = status < 0 ? find_loading(name) : NULL;
    if (found != NULL && found->lock == lock) {
        Py_CLEAR(found->lock);
    }
    return status;
}

/* importlib asks for the lock of a module before it waits for it. */
static PyObject *get_module_lock(FF_CALL_PARAMETERS(Py_UNUSED(self)))
{
    PyObject *lock = ff_call_instead(original_get_module_lock, arguments, (size_t)count, keywords);
    if (lock != NULL && count == 1 && PyUnicode_Check(arguments[0]) && hold_for_owner(lock, arguments[0]) < 0) {
        Py_CLEAR(lock);
    }
    return lock;
}

static PyMethodDef get_module_lock_function = {"_get_module_lock", (PyCFunction)(void (*)(void))get_module_lock, FF_CALL_FLAGS,
                                               "Get or create the module lock for a given module name."};

/* Called once. 0: the locks are not as we know them, and nothing was done; -1 with an exception. */
int ff_install_lock_function(PyObject *bootstrap)
{
    module_locks = PyObject_GetAttrString(bootstrap, "_module_locks");
    if (module_locks == NULL || !PyDict_CheckExact(module_locks)) {
        return module_locks == NULL ? -1 : 0;
    }
    usual_get_ident = read_get_ident();
    if (usual_get_ident == NULL) {
        return -1;
    }
    return ff_replace_function(bootstrap, &get_module_lock_function, &original_get_module_lock) < 0 ? -1 : 1;
}
#endif
