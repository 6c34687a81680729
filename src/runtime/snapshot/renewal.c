/* Python's own view of its process, after a restore: what Python has read from the process when it started, and what must not
 * be the same in two processes. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_fileutils.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PyObject *environment;           /* posix.environ, which is what os.environ holds */
static PyObject *changes;               /* names and values of variables that imports have set; None where they are removed */
static PyObject *arguments, *all_arguments; /* the lists that sys.argv and sys.orig_argv are when Python starts */
static PyObject *renewals;              /* functions of prepare_dump.py */
static PyObject *restored;              /* the program's own: functions, their arguments and their keywords */
static PyObject *set_time_zone;         /* time.tzset, if time was imported */
static PyThreadState *thread_state;

/* What attributes of the module time are made of (Modules/timemodule.c, init_timezone()): January and July of this year. */
typedef struct {
    long offset[2];
    char name[2][16];
} zone;
static zone time_zone;

static zone read_time_zone(void)
{
    static const time_t YEAR = (365 * 24 + 6) * 3600;
    zone found;
    memset(&found, 0, sizeof(found));
    time_t when = time(NULL) / YEAR * YEAR;
    for (int i = 0; i < 2; i++, when += YEAR / 2) {
        struct tm parts;
        if (localtime_r(&when, &parts) == NULL || strlen(parts.tm_zone) >= sizeof(found.name[i])) {
            found.offset[i] = i == 0 ? LONG_MIN : LONG_MAX; /* of no zone */
            continue;
        }
        found.offset[i] = parts.tm_gmtoff;
        strcpy(found.name[i], parts.tm_zone);
    }
    return found;
}

static PyObject *attribute_of(const char *module, const char *name)
{
    PyObject *found = PyImport_ImportModule(module);
    PyObject *value = found == NULL ? NULL : PyObject_GetAttrString(found, name);
    Py_XDECREF(found);
    return value;
}

/* Before the imports. */
int ff_keep_arguments(void)
{
    arguments = PySys_GetObject("argv");
    all_arguments = PySys_GetObject("orig_argv");
    if (arguments == NULL || all_arguments == NULL || !PyList_CheckExact(arguments) || !PyList_CheckExact(all_arguments)) {
        return -1;
    }
    Py_INCREF(arguments);
    Py_INCREF(all_arguments);
    /* Another one in each process: whatever keeps it otherwise differs in two dumps. */
    PyObject *word = PyUnicode_FromFormat("%08x", (unsigned int)getpid());
    int status = word == NULL ? -1 : PyList_Append(arguments, word);
    Py_XDECREF(word);
    return status;
}

