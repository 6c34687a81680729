/* What a process is asked to do that makes a snapshot: a file whose lines have a name and a value. What goes wrong ends the process with
 * a sentence, which Flashfreeze shows. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *request; /* lines, each ended by a nul */

void ff_stop_dump(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    fflush(stderr);
    _exit(3);
}

void ff_stop_with_exception(const char *what)
{
    PyErr_Print();
    ff_stop_dump("%s", what);
}

char *ff_scratch(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        ff_stop_dump("no memory");
    }
    return p;
}

/* A whole file, ended by a nul. */
static char *read_text(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = ff_scratch(FF_SCRATCH);
    size_t size = 0;
    ssize_t done;
    while (fd >= 0 && size < FF_SCRATCH - 1 && (done = read(fd, text + size, FF_SCRATCH - 1 - size)) > 0) {
        size += (size_t)done;
    }
    if (fd < 0 || size == FF_SCRATCH - 1) {
        ff_stop_dump("cannot read %s", path);
    }
    close(fd);
    return text;
}

void ff_read_request(const char *path)
{
    request = read_text(path);
    for (char *p = request; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = '\0';
        }
    }
}

/* The next line with this name; NULL behind the last one. */
const char *ff_request_value(const char *name, const char *after)
{
    size_t length = strlen(name);
    const char *line = after == NULL ? request : after + strlen(after) + 1;
    for (; *line != '\0'; line += strlen(line) + 1) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            return line + length + 1;
        }
    }
    return NULL;
}

/* Its address is of this process. */
void ff_forget_request(void)
{
    request = NULL;
}

/* Runs a file of Flashfreeze's own. Its code names no path of this machine: functions of it may stay in the snapshot. */
int ff_run_script(const char *path, PyObject *names)
{
    char *text = read_text(path);
    PyObject *code = Py_CompileString(text, "<flashfreeze>", Py_file_input);
    munmap(text, FF_SCRATCH);
    if (code == NULL || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) < 0) {
        return -1;
    }
    PyObject *done = PyEval_EvalCode(code, names, names);
    Py_DECREF(code);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
