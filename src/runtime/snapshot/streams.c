/* sys.stdin, sys.stdout and sys.stderr of the new process. The objects stay: imports may have kept them. They are initialised
 * again as create_stdio() makes new ones (Python/pylifecycle.c, Modules/_io/_iomodule.c). */
#include FF_LAYOUT

#include "restore.h"

#include "internal/pycore_fileutils.h"

#include <fcntl.h>

typedef struct {
    const char *name, *dunder, *title;
    PyObject *text, *buffer, *raw; /* as they were when the snapshot was made */
} stream;

static stream streams[3] = {{"stdin", "__stdin__", "<stdin>", NULL, NULL, NULL},
                            {"stdout", "__stdout__", "<stdout>", NULL, NULL, NULL},
                            {"stderr", "__stderr__", "<stderr>", NULL, NULL, NULL}};

/* Before a dump. Fails, without an exception, when an import has replaced a stream by something else. */
int ff_keep_streams(void)
{
    for (int fd = 0; fd < 3; fd++) {
        stream *each = &streams[fd];
        each->text = PySys_GetObject(each->dunder);
        if (each->text == NULL || each->text == Py_None || PySys_GetObject(each->name) != each->text) {
            return -1;
        }
        Py_INCREF(each->text);
        each->buffer = PyObject_GetAttrString(each->text, "buffer");
        each->raw = each->buffer == NULL ? NULL : PyObject_GetAttrString(each->buffer, "raw");
        if (each->raw == NULL) {
            PyErr_Clear();
            return -1;
        }
        if (fd > 0) {
            Py_XDECREF(PyObject_CallMethod(each->text, "flush", NULL));
        }
    }
    return 0;
}

/* Whether an object is a part of one of the three, as long as sys has that. */
int ff_is_stream(PyObject *object)
{
    for (int fd = 0; fd < 3; fd++) {
        if (object == streams[fd].text || object == streams[fd].buffer || object == streams[fd].raw) {
            return PySys_GetObject(streams[fd].dunder) == streams[fd].text;
        }
    }
    return 0;
}

/* Calls object.__init__(*arguments); takes the arguments. */
static int initialise(PyObject *object, PyObject *arguments)
{
    if (arguments == NULL) {
        return -1;
    }
    int status = Py_TYPE(object)->tp_init(object, arguments, NULL);
    Py_DECREF(arguments);
    return status;
}

static int renew_stream(const stream *own, int fd, const PyConfig *config)
{
    PyObject *size = NULL, *title = NULL, *is_terminal = NULL, *encoding = NULL, *errors = NULL;
    int status = initialise(own->raw, Py_BuildValue("(isO)", fd, fd == 0 ? "r" : "w", Py_False));
    if (status == 0) {
        size = PyObject_GetAttrString(own->raw, "_blksize");
        title = PyUnicode_FromString(own->title);
        is_terminal = PyObject_CallMethod(own->raw, "isatty", NULL);
        encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
        errors = fd == 2 ? PyUnicode_FromString("backslashreplace") : PyUnicode_FromWideChar(config->stdio_errors, -1);
        status = size == NULL || title == NULL || is_terminal == NULL || encoding == NULL || errors == NULL ? -1 : 0;
    }
    if (status == 0) {
        status = PyObject_SetAttrString(own->raw, "name", title);
    }
    if (status == 0) {
        status = initialise(own->buffer, PyTuple_Pack(2, own->raw, size));
    }
    if (status == 0) {
        PyObject *by_line = is_terminal == Py_True || fd == 2 ? Py_True : Py_False;
        status = initialise(own->text, Py_BuildValue("(OOOsOO)", own->buffer, encoding, errors, "\n", by_line, Py_False));
    }
    Py_XDECREF(size);
    Py_XDECREF(title);
    Py_XDECREF(is_terminal);
    Py_XDECREF(encoding);
    Py_XDECREF(errors);
    return status;
}

int ff_renew_streams(const PyConfig *config)
{
    for (int fd = 0; fd < 3; fd++) {
        stream *own = &streams[fd];
        if (fcntl(fd, F_GETFD) >= 0) {
            if (renew_stream(own, fd, config) < 0) {
                return -1;
            }
        }
        else if (PySys_SetObject(own->name, Py_None) < 0 || PySys_SetObject(own->dunder, Py_None) < 0) {
            return -1;
        }
        /* From here on they are sys's own: what they hold is written when they go. */
        Py_DECREF(own->raw);
        Py_DECREF(own->buffer);
        Py_DECREF(own->text);
    }
    return 0;
}
