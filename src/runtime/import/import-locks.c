/* The locks of modules that are being loaded. importlib makes one for each import; here it is made only when another thread
 * asks importlib for it, and looks then as if the thread that loads the module had acquired it from the start. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

static PyObject *original_get_module_lock; /* importlib._bootstrap._get_module_lock */
static PyObject *module_locks;             /* importlib._bootstrap._module_locks */
static PyTypeObject *module_lock_type;     /* importlib._bootstrap._ModuleLock */

#if FF_LOCKS_PARENTS
/* The lock that importlib has made for a module (a new reference). FF_NO: there is none. */
static ff_answer find_lock(PyObject *name, PyObject **lock)
{
    PyObject *reference = Py_XNewRef(PyDict_GetItemWithError(module_locks, name));
    *lock = reference == NULL ? NULL : PyObject_CallNoArgs(reference);
    Py_XDECREF(reference);
    return *lock != NULL ? FF_YES : PyErr_Occurred() ? FF_FAILED : FF_NO;
}

/* Whether the thread that comes here has acquired a lock of importlib's, under the name that the system gives it. */
static ff_answer is_acquired_here(PyObject *lock)
{
    ff_answer answer = Py_TYPE(lock) == module_lock_type ? ff_is_owner_usual() : FF_NO;
    PyObject *owner = answer == FF_YES ? PyObject_GetAttrString(lock, "owner") : NULL;
    if (owner == NULL) {
        return answer == FF_YES ? FF_FAILED : answer;
    }
    int is_number = PyLong_CheckExact(owner);
    answer = is_number && PyLong_AsUnsignedLong(owner) == PyThread_get_thread_ident() ? FF_YES : FF_NO;
    Py_DECREF(owner);
    return ff_forgive(answer);
}

