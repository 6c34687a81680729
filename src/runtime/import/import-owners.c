/* Who imports: the threads that are loading modules here, by the names that importlib has for them. */
#include FF_LAYOUT

#include "import.h"

#if FF_REPLACES_IMPORT

/* What importlib asks who imports, its own `_thread.get_ident` (a new reference), or NULL with an exception. */
PyObject *ff_read_get_ident(void)
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
    for (ff_loading *each = ff_import.in_progress; each != NULL; each = each->next) {
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
int ff_ask_owner_of(PyObject *get_ident, ff_owner *owner)
{
    *owner = (ff_owner){NULL, get_ident};
    if (get_ident != ff_import.usual_get_ident) {
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
    PyObject *get_ident = ff_read_get_ident();
    if (get_ident != ff_import.usual_get_ident) {
        ff_note_foreign_code(wanted);
    }
    return ff_ask_owner_of(get_ident, owner);
}

/* Whether threads go by the names that the system gives them. */
ff_answer ff_is_owner_usual(void)
{
    PyObject *get_ident = ff_read_get_ident();
    Py_XDECREF(get_ident);
    return get_ident == NULL ? FF_FAILED : get_ident == ff_import.usual_get_ident ? FF_YES : FF_NO;
}

/* The owner as `_thread.get_ident()` names it (a new reference), or NULL with an exception. */
PyObject *ff_ident_of(const ff_loading *loading)
{
    return loading->owner.ident != NULL ? Py_NewRef(loading->owner.ident) : PyLong_FromUnsignedLong(loading->thread);
}

/* The last one that was begun of that name, or NULL. */
ff_loading *ff_find_loading(PyObject *name)
{
    for (ff_loading *each = ff_import.in_progress; each != NULL; each = each->next) {
        if (PyUnicode_Compare(each->name, name) == 0) {
            return each;
        }
    }
    return NULL;
}

/* Whether whoever imports now is loading the module. FF_NO also where only importlib can ask for that, as often as it does. */
ff_answer ff_is_loaded_here(PyObject *name)
{
    PyObject *get_ident = ff_read_get_ident();
    Py_XDECREF(get_ident);
    if (get_ident == NULL) {
        return FF_FAILED;
    }
    const ff_loading *found = ff_find_loading(name);
    return found != NULL && get_ident == ff_import.usual_get_ident && found->owner.get_ident == ff_import.usual_get_ident &&
                   found->thread == PyThread_get_thread_ident()
               ? FF_YES
               : FF_NO;
}

/* Called once. -1 with an exception. */
int ff_remember_get_ident(void)
{
    ff_import.usual_get_ident = ff_read_get_ident();
    return ff_import.usual_get_ident == NULL ? -1 : 0;
}
#endif
