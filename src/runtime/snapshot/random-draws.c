/* The random numbers that the system gives while imports run: a generator whose state is made of one was not seeded by its program, so each start seeds it
 * anew (renewal.c). Generators that a program has seeded keep their state. */
#include FF_LAYOUT

#include "restore.h"

#include <stdatomic.h>
#include <string.h>

#define DRAWS 256
#define LARGEST 2496 /* the state of the Mersenne twister */

typedef struct {
    uint32_t size;
    unsigned char bytes[LARGEST];
} draw;
static draw *draws; /* of this process only */
static atomic_int draw_count;

/* Before the imports. */
void ff_watch_draws(void)
{
    draws = (draw *)ff_scratch(DRAWS * sizeof(*draws));
}

void ff_note_draw(const void *bytes, ssize_t size)
{
    int number = draws == NULL || size <= 0 || size > LARGEST ? DRAWS : atomic_fetch_add(&draw_count, 1);
    if (number < DRAWS) {
        draws[number].size = (uint32_t)size;
        memcpy(draws[number].bytes, bytes, (size_t)size);
    }
}

/* After them, once: a list of bytes. */
PyObject *ff_take_draws(void)
{
    int count = draw_count < DRAWS ? draw_count : DRAWS;
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *bytes = PyBytes_FromStringAndSize((const char *)draws[i].bytes, draws[i].size);
        if (bytes == NULL || PyList_Append(list, bytes) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(bytes);
    }
    draws = NULL;
    draw_count = 0;
    return list;
}
