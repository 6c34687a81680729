/* Making a snapshot: runs the imports that a request names, and writes what memory then is to a file. Only an executable
 * without a snapshot does this, in a process that Flashfreeze starts. */
#include FF_LAYOUT

#include "restore.h"

#include "internal/pycore_pylifecycle.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The files that a start compares: sources of what was imported, and the directories in which imports look. */
static const char LIST_FILES[] =
    "def list_files(sys):\n"
    "    found = dict.fromkeys(each for each in sys.path if each)\n"
    "    for module in list(sys.modules.values()):\n"
    "        path = getattr(module, '__file__', None)\n"
    "        if type(path) is str and path[:1] == '/':\n"
    "            found[path] = None\n"
    "    return '\\0'.join(found) + '\\0'\n";

#define SCRATCH ((size_t)4 << 20)
static struct {
    char *request;            /* lines: NAME VALUE */
    char *page, *end;         /* the header of the dump, and what follows it */
    char *names, *names_end;  /* of variables that C has read */
    char locale[256], folder[4096];
    struct sigaction signals[NSIG];
    char was_open[4096]; /* descriptors that this process has inherited */
} work;

static void stop(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    fflush(stderr);
    _exit(3);
}

static void stop_with_exception(const char *what)
{
    PyErr_Print();
    stop("%s", what);
}

static char *scratch(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        stop("no memory");
    }
    return p;
}

static void read_request(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    work.request = scratch(SCRATCH);
    size_t size = 0;
    ssize_t done;
    while (fd >= 0 && size < SCRATCH - 1 && (done = read(fd, work.request + size, SCRATCH - 1 - size)) > 0) {
        size += (size_t)done;
    }
    if (fd < 0 || size == SCRATCH - 1) {
        stop("cannot read %s", path);
    }
    close(fd);
    for (char *p = work.request; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = '\0';
        }
    }
}

/* The next line with this name; NULL behind the last one. */
static const char *value_of(const char *name, const char *after)
{
    size_t length = strlen(name);
    const char *line = after == NULL ? work.request : after + strlen(after) + 1;
    for (; *line != '\0'; line += strlen(line) + 1) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            return line + length + 1;
        }
    }
    return NULL;
}

extern char *__real_getenv(const char *), *__real_secure_getenv(const char *);

static void note_name(const char *name)
{
    size_t size = strlen(name) + 1;
    if (work.names != NULL && size <= (size_t)(work.names + SCRATCH - work.names_end)) {
        memcpy(work.names_end, name, size);
        work.names_end += size;
    }
}

char *__wrap_getenv(const char *name)
{
    note_name(name);
    return __real_getenv(name);
}

char *__wrap_secure_getenv(const char *name)
{
    note_name(name);
    return __real_secure_getenv(name);
}

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
        stop("Python does not start: %s", status.err_msg == NULL ? "?" : status.err_msg);
    }
    if (ff_begin_program() < 0) {
        stop_with_exception("cannot put the directory of the script on sys.path");
    }
    if (ff_program.kind != FF_ENTRY_NONE) {
        ff_leave_path_alone();
    }
}

