/* Texts, bytes and numbers that imports have made of random bytes of the system, or that are the number of the process, and that they keep (kept_tokens.py). A dump has what is made of bytes that are the same in
 * each process. Each start makes them of others, in place: whoever refers to such a value has the new one. Nothing is allocated while they are looked for,
 * but what is allocated in each process, because dumps compare blocks by their numbers. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LEAST 8 /* characters, or bytes of a draw: fewer may be equal by chance */
#define MOST 64
#define LONGEST 4096 /* of a text that is looked at */
#define UUID_SIZE 16
#define PID_OF_DUMP 1000

/* How bytes are written: as they are, or bytes.hex(); as the digits of a number. Or that of the process, which is no draw. Base64 has two alphabets, and most short
 * texts could be of both. */
typedef enum { RAW, HEX, UPPER_HEX, FORMS, NUMBER = FORMS, PROCESS } token_form;

typedef struct token {
    struct token *next;
    PyObject *value;
    int draw, size, is_uuid;
    int number; /* of the draw among those of tokens: how often others draw may be chance */
    token_form form;
    int length; /* how many characters of it are there */
    uint16_t places[2 * MOST];
} token;
static token *tokens;

/* As uuid.uuid4() changes them (RFC 4122). */
static void make_uuid(unsigned char *bytes)
{
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
}

/* Returns how many characters that are. */
static int write_form(token_form form, const unsigned char *bytes, int size, char *text)
{
    const char *digits = form == HEX ? "0123456789abcdef" : "0123456789ABCDEF";
    if (form == RAW) {
        memcpy(text, bytes, (size_t)size);
        return size;
    }
    for (int i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * size;
}

/* The content of a text or of bytes; NULL where it may not be written to: somebody else may have the object for its content. */
static char *content_of(PyObject *value, Py_ssize_t *size)
{
    if (PyUnicode_CheckExact(value) && PyUnicode_IS_COMPACT_ASCII(value) && !PyUnicode_CHECK_INTERNED(value)) {
        *size = PyUnicode_GET_LENGTH(value);
        return (char *)PyUnicode_1BYTE_DATA(value);
    }
    if (PyBytes_CheckExact(value)) {
        *size = PyBytes_GET_SIZE(value);
        return PyBytes_AS_STRING(value);
    }
    return NULL;
}

/* Where a text has the most of the beginning of another one. Hyphens between digits are none of it. */
static int find_form(const char *text, int length, const char *wanted, int size, int skips, uint16_t *places)
{
    int most = LEAST - 1;
    for (int start = 0; start < length; start++) {
        uint16_t found[2 * MOST];
        int count = 0;
        for (int i = start; i < length && count < size; i++) {
            if (text[i] == wanted[count]) {
                found[count++] = (uint16_t)i;
            }
            else if (!skips || count == 0 || text[i] != '-') {
                break;
            }
        }
        if (count > most) {
            most = count;
            memcpy(places, found, (size_t)count * sizeof(*places));
        }
    }
    return most < LEAST ? 0 : most;
}

static int is_number(PyObject *value, const unsigned char *bytes, size_t size)
{
    PyObject *number = _PyLong_FromByteArray(bytes, size, 0, 0);
    int is_same = number != NULL && bytes[0] != 0 && PyObject_RichCompareBool(value, number, Py_EQ) == 1;
    Py_XDECREF(number);
    return is_same;
}

static token find_token(PyObject *value, int draw, const unsigned char *drawn, size_t size)
{
    token best = {.value = value, .draw = draw, .size = (int)size};
    Py_ssize_t length;
    const char *content = content_of(value, &length);
    for (int is_uuid = 0; is_uuid < (size == UUID_SIZE ? 2 : 1); is_uuid++) {
        unsigned char bytes[MOST];
        memcpy(bytes, drawn, size);
        if (is_uuid) {
            make_uuid(bytes);
        }
        if (PyLong_CheckExact(value) && is_number(value, bytes, size)) {
            best.form = NUMBER;
            best.length = 1;
            best.is_uuid = is_uuid;
        }
        for (token_form form = RAW; content != NULL && length >= LEAST && length <= LONGEST && form < FORMS; form++) {
            char wanted[2 * MOST];
            uint16_t places[2 * MOST] = {0};
            int count = write_form(form, bytes, (int)size, wanted);
            int found = find_form(content, (int)length, wanted, count, form != RAW, places);
            if (found == best.length && form == UPPER_HEX) {
                best.length = 0; /* it has no letters, which say what it is */
            }
            else if (found > best.length) {
                best.form = form;
                best.length = found;
                best.is_uuid = is_uuid;
                memcpy(best.places, places, sizeof(places));
            }
        }
    }
    return best;
}

static int is_process(PyObject *value)
{
    return PyLong_CheckExact(value) && FF_DIGIT_COUNT(value) == 1 && FF_DIGITS(value)[0] == (digit)getpid();
}

static int number_of(int draw)
{
    int next = 0;
    for (const token *each = tokens; each != NULL; each = each->next) {
        if (each->draw == draw) {
            return each->number;
        }
        next = each->number < next ? next : each->number + 1;
    }
    return next;
}

static int add(token found)
{
    ff_synchronize_numbers(); /* it was compared with what may be more draws or fewer */
    token *kept = PyMem_Malloc(sizeof(*kept));
    if (kept == NULL) {
        return -1;
    }
    found.number = found.form == PROCESS ? -1 : number_of(found.draw);
    found.next = tokens;
    *kept = found;
    tokens = kept;
    Py_INCREF(found.value);
    return 0;
}

/* keep(value): whether it is made of draws, or the number of the process, and so is made anew. */
static PyObject *keep(PyObject *Py_UNUSED(self), PyObject *value)
{
    int status = 0, is_known = !ff_is_in_region(value);
    for (const token *each = tokens; each != NULL; each = each->next) {
        is_known |= each->value == value;
    }
    if (!is_known && is_process(value)) {
        status = add((token){.value = value, .form = PROCESS, .draw = -1});
        is_known = 1;
    }
    const unsigned char *drawn;
    size_t size;
    for (int i = 0; !is_known && status == 0 && (drawn = ff_get_draw(i, &size)) != NULL; i++) {
        if (size >= LEAST && size <= MOST) {
            token found = find_token(value, i, drawn, size);
            status = found.length > 0 ? add(found) : 0;
        }
    }
    return status < 0 ? PyErr_NoMemory() : PyBool_FromLong(tokens != NULL);
}

static int write_number(PyObject *value, const unsigned char *bytes, int size)
{
    PyObject *number = _PyLong_FromByteArray(bytes, (size_t)size, 0, 0);
    if (number == NULL) {
        return -1;
    }
    memcpy(FF_DIGITS(value), FF_DIGITS(number), (size_t)FF_DIGIT_COUNT(value) * sizeof(digit));
    Py_DECREF(number);
    return 0;
}

static void forget_hash(PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        ((PyASCIIObject *)value)->hash = -1;
        return;
    }
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    ((PyBytesObject *)value)->ob_shash = -1;
    _Py_COMP_DIAG_POP
}

