/* Making a snapshot: runs the imports that a request names, and writes what memory then is to a file. In a
 * process that Flashfreeze starts. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_pylifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start_python(char *name, const char *seed)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.use_hash_seed = 1; /* the seed is in every dict: it cannot change afterwards */
    config.hash_seed = strtoul(seed, NULL, 10);
    char *words[] = {name};
    PyStatus status = ff_program.kind == FF_ENTRY_NONE ? PyStatus_Ok() : ff_name_program(&config);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetBytesArgv(&config, 1, words);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        ff_stop_dump("Python does not start: %s", status.err_msg == NULL ? "?" : status.err_msg);
    }
    if (ff_begin_program() < 0) {
        ff_stop_with_exception("cannot put the directory of the script on sys.path");
    }
    if (ff_program.kind != FF_ENTRY_NONE) {
        ff_leave_path_alone();
    }
}

static void import_modules(void)
{
    for (const char *name = NULL; (name = ff_request_value("module", name)) != NULL;) {
        PyObject *module = PyImport_ImportModule(name);
        if (module == NULL) {
            PyObject *error = ff_take_error();
            PyObject *text = PyObject_Str(error);
            const char *words = text == NULL ? NULL : PyUnicode_AsUTF8(text);
            fprintf(stderr, "left out: %s: %s: %s\n", name, Py_TYPE(error)->tp_name, words == NULL ? "?" : words);
            PyErr_Clear();
            Py_XDECREF(text);
            Py_DECREF(error);
        }
        Py_XDECREF(module);
    }
}

/* The program of the executable is there. */
static void check_entry(PyObject *names)
{
    const char *statement = ff_request_value("check", NULL);
    PyObject *done = statement == NULL ? NULL : PyRun_String(statement, Py_file_input, names, names);
    if (statement != NULL && done == NULL) {
        ff_stop_with_exception("the program of --entry cannot be imported");
    }
    Py_XDECREF(done);
}

/* What the request leaves out is imported by each start: nothing here may have done it. */
static void check_left_out(void)
{
    for (const char *name = NULL; (name = ff_request_value("without", name)) != NULL;) {
        if (PyDict_GetItemString(PyImport_GetModuleDict(), name) != NULL) {
            ff_stop_dump("%s was imported, although it is left out", name);
        }
    }
}

/* A library that the snapshot holds. */
static void add_library(const char *path, const void *start, size_t size, void *argument)
{
    PyObject *from = PyLong_FromVoidPtr((void *)(uintptr_t)start), *library = Py_BuildValue("sNn", path, from, (Py_ssize_t)size);
    if (library == NULL || PyList_Append(argument, library) < 0) {
        ff_stop_with_exception("cannot list the libraries");
    }
    Py_DECREF(library);
}

static PyObject *list_libraries(void)
{
    PyObject *libraries = PyList_New(0);
    if (libraries == NULL) {
        ff_stop_with_exception("cannot list the libraries");
    }
    ff_visit_libraries(add_library, libraries);
    return libraries;
}

static PyObject *requested_paths(const char *key)
{
    PyObject *all = PyList_New(0);
    for (const char *path = NULL; all != NULL && (path = ff_request_value(key, path)) != NULL;) {
        PyObject *text = PyUnicode_DecodeFSDefault(path);
        if (text == NULL || PyList_Append(all, text) < 0) {
            Py_CLEAR(all);
        }
        Py_XDECREF(text);
    }
    return all;
}

/* The files that a start compares: what `list` of prepare_dump.py returns. */
static void list_files(PyObject *list, int is_portable)
{
    PyObject *libraries = list_libraries(), *read = requested_paths("file"), *examined = requested_paths("examined");
    if (read == NULL || examined == NULL) {
        ff_stop_with_exception("cannot list the files that imports have read");
    }
    PyObject *text = PyObject_CallFunction(list, "OiOOO", PyImport_GetModuleDict(), is_portable, libraries, read, examined);
    PyObject *paths = text == NULL ? NULL : PyUnicode_EncodeFSDefault(text);
    if (paths == NULL) {
        ff_stop_with_exception("cannot list the imported files");
    }
    ff_append_files(PyBytes_AS_STRING(paths), (size_t)PyBytes_GET_SIZE(paths));
    Py_DECREF(paths);
    Py_DECREF(text);
    Py_DECREF(libraries);
    Py_DECREF(read);
    Py_DECREF(examined);
}

/* Runs a file that says which objects hold the words of the request (locate_words.py). */
static void locate_words(const char *path)
{
    PyObject *origins = ff_name_origins();
    PyObject *names = PyDict_New(), *words = PyList_New(0), *libraries = list_libraries();
    for (const char *word = NULL; (word = ff_request_value("word", word)) != NULL;) {
        PyObject *number = PyLong_FromString(word, NULL, 16);
        if (number == NULL || PyList_Append(words, number) < 0) {
            ff_stop_with_exception("the request has no number");
        }
        Py_DECREF(number);
    }
    if (origins == NULL || PyDict_SetItemString(names, "libraries", libraries) < 0 ||
        PyDict_SetItemString(names, "origins", origins) < 0 ||
        PyDict_SetItemString(names, "words", words) < 0 || ff_run_script(path, names) < 0) {
        ff_stop_with_exception("cannot locate words");
    }
    _exit(0);
}

/* What the cache of attributes holds depends on the addresses of names, of which some lie elsewhere in each process, and so do the references that they have
 * (Objects/typeobject.c, _PyType_Lookup()). */