static void import_modules(void)
{
    for (const char *name = value_of("module", NULL); name != NULL; name = value_of("module", name)) {
        PyObject *module = PyImport_ImportModule(name);
        if (module == NULL) {
            PyObject *error = PyErr_GetRaisedException();
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
    const char *statement = value_of("check", NULL);
    PyObject *done = statement == NULL ? NULL : PyRun_String(statement, Py_file_input, names, names);
    if (statement != NULL && done == NULL) {
        stop_with_exception("the program of --entry cannot be imported");
    }
    Py_XDECREF(done);
}

/* What the request leaves out is imported by each start: nothing here may have done it. */
static void check_left_out(void)
{
    for (const char *name = value_of("without", NULL); name != NULL; name = value_of("without", name)) {
        if (PyDict_GetItemString(PyImport_GetModuleDict(), name) != NULL) {
            stop("%s was imported, although it is left out", name);
        }
    }
}

/* Runs a file that says which objects hold the words of the request (locate_words.py). */
static void locate_words(const char *path)
{
    PyObject *names = PyDict_New(), *words = PyList_New(0);
    for (const char *word = value_of("word", NULL); word != NULL; word = value_of("word", word)) {
        PyObject *number = PyLong_FromString(word, NULL, 16);
        if (number == NULL || PyList_Append(words, number) < 0) {
            stop_with_exception("the request has no number");
        }
        Py_DECREF(number);
    }
    FILE *file = fopen(path, "r");
    if (file == NULL || PyDict_SetItemString(names, "words", words) < 0 ||
        PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) < 0 ||
        PyRun_File(file, path, Py_file_input, names, names) == NULL) {
        stop_with_exception("cannot locate words");
    }
    _exit(0);
}

/* ---- what a snapshot cannot hold ---- */

static void remember_process(void)
{
    snprintf(work.locale, sizeof(work.locale), "%s", setlocale(LC_ALL, NULL));
    if (getcwd(work.folder, sizeof(work.folder)) == NULL) {
        *work.folder = '\0';
    }
    for (int signal = 1; signal < NSIG; signal++) {
        sigaction(signal, NULL, &work.signals[signal]);
    }
    for (int fd = 0; fd < (int)sizeof(work.was_open); fd++) {
        work.was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    }
}

static void check_process(void)
{
    char folder[4096] = "";
    if (getcwd(folder, sizeof(folder)) == NULL || strcmp(folder, work.folder) != 0) {
        stop("an import changes the working directory");
    }
    if (strcmp(setlocale(LC_ALL, NULL), work.locale) != 0) {
        stop("an import changes the locale");
    }
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction now;
        if (sigaction(signal, NULL, &now) == 0 && now.sa_handler != work.signals[signal].sa_handler) {
            stop("an import sets a handler of signal %d", signal);
        }
    }
    int status;
    if (waitpid(-1, &status, WNOHANG) >= 0) {
        stop("an import leaves a child process");
    }
    DIR *folders = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *each; folders != NULL && (each = readdir(folders)) != NULL;) {
        count += each->d_name[0] != '.';
    }
    if (folders == NULL || count != 1) {
        stop("an import leaves %d threads running", count - 1);
    }
    closedir(folders);
    folders = opendir("/proc/self/fd");
    for (struct dirent *each; folders != NULL && (each = readdir(folders)) != NULL;) {
        int fd = atoi(each->d_name);
        int is_own = fd == dirfd(folders) || (fd < (int)sizeof(work.was_open) && work.was_open[fd]);
        if (each->d_name[0] != '.' && !is_own) {
            char path[64], target[4096];
            snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
            ssize_t length = readlink(path, target, sizeof(target) - 1);
            target[length < 0 ? 0 : length] = '\0';
            stop("an import leaves %s open", target);
        }
    }
    closedir(folders);
    if (ff_thread_key_count() > FF_KEYS) {
        stop("there are more than %d keys of thread-local values", FF_KEYS);
    }
}

static PyObject *environment(void)
{
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *found = posix == NULL ? NULL : PyObject_GetAttrString(posix, "environ");
    Py_XDECREF(posix);
    if (found == NULL) {
        stop_with_exception("there is no environment");
    }
    return found;
}

static void check_environment(PyObject *earlier)
{
    PyObject *now = environment(), *name, *value;
    for (Py_ssize_t i = 0; PyDict_Next(now, &i, &name, &value);) {
        PyObject *old = PyDict_GetItemWithError(earlier, name);
        if (old == NULL || PyObject_RichCompareBool(old, value, Py_EQ) != 1) {
            stop("an import sets the environment variable %s", PyBytes_AsString(name));
        }
    }
    if (PyDict_GET_SIZE(now) != PyDict_GET_SIZE(earlier)) {
        stop("an import removes an environment variable");
    }
    Py_DECREF(now);
}

/* ---- the file ---- */

static void append(const void *bytes, size_t size)
{
    if (size > (size_t)(work.page + SCRATCH - work.end)) {
        stop("the list of files is too long");
    }
    memcpy(work.end, bytes, size);
    work.end += size;
}

static uint64_t place(void)
{
    return (uint64_t)(work.end - work.page);
}

static void align(void)
{
    work.end = (char *)(((uintptr_t)work.end + 15) & ~(uintptr_t)15);
}

extern char **environ;

static void append_variable(const char *name)
{
    /* FLASHFREEZE and the PYTHON variables are compared in another way (start-conditions.c). */
    if (strncmp(name, "PYTHON", 6) == 0 || strncmp(name, "FLASHFREEZE", 11) == 0) {
        return;
    }
    const char *value = __real_getenv(name);
    if (*name != '\0' && strchr(name, '=') == NULL) {
        append(name, strlen(name));
        if (value != NULL) {
            append("=", 1);
            append(value, strlen(value));
        }
        append("", 1);
    }
}

/* Those that the request names, and those that C has read. C reads those of the locale when Python starts: its kind is compared. */
static void append_variables(ff_snapshot_header *header)
{
    header->variable_offset = place();
    for (const char *name = value_of("variable", NULL); name != NULL; name = value_of("variable", name)) {
        append_variable(name);
    }
    for (const char *name = work.names; name < work.names_end; name += strlen(name) + 1) {
        if (strncmp(name, "LC_", 3) != 0 && strncmp(name, "LANG", 4) != 0) {
            append_variable(name);
        }
    }
    append("", 1);
}