/* Whether it is more than the parent of a module that is imported. */
static int is_loading_itself(PyObject *name)
{
    for (ff_loading *each = ff_import.in_progress; each != NULL; each = each->next) {
        if (!each->is_parent && PyUnicode_Compare(each->name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether somebody else loads the module already, here or in importlib. Whoever holds its lock may take it again: an import of a
 * submodule holds that of a parent before it imports the parent, and while the parent is loading. */
ff_answer ff_is_loading(PyObject *name, int as_parent)
{
    if (!as_parent && is_loading_itself(name)) {
        return FF_YES;
    }
    ff_answer answer = ff_find_loading(name) != NULL ? ff_is_loaded_here(name) : FF_UNSURE;
    if (answer == FF_UNSURE) {
        PyObject *lock;
        answer = find_lock(name, &lock);
        if (answer != FF_YES) {
            return answer;
        }
        answer = is_acquired_here(lock);
        Py_DECREF(lock);
    }
    return answer == FF_FAILED ? FF_FAILED : answer == FF_YES ? FF_NO : FF_YES;
}

/* Takes the lock of a module again that importlib has made, and whoever comes here holds; FF_NO: importlib has made none. */
static ff_answer take_lock_again(ff_wanted *wanted, ff_loading *begun)
{
    PyObject *lock;
    ff_answer answer = PyDict_GET_SIZE(module_locks) == 0 ? FF_NO : find_lock(begun->name, &lock);
    if (answer != FF_YES) {
        return answer;
    }
    wanted->is_doubtful = 1;
    PyObject *acquired = PyObject_CallMethod(lock, "acquire", NULL);
    Py_XDECREF(acquired);
    if (acquired == NULL) {
        Py_DECREF(lock);
        return FF_FAILED;
    }
    begun->lock = lock;
    return FF_YES;
}
#else
/* Whether somebody loads the module already, here or in importlib. */
ff_answer ff_is_loading(PyObject *name, int as_parent)
{
    (void)as_parent;
    int is_loading = ff_find_loading(name) != NULL ? 1 : PyDict_Contains(module_locks, name);
    return is_loading < 0 ? FF_FAILED : is_loading ? FF_YES : FF_NO;
}

/* No lock is taken twice here. */
static ff_answer take_lock_again(ff_wanted *wanted, ff_loading *begun)
{
    (void)wanted;
    (void)begun;
    return FF_NO;
}
#endif

static void forget(ff_loading *loading)
{
    Py_DECREF(loading->name);
    ff_forget_owner(&loading->owner);
    PyMem_RawFree(loading);
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
    PyObject *known = ff_ident_of(loading);
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
    PyObject *get_ident = ff_read_get_ident();
    int status = 0;
    if (get_ident != NULL && get_ident == ff_import.usual_get_ident && ended->owner.get_ident == ff_import.usual_get_ident) {
        Py_DECREF(get_ident);
    }
    else {
        ff_owner owner;
        status = ff_ask_owner_of(get_ident, &owner);
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

/* Begins to load a module of that name, for the import of `wanted`: *begun is what was begun last for that import, and then this. The
 * owner is taken over. What is begun lies not on the stack: a thread may go away in the midst of it, as others do in a child after
 * fork(). Its module stays locked then, as it does in importlib. */
ff_answer ff_begin_loading(ff_wanted *wanted, PyObject *name, ff_owner *owner, ff_loading **begun)
{
    ff_loading *added = PyMem_RawMalloc(sizeof(ff_loading));
    if (added == NULL) {
        ff_forget_owner(owner);
        PyErr_NoMemory();
        return FF_FAILED;
    }
    *added = (ff_loading){Py_NewRef(name), *owner, PyThread_get_thread_ident(), NULL, *begun, name != wanted->name, NULL};
    if (take_lock_again(wanted, added) == FF_FAILED) {
        forget(added);
        return FF_FAILED;
    }
    added->next = ff_import.in_progress;
    ff_import.in_progress = *begun = added;
    return FF_YES;
}

/* Ends one of them: releases the lock that somebody asked for meanwhile. -1 with an exception. */
static int finish_one(ff_loading *ended)
{
    int status = ended->lock == NULL ? release_unmade_lock(ended) : 0;
    ff_loading **place = &ff_import.in_progress;
    while (*place != ended) {
        place = &(*place)->next;
    }
    *place = ended->next;
    if (ended->lock != NULL && release_lock(ended->lock) < 0) {
        status = -1;
    }
    forget(ended);
    return status;
}

/* Ends what was begun for an import, the last first. -1 with an exception. */
int ff_finish_loading(ff_loading *ended)
{
    int status = 0;
    while (ended != NULL) {
        ff_loading *outer = ended->outer;
        status = finish_one(ended) < 0 ? -1 : status;
        ended = outer;
    }
    return status;
}

/* Has a lock look as if whoever loads the module had acquired it so often: importlib._bootstrap._ModuleLock. */
static int hold_lock(PyObject *lock, PyObject *owner, long times)
{
    int status = PyObject_SetAttrString(lock, "owner", owner);
    PyObject *count = status < 0 ? NULL : PyObject_GetAttrString(lock, "count");
    if (count != NULL && PyList_Check(count)) { /* since 3.12 */
        for (long i = 0; status == 0 && i < times; i++) {
            status = PyList_Append(count, Py_True);
        }
    }
    else if (count != NULL) {
        PyObject *number = PyLong_FromLong(times);
        status = number == NULL ? -1 : PyObject_SetAttrString(lock, "count", number);
        Py_XDECREF(number);
    }
    Py_XDECREF(count);
    return count == NULL ? -1 : status;
}

/* The lock gets the name that its owner has by now: the thread that comes here may be the owner, and has another name since another
 * function gives names. -1 with an exception. */
static int rename_owner(const ff_loading *found)
{
    PyObject *get_ident = ff_read_get_ident();
    if (get_ident != NULL && (get_ident == found->owner.get_ident || found->thread != PyThread_get_thread_ident())) {
        Py_DECREF(get_ident);
        return 0;
    }
    ff_owner owner;
    int status = ff_ask_owner_of(get_ident, &owner);
    ff_forget_owner(&owner);
    return status;
}

/* Has those loadings of a module that have the lock `old` have another; either may be NULL. How many they are. */
static long give_lock(PyObject *name, PyObject *old, PyObject *lock)
{
    long count = 0;
    for (ff_loading *each = ff_import.in_progress; each != NULL; each = each->next) {
        if (each->lock == old && PyUnicode_Compare(each->name, name) == 0) {
            Py_XSETREF(each->lock, Py_XNewRef(lock));
            count++;
        }
    }
    return count;
}

/* A new lock of a module that is loaded here is one that whoever loads it holds. -1 with an exception. */
static int hold_for_owner(PyObject *lock, PyObject *name)
{
    ff_loading *found = ff_find_loading(name);
    if (found == NULL || found->lock != NULL) {
        return 0;
    }
    if (rename_owner(found) < 0) {
        return -1;
    }
    found = ff_find_loading(name); /* anew: code of others may have run */
    if (found == NULL || found->lock != NULL) {
        return 0;
    }
    long times = give_lock(name, NULL, lock); /* before code of others can run again: the loading may end then */
    PyObject *ident = ff_ident_of(found);
    int status = ident == NULL ? -1 : hold_lock(lock, ident, times);
    Py_XDECREF(ident);
    if (status < 0) {
        FF_KEEPING_EXCEPTION((void)give_lock(name, lock, NULL));
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
    module_lock_type = (PyTypeObject *)PyObject_GetAttrString(bootstrap, "_ModuleLock");
    if (module_lock_type == NULL || ff_remember_get_ident() < 0) {
        return -1;
    }
    return ff_replace_function(bootstrap, &get_module_lock_function, &original_get_module_lock) < 0 ? -1 : 1;
}
#endif