static int write_token(const token *own, const unsigned char *drawn)
{
    unsigned char bytes[MOST];
    memcpy(bytes, drawn, (size_t)own->size);
    if (own->is_uuid) {
        make_uuid(bytes);
    }
    if (own->form == NUMBER) {
        return write_number(own->value, bytes, own->size);
    }
    char text[2 * MOST];
    (void)write_form(own->form, bytes, own->size, text);
    Py_ssize_t size;
    char *content = content_of(own->value, &size);
    for (int i = 0; content != NULL && i < own->length; i++) {
        content[own->places[i]] = text[i];
    }
    forget_hash(own->value);
    return content == NULL ? -1 : 0;
}

extern ssize_t __real_getrandom(void *, size_t, unsigned int);

static int draw_bytes(const token *own, int is_random, unsigned char *bytes)
{
    memset(bytes, 1 + own->number % UCHAR_MAX, (size_t)own->size);
    do { /* a number needs as many digits */
        if (is_random && __real_getrandom(bytes, (size_t)own->size, 0) != own->size) {
            return -1;
        }
    } while (bytes[0] == 0);
    return 0;
}

static int is_first_of_draw(const token *own)
{
    const token *each = tokens;
    while (each->number != own->number) {
        each = each->next;
    }
    return each == own;
}

/* write(is_random): what is made of one draw stays made of one. */
static PyObject *write_all(PyObject *Py_UNUSED(self), PyObject *is_random)
{
    int status = 0;
    for (const token *first = tokens; first != NULL && status == 0; first = first->next) {
        unsigned char bytes[MOST];
        if (first->form == PROCESS) {
            FF_DIGITS(first->value)[0] = (digit)getpid();
        }
        else if (is_first_of_draw(first)) {
            status = draw_bytes(first, is_random == Py_True, bytes);
            for (const token *each = first; each != NULL && status == 0; each = each->next) {
                status = each->number == first->number ? write_token(each, bytes) : 0;
            }
        }
    }
    if (status < 0) {
        PyErr_SetString(PyExc_OSError, "a random value cannot be made anew");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Before a dump, when nobody asks any more whether the process is still the same one, or what it has drawn. */
void ff_forget_process_numbers(void)
{
    for (token *each = tokens; each != NULL; each = each->next) {
        each->draw = 0;
        if (each->form == PROCESS) {
            FF_DIGITS(each->value)[0] = PID_OF_DUMP;
        }
    }
}

int ff_new_token_functions(PyObject **keep_function, PyObject **write_function)
{
    static PyMethodDef methods[] = {{"keep", keep, METH_O, NULL}, {"write", write_all, METH_O, NULL}};
    *keep_function = PyCFunction_New(&methods[0], NULL);
    *write_function = PyCFunction_New(&methods[1], NULL);
    return *keep_function == NULL || *write_function == NULL ? -1 : 0;
}