static void append_facts(ff_snapshot_header *header, char **argv)
{
    char text[FF_FACT_SIZE];
    header->fact_offset = place();
    for (const char *name = value_of("fact", NULL); name != NULL; name = value_of("fact", name)) {
        if (ff_read_fact(name, text, argv) == 0) {
            append(name, strlen(name) + 1);
            append(text, strlen(text) + 1);
        }
    }
    append("", 1);
}

static void append_state(ff_snapshot_header *header, const ff_file_state *state)
{
    append(state, sizeof(*state));
    header->file_count++;
}

static void append_files(ff_snapshot_header *header, const char *paths, size_t size)
{
    align();
    header->file_offset = place();
    ff_file_state state;
    for (const char *path = paths; path < paths + size; path += strlen(path) + 1) {
        (void)ff_file_state_of(path, &state);
        append_state(header, &state);
    }
    for (const char *path = value_of("file", NULL); path != NULL; path = value_of("file", path)) {
        (void)ff_file_state_of(path, &state);
        append_state(header, &state);
    }
    for (const char *path = value_of("examined", NULL); path != NULL; path = value_of("examined", path)) {
        (void)ff_examined_state_of(path, &state);
        append_state(header, &state);
    }
    header->file_text_offset = place();
    append(paths, size);
    for (const char *path = value_of("file", NULL); path != NULL; path = value_of("file", path)) {
        append(path, strlen(path) + 1);
    }
    for (const char *path = value_of("examined", NULL); path != NULL; path = value_of("examined", path)) {
        append(path, strlen(path) + 1);
    }
}

/* What the dynamic linker has filled in: pointers into libraries, and variables of libraries that were copied. */
static void append_ranges(ff_snapshot_header *header)
{
    const Elf64_Rela *relocations[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const Elf64_Sym *symbols = NULL;
    for (const Elf64_Dyn *each = _DYNAMIC; each->d_tag != DT_NULL; each++) {
        switch (each->d_tag) {
        case DT_RELA: relocations[0] = (const Elf64_Rela *)each->d_un.d_ptr; break;
        case DT_RELASZ: sizes[0] = each->d_un.d_val; break;
        case DT_JMPREL: relocations[1] = (const Elf64_Rela *)each->d_un.d_ptr; break;
        case DT_PLTRELSZ: sizes[1] = each->d_un.d_val; break;
        case DT_SYMTAB: symbols = (const Elf64_Sym *)each->d_un.d_ptr; break;
        default: break;
        }
    }
    align();
    header->range_offset = place();
    for (int table = 0; table < 2; table++) {
        for (size_t i = 0; i < sizes[table] / sizeof(Elf64_Rela); i++) {
            const Elf64_Rela *each = &relocations[table][i];
            ff_range range = {each->r_offset, sizeof(void *)};
#ifdef __x86_64__
            if (ELF64_R_TYPE(each->r_info) == R_X86_64_COPY) {
                range.size = symbols[ELF64_R_SYM(each->r_info)].st_size;
            }
#else
            if (ELF64_R_TYPE(each->r_info) == R_AARCH64_COPY) {
                range.size = symbols[ELF64_R_SYM(each->r_info)].st_size;
            }
#endif
            if (range.address >= header->data && range.address < header->data + header->data_size) {
                append(&range, sizeof(range));
                header->range_count++;
            }
        }
    }
}

static void write_all(int fd, const void *bytes, size_t size)
{
    for (const char *p = bytes; size > 0;) {
        ssize_t done = write(fd, p, size);
        if (done < 0) {
            stop("cannot write the snapshot: %s", strerror(errno));
        }
        p += done;
        size -= (size_t)done;
    }
}

static const char zeros[FF_PAGE];

/* Most of the region is zero: it becomes a hole in the file. */
static void write_used(int fd, const char *bytes, size_t size)
{
    size_t hole = 0;
    for (size_t page = 0; page < size; page += FF_PAGE) {
        if (memcmp(bytes + page, zeros, FF_PAGE) == 0) {
            hole += FF_PAGE;
        }
        else if (hole != 0 && lseek(fd, (off_t)hole, SEEK_CUR) < 0) {
            stop("cannot write the snapshot: %s", strerror(errno));
        }
        else {
            hole = 0;
            write_all(fd, bytes + page, FF_PAGE);
        }
    }
}

static int create(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        stop("cannot write %s: %s", path, strerror(errno));
    }
    return fd;
}

static void close_written(int fd)
{
    if (close(fd) != 0) {
        stop("cannot write the snapshot: %s", strerror(errno));
    }
}