static void forget_attributes(void)
{
    struct type_cache *cache = &FF_TYPE_CACHE;
    for (size_t i = 0; i < sizeof(cache->hashtable) / sizeof(cache->hashtable[0]); i++) {
        struct type_cache_entry *entry = &cache->hashtable[i];
        PyObject *name = entry->name;
        entry->version = 0;
        entry->value = NULL;
        entry->name = Py_NewRef(Py_None);
        Py_XDECREF(name);
    }
}

static char **own_arguments;

/* Does not return. */
static void run_imports(void)
{
    char **argv = own_arguments;
    own_arguments = NULL; /* an address of this process */
    unsetenv(FF_SNAPSHOT_VARIABLE);
    const char *output = ff_request_value("output", NULL), *seed = ff_request_value("seed", NULL);
    const char *survivors = ff_request_value("record", NULL), *placement = ff_request_value("placement", NULL);
    if ((output == NULL && survivors == NULL) || seed == NULL) {
        ff_stop_dump("the request is incomplete");
    }
    if ((survivors != NULL && ff_begin_record() < 0) || (placement != NULL && ff_read_placement(placement) < 0)) {
        ff_stop_dump("cannot read %s", survivors == NULL ? placement : survivors);
    }
    ff_snapshot_header *header = ff_begin_header();
    const char *reason = ff_read_common(&header->common);
    if (reason != NULL) {
        ff_stop_dump("%s", reason);
    }
    header->portable = ff_request_value("portable", NULL) != NULL;
    if (header->portable) {
        header->common.uid = header->common.euid = header->common.gid = header->common.egid = 0;
    }
    ff_append_path(argv[0]);
    ff_reduce_environment();

    if (ff_request_value("locate", NULL) != NULL) {
        ff_watch_origins();
    }
    ff_watch_clocks();
    ff_watch_draws();
    ff_watch_choices();
    ff_name_main_thread();
    ff_begin_objects();
    ff_reset_handlers();
    start_python(argv[0], seed);
    if (ff_keep_arguments() < 0) {
        ff_stop_dump("sys.argv is no list");
    }
    ff_remember_process();
    PyObject *variables = ff_environment(), *earlier = PyDict_Copy(variables);
    PyObject *names = PyDict_New();
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    ff_note_variables();
    /* How many free objects there are, and when the collector runs, depends on what Python did when it started, such as on each directory in the path of
     * the executable. What the collector would free meanwhile, the collection at the end does. */
    ff_clear_free_lists();
    int *is_collecting = &PyInterpreterState_Get()->gc.collecting;
    *is_collecting = 1;
    import_modules();
    check_entry(names);
    Py_DECREF(names);
    *is_collecting = 0;
    ff_forget_choices();
    check_left_out();
    if (ff_keep_variables(earlier, variables) < 0) {
        ff_stop_with_exception("cannot keep the variables that imports have set");
    }
    ff_synchronize_numbers();
    ff_append_variables();
    ff_append_facts(argv);
    Py_DECREF(variables);
    Py_DECREF(earlier);

    PyObject *functions = PyDict_New();
    const char *script = NULL;
    while (functions != NULL && (script = ff_request_value("prepare", script)) != NULL) {
        if (ff_run_script(script, functions) < 0) {
            ff_stop_with_exception("a script fails");
        }
    }
    list_files(PyDict_GetItemString(functions, "list_files"), header->portable != 0);
    if (ff_prepare_renewal(PyDict_GetItemString(functions, "prepare"), header->portable != 0) < 0) {
        ff_stop_with_exception("cannot prepare what is renewed at a start");
    }
    Py_DECREF(functions);
    script = ff_request_value("locate", NULL);
    if (script != NULL) {
        locate_words(script);
    }
    if (ff_keep_streams() < 0) {
        ff_stop_dump("an import replaces sys.stdin, sys.stdout or sys.stderr");
    }
    if (ff_prepare_streams(_PyInterpreterState_GetConfig(PyInterpreterState_Get())) < 0) {
        ff_stop_dump("the standard streams cannot be renewed");
    }
    PyGC_Collect();
    ff_find_finalizers();
    PyObject *gc = PyImport_ImportModule("gc");
    Py_XDECREF(gc == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL));
    Py_XDECREF(gc);
    if (PyErr_Occurred()) {
        ff_stop_with_exception("cannot freeze the collector");
    }
    PyOS_BeforeFork(); /* whoever goes on calls PyOS_AfterFork_Child() */
    ff_call_before_fork();
    ff_try_destructors();
    ff_check_process();

#if FF_SNAPSHOT_STATE >= 311
    PyThreadState *thread = PyThreadState_Get();
    thread->native_thread_id = 0; /* PyOS_AfterFork_Child() writes it */
    /* What returned calls have left on the stack of frames points to the C stack (Python/pystate.c). */
    memset(thread->datastack_top, 0, (size_t)((char *)thread->datastack_limit - (char *)thread->datastack_top));
#endif
    forget_attributes();
    ff_clear_free_lists();
    ff_end_objects();
    if (survivors != NULL) {
        ff_write_record(survivors);
        _exit(0);
    }
    ff_reset_counters();
    ff_forget_random();
    ff_find_hash_keys();
    ff_find_drawn();
    ff_forget_process_numbers();
    ff_find_cached_numbers();
    ff_find_locked();
    ff_find_clock_readings();
    ff_clear_padding();
    ff_save_process();
    ff_forget_request();
    ff_forget_process();
    ff_find_addresses_of_stack();
    ff_write_dump(output);
    _exit(0);
}

int ff_make_dump(int argc, char **argv, const char *request)
{
    if (argc != 1 || !ff_is_region_used()) {
        ff_stop_dump("there is no region");
    }
    ff_read_request(request);
    own_arguments = argv;
    ff_call_on_import_stack(run_imports);
    return 0;
}