/* What each start makes anew, as the recording has found it: of attributes, a module, a name, and what else has to be known of them; seeds of generators. */
static PyObject *list_recorded(const char *kind)
{
    PyObject *list = PyList_New(0);
    for (const char *each = NULL; list != NULL && (each = ff_request_value(kind, each)) != NULL;) {
        PyObject *text = PyUnicode_FromString(each);
        if (text == NULL || PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
    }
    return list;
}

/* Before a dump. `prepare` is a function of prepare_dump.py. */
int ff_prepare_renewal(PyObject *prepare, int is_portable)
{
    thread_state = PyThreadState_Get();
    environment = attribute_of("posix", "environ");
    set_time_zone = attribute_of("time", "tzset");
    time_zone = read_time_zone();
    if (environment == NULL || set_time_zone == NULL) {
        return -1;
    }
    PyObject *keep, *write;
    if (ff_new_token_functions(&keep, &write) < 0) {
        return -1;
    }
    PyObject *draws = ff_list_draws();
    ff_synchronize_numbers(); /* of which there may be more or fewer */
    PyObject *both = PyObject_CallFunction(prepare, "OiNNNNNNNN", PyImport_GetModuleDict(), is_portable, list_recorded("arguments"), list_recorded("moment"),
                                           draws, list_recorded("generator"), list_recorded("token"), list_recorded("table"), keep, write);
    if (both != NULL) {
        renewals = PyTuple_GetItem(both, 0);
        restored = PyTuple_GetItem(both, 1);
        Py_XINCREF(renewals);
        Py_XINCREF(restored);
        int status = renewals == NULL ? -1 : ff_keep_names(PyTuple_GetItem(both, 2), PyTuple_GetItem(both, 3), is_portable);
        Py_DECREF(both);
        if (status < 0) {
            return -1;
        }
    }
    if (renewals != NULL) {
        PyDict_Clear(environment); /* that of the process which is dumped */
        if (PyList_SetSlice(arguments, 0, PyList_GET_SIZE(arguments), NULL) < 0) {
            return -1;
        }
    }
    return renewals == NULL ? -1 : 0;
}

/* Gives a variable of the C library a value; None: it is removed. */
static int set_variable(PyObject *name, PyObject *value)
{
    return value == Py_None ? unsetenv(PyBytes_AS_STRING(name)) : setenv(PyBytes_AS_STRING(name), PyBytes_AS_STRING(value), 1);
}

/* After the imports, which may have set variables: each start sets them, too. The environment becomes what it was `before`: what imports have read
 * of it is compared at a start. */
int ff_keep_variables(PyObject *before, PyObject *now)
{
    PyObject *name, *value, *all = PyDict_Copy(before);
    changes = PyDict_New();
    if (changes == NULL || all == NULL || PyDict_Update(all, now) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; PyDict_Next(all, &i, &name, &value);) {
        PyObject *old = PyDict_GetItemWithError(before, name), *new = PyDict_GetItemWithError(now, name);
        int is_same = old != NULL && new != NULL && PyObject_RichCompareBool(old, new, Py_EQ) == 1;
        if (!is_same && (PyDict_SetItem(changes, name, new == NULL ? Py_None : new) < 0 || set_variable(name, old == NULL ? Py_None : old) < 0)) {
            return -1;
        }
    }
    Py_DECREF(all);
    return PyErr_Occurred() ? -1 : 0;
}

static int repeat_changes(void)
{
    PyObject *name, *value;
    for (Py_ssize_t i = 0; PyDict_Next(changes, &i, &name, &value);) {
        if (set_variable(name, value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* As convertenviron() of Modules/posixmodule.c. */
extern char **environ;
static int renew_environment(void)
{
    PyDict_Clear(environment);
    if (repeat_changes() < 0) {
        return -1;
    }
    for (char **each = environ; *each != NULL; each++) {
        const char *equals = strchr(*each, '=');
        if (equals == NULL) {
            continue;
        }
        PyObject *name = PyBytes_FromStringAndSize(*each, equals - *each), *value = PyBytes_FromString(equals + 1);
        PyObject *old = name == NULL || value == NULL ? NULL : PyDict_SetDefault(environment, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (old == NULL) {
            return -1;
        }
    }
    return 0;
}

static PyObject *list_of(const PyWideStringList *texts)
{
    PyObject *list = PyList_New(texts->length);
    for (Py_ssize_t i = 0; list != NULL && i < texts->length; i++) {
        PyObject *text = PyUnicode_FromWideChar(texts->items[i], -1);
        if (text == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, text);
    }
    return list;
}

/* The objects stay: imports may have kept them, in the default of an argument for example. */
static int fill(PyObject *own, const PyWideStringList *texts)
{
    PyObject *list = list_of(texts);
    int status = list == NULL ? -1 : PyList_SetSlice(own, 0, PyList_GET_SIZE(own), list);
    Py_XDECREF(list);
    return status;
}

static int call(PyObject *function)
{
    PyObject *done = PyObject_CallNoArgs(function);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int renew_time_zone(void)
{
    tzset();
    zone now = read_time_zone();
    int is_known = now.offset[0] != LONG_MIN && now.offset[1] != LONG_MAX;
    return is_known && memcmp(&now, &time_zone, sizeof(now)) == 0 ? 0 : call(set_time_zone);
}

int ff_renew(int argc, char **argv, const ff_command_line *line)
{
    PyConfig *config = (PyConfig *)_PyInterpreterState_GetConfig(thread_state->interp);
    PyOS_AfterFork_Child();
    config->use_hash_seed = 0;
    config->hash_seed = 0;
    if (ff_configure(config, line, argc, argv) < 0 || fill(arguments, &config->argv) < 0 ||
        fill(all_arguments, &config->orig_argv) < 0 || renew_environment() < 0 || ff_renew_handlers() < 0 ||
        ff_renew_streams(config) < 0 || renew_time_zone() < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(renewals); i++) {
        if (call(PyList_GET_ITEM(renewals, i)) < 0) {
            return -1;
        }
    }
    ff_join_snapshot();
    return 0;
}

/* What the program has registered runs last, when everything else is as in a process of its own. An exception ends the process as one
 * of the main program does. */
void ff_run_restored(void)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(restored); i++) {
        PyObject *function, *words, *names, *each = PyTuple_GET_ITEM(restored, i);
        PyObject *done = PyArg_ParseTuple(each, "OOO", &function, &words, &names) ? PyObject_Call(function, words, names) : NULL;
        if (done == NULL) {
            PyErr_Print();
            Py_Exit(1);
        }
        Py_DECREF(done);
    }
}

int ff_have_restored(void)
{
    return PyTuple_GET_SIZE(restored) > 0;
}

static char locale_of_imports[256];

/* While a snapshot is made: the locale that imports have set. Variables say which one it is, and a start compares these. */
void ff_keep_locale(const char *earlier)
{
    const char *now = setlocale(LC_ALL, NULL);
    snprintf(locale_of_imports, sizeof(locale_of_imports), "%s", strcmp(now, earlier) == 0 ? "" : now);
}

/* libc's side of the same: before Python runs. */
void ff_renew_thread(const ff_common *common)
{
    if (common->locale == FF_LOCALE_COERCED) {
        _Py_CoerceLegacyLocale(0);
    }
    if (*locale_of_imports != '\0') {
        (void)setlocale(LC_ALL, locale_of_imports);
    }
    PyThread_tss_set(&FF_THREAD_KEY, thread_state);
}