int ff_make_dump(int argc, char **argv, const char *request)
{
    if (argc != 1 || !ff_is_region_used()) {
        stop("there is no region");
    }
    read_request(request);
    unsetenv(FF_SNAPSHOT_VARIABLE);
    const char *output = value_of("output", NULL), *seed = value_of("seed", NULL);
    const char *survivors = value_of("record", NULL), *placement = value_of("placement", NULL);
    if ((output == NULL && survivors == NULL) || seed == NULL) {
        stop("the request is incomplete");
    }
    if ((survivors != NULL && ff_begin_record() < 0) || (placement != NULL && ff_read_placement(placement) < 0)) {
        stop("cannot read %s", survivors == NULL ? placement : survivors);
    }
    work.page = work.end = scratch(SCRATCH);
    ff_snapshot_header *header = (ff_snapshot_header *)work.page;
    work.end += sizeof(*header);
    const char *reason = ff_read_common(&header->common);
    if (reason != NULL) {
        stop("%s", reason);
    }
    header->path_offset = place();
    append(argv[0], strlen(argv[0]) + 1);

    ff_name_main_thread();
    ff_begin_objects();
    start_python(argv[0], seed);
    remember_process();
    PyObject *variables = environment(), *earlier = PyDict_Copy(variables);
    PyObject *names = PyDict_New(), *sys = PyImport_ImportModule("sys");
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    work.names = work.names_end = scratch(SCRATCH);
    import_modules();
    check_entry(names);
    check_left_out();
    append_variables(header);
    append_facts(header, argv);
    work.names = NULL;
    check_environment(earlier);
    Py_DECREF(variables);
    Py_DECREF(earlier);

    PyObject *ran = PyRun_String(LIST_FILES, Py_file_input, names, names);
    PyObject *list = ran == NULL ? NULL : PyObject_CallOneArg(PyDict_GetItemString(names, "list_files"), sys);
    PyObject *paths = list == NULL ? NULL : PyUnicode_EncodeFSDefault(list);
    if (paths == NULL) {
        stop_with_exception("cannot list the imported files");
    }
    append_files(header, PyBytes_AS_STRING(paths), (size_t)PyBytes_GET_SIZE(paths));
    Py_DECREF(paths);
    Py_DECREF(list);
    Py_DECREF(ran);
    Py_DECREF(names);
    Py_DECREF(sys);

    if (ff_prepare_renewal() < 0) {
        stop_with_exception("cannot prepare what is renewed at a start");
    }
    const char *script = value_of("locate", NULL);
    if (script != NULL) {
        locate_words(script);
    }
    if (ff_keep_streams() < 0) {
        stop("an import replaces sys.stdin, sys.stdout or sys.stderr");
    }
    PyGC_Collect();
    ff_find_finalizers();
    PyObject *gc = PyImport_ImportModule("gc");
    Py_XDECREF(gc == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL));
    Py_XDECREF(gc);
    if (PyErr_Occurred()) {
        stop_with_exception("cannot freeze the collector");
    }
    check_process();
    PyOS_BeforeFork(); /* whoever goes on calls PyOS_AfterFork_Child() */

    PyThreadState *thread = PyThreadState_Get();
    thread->native_thread_id = 0; /* PyOS_AfterFork_Child() writes it */
    /* What returned calls have left on the stack of frames points to the C stack (Python/pystate.c). */
    memset(thread->datastack_top, 0, (size_t)((char *)thread->datastack_limit - (char *)thread->datastack_top));
    ff_end_objects();
    if (survivors != NULL) {
        size_t size;
        const unsigned char *bytes = ff_record(&size);
        int fd = create(survivors);
        write_all(fd, bytes, size);
        close_written(fd);
        _exit(0);
    }
    ff_reset_counters();
    ff_save_process();
    ff_own_memory memory = ff_find_memory();
    memcpy(header->magic, FF_SNAPSHOT_MAGIC, sizeof(header->magic));
    header->data = (uint64_t)(uintptr_t)memory.data;
    header->data_size = (uint64_t)(memory.data_end - memory.data);
    header->region = (uint64_t)(uintptr_t)FF_REGION;
    header->region_size = (uint64_t)(ff_finish_region(&header->allocation_count) - FF_REGION);
    append_ranges(header);
    align();
    header->tls_offset = place();
    header->tls_size = memory.tls_size;
    append(memory.tls, memory.tls_size);
    char *page = work.page, *end = work.end;
    memset(&work, 0, sizeof(work)); /* of this process */
    header->header_size = FF_PAGE_END(end - page);
    header->data_offset = header->header_size;
    header->region_offset = header->data_offset + header->data_size;
    header->size = header->region_offset + header->region_size;
    int fd = create(output);
    write_all(fd, page, (size_t)(end - page));
    write_all(fd, zeros, header->header_size - (size_t)(end - page));
    write_all(fd, memory.data, header->data_size);
    write_used(fd, FF_REGION, header->region_size);
    if (ftruncate(fd, (off_t)header->size) != 0) {
        stop("cannot write the snapshot: %s", strerror(errno));
    }
    close_written(fd);
    _exit(0);
}
