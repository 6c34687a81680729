/* sys.stdin, sys.stdout and sys.stderr of the new process. The objects stay: imports may have kept them. They are initialised
 * again as create_stdio() makes new ones (Python/pylifecycle.c, Modules/_io/_iomodule.c). */
#include FF_LAYOUT

#include "restore.h"

#include "internal/pycore_fileutils.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>
#include <unistd.h>

typedef struct {
    const char *name, *dunder, *title;
    PyObject *text, *buffer, *raw; /* as they were when the snapshot was made */
} stream;

static stream streams[3] = {{"stdin", "__stdin__", "<stdin>", NULL, NULL, NULL},
                            {"stdout", "__stdout__", "<stdout>", NULL, NULL, NULL},
                            {"stderr", "__stderr__", "<stderr>", NULL, NULL, NULL}};

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

/* Whether an object is a text layer over the bytes of one of the three, as programs make one for another encoding or buffering: all that its end
 * does is to write what it holds. */
int ff_is_over_stream(PyObject *object)
{
    if (streams[0].text == NULL || Py_TYPE(object) != Py_TYPE(streams[0].text)) {
        return 0;
    }
    PyObject *buffer = PyObject_GetAttrString(object, "buffer");
    int is_over = 0;
    for (int fd = 0; fd < 3 && buffer != NULL; fd++) {
        is_over |= buffer == streams[fd].buffer && ff_is_stream(buffer);
    }
    Py_XDECREF(buffer);
    PyErr_Clear();
    return is_over;
}

/* 0 when it could not be. */
int ff_flush_stream(PyObject *stream)
{
    PyObject *done = PyObject_CallMethod(stream, "flush", NULL);
    Py_XDECREF(done);
    PyErr_Clear();
    return done != NULL;
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

static int initialise_text(const stream *own, int fd, int by_line, const PyConfig *config)
{
    PyObject *encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
    PyObject *errors = fd == 2 ? PyUnicode_FromString("backslashreplace") : PyUnicode_FromWideChar(config->stdio_errors, -1);
    int status = encoding == NULL || errors == NULL
                     ? -1
                     : initialise(own->text, Py_BuildValue("(OOOsOO)", own->buffer, encoding, errors, "\n",
                                                           by_line ? Py_True : Py_False, Py_False));
    Py_XDECREF(encoding);
    Py_XDECREF(errors);
    return status;
}

/* ---- Fields that no function sets again. Members of the types tell where the structs have them. ---- */

/* Modules/_io/fileio.c, fileio: int fd; bits, among them whether the file can be sought, -1 for unknown; char finalizing */
#define RAW_STATE sizeof(PyObject)
#define RAW_STATE_SIZE (sizeof(int) + 1)
/* Modules/_io/textio.c, textio: char line_buffering, write_through, readuniversal, readtranslate, writetranslate, seekable, has_read1,
 * telling, finalizing */
enum { TEXT_SEEKABLE = 5, TEXT_TELLING = 7, TEXT_FINALIZING = 8 };
static Py_ssize_t text_state;         /* where they begin */
static char new_raw[RAW_STATE_SIZE];  /* of a FileIO that is not initialised */
static int is_text_ready;             /* the text layers have been initialised before the dump */

static Py_ssize_t offset_of(const PyTypeObject *type, const char *name)
{
    for (const PyMemberDef *each = type->tp_members; each != NULL && each->name != NULL; each++) {
        if (strcmp(each->name, name) == 0) {
            return each->offset;
        }
    }
    return -1;
}

static int learn_fields(void)
{
    PyTypeObject *raw = Py_TYPE(streams[0].raw), *text = Py_TYPE(streams[0].text);
    text_state = offset_of(text, "line_buffering");
    if (text_state < 0 || offset_of(text, "_finalizing") != text_state + TEXT_FINALIZING ||
        offset_of(raw, "_finalizing") != RAW_STATE + RAW_STATE_SIZE) {
        return -1;
    }
    PyObject *none = PyTuple_New(0), *new = none == NULL ? NULL : raw->tp_new(raw, none, NULL);
    if (new != NULL) {
        memcpy(new_raw, (char *)new + RAW_STATE, RAW_STATE_SIZE);
    }
    Py_XDECREF(none);
    Py_XDECREF(new);
    return new == NULL ? -1 : 0;
}

/* A text layer that has been initialised for another file of the same encoding, UTF-8, whose encoder has no state. */
static int adapt_text(const stream *own, int by_line)
{
    PyObject *answer = PyObject_CallMethod(own->buffer, "seekable", NULL);
    int is_seekable = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    if (is_seekable < 0) {
        return -1;
    }
    char *text = (char *)own->text;
    text[text_state] = (char)by_line;
    text[text_state + TEXT_SEEKABLE] = text[text_state + TEXT_TELLING] = (char)is_seekable;
    return 0;
}

static int renew_stream(const stream *own, int fd, const PyConfig *config)
{
    PyObject *size = NULL, *title = NULL;
    memcpy((char *)own->raw + RAW_STATE, new_raw, RAW_STATE_SIZE);
    int status = initialise(own->raw, Py_BuildValue("(isO)", fd, fd == 0 ? "r" : "w", Py_False));
    if (status == 0) {
        size = PyObject_GetAttrString(own->raw, "_blksize");
        title = PyUnicode_FromString(own->title);
        status = size == NULL || title == NULL ? -1 : PyObject_SetAttrString(own->raw, "name", title);
    }
    if (status == 0) {
        status = initialise(own->buffer, PyTuple_Pack(2, own->raw, size));
    }
    Py_XDECREF(size);
    Py_XDECREF(title);
    int by_line = fd == 2 || isatty(fd);
    return status < 0 ? -1 : is_text_ready ? adapt_text(own, by_line) : initialise_text(own, fd, by_line, config);
}

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

/* Before a dump, when they are kept: 0 if a restored process can renew them. */
int ff_prepare_streams(const PyConfig *config)
{
    if (wcscmp(config->stdio_encoding, L"utf-8") != 0 || learn_fields() < 0) {
        return -1;
    }
    for (int fd = 0; fd < 3; fd++) {
        if (renew_stream(&streams[fd], fd, config) < 0) {
            return -1;
        }
    }
    is_text_ready = 1;
    return 0;
}

/* None of them is closed (restore.c). */
int ff_renew_streams(const PyConfig *config)
{
    for (int fd = 0; fd < 3; fd++) {
        stream *own = &streams[fd];
        if (renew_stream(own, fd, config) < 0) {
            return -1;
        }
        /* From here on they are sys's own: what they hold is written when they go. */
        Py_DECREF(own->raw);
        Py_DECREF(own->buffer);
        Py_DECREF(own->text);
    }
    return 0;
}
