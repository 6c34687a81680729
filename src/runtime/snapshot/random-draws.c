/* The random numbers that the system gives while imports run: a generator whose state is made of one was not seeded by its program, so each start seeds it
 * anew (renewal.c). Generators that a program has seeded keep their state. A variable of a held library that is exactly what the system gave, such as the key of
 * a generator that has made no number yet (mimalloc), gets other numbers at each start. */
#include FF_LAYOUT

#include "restore.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DRAWS 4096

typedef struct {
    uint32_t size;
    unsigned char bytes[FF_SEED_OF_RANDOM];
} draw;
static draw *draws; /* of this process only */
static atomic_int draw_count;

/* Before the imports. */
void ff_watch_draws(void)
{
    draws = (draw *)ff_scratch(DRAWS * sizeof(*draws));
}

/* Whether the bytes as a number have fewer digits than most others: what imports make of it would take another number of allocations in each process, by which
 * dumps are compared (uuid.UUID.__str__()). Or whether they are a random UUID as they are (RFC 4122), so that nobody could tell which of the two a text is made of. */
int ff_is_odd_draw(const unsigned char *bytes, ssize_t size)
{
    if (draws == NULL || size < FF_LEAST_DRAW || size > FF_SEED_OF_RANDOM) {
        return 0;
    }
    return bytes[0] < 16 || bytes[size - 1] < 16 || (size == 16 && bytes[6] >> 4 == 4 && bytes[8] >> 6 == 2);
}

void ff_note_draw(const void *bytes, ssize_t size)
{
    int number = draws == NULL || size <= 0 || size > FF_SEED_OF_RANDOM ? DRAWS : atomic_fetch_add(&draw_count, 1);
    if (number < DRAWS) {
        draws[number].size = (uint32_t)size;
        memcpy(draws[number].bytes, bytes, (size_t)size);
    }
}

/* NULL behind the last one. */
const unsigned char *ff_get_draw(int number, size_t *size)
{
    if (draws == NULL || number >= (draw_count < DRAWS ? draw_count : DRAWS)) {
        return NULL;
    }
    *size = draws[number].size;
    return draws[number].bytes;
}

/* After the imports: a list of bytes. */
PyObject *ff_list_draws(void)
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
    return list;
}

/* ---- Variables of held libraries ---- */

extern ssize_t __real_getrandom(void *, size_t, unsigned int);

#define LEAST 16 /* bytes: no number that is there by chance */
#define MOST 64
#define PLACES 64
static struct {
    char *start;
    uint32_t size;
    int number; /* of the draw */
} places[PLACES];
static int place_count;

static void find_in_variables(const ff_library *library, int number)
{
    const draw *wanted = &draws[number];
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) == 0) {
            continue;
        }
        char *each = ff_library_address(library, part->p_vaddr), *end = each + part->p_memsz;
        while (place_count < PLACES && (each = memmem(each, (size_t)(end - each), wanted->bytes, wanted->size)) != NULL) {
            places[place_count].start = each;
            places[place_count].size = wanted->size;
            places[place_count++].number = number;
            each += wanted->size;
        }
    }
}

/* Before a dump. What they have is of this process. */
void ff_find_drawn(void)
{
    place_count = 0;
    int count = draw_count < DRAWS ? draw_count : DRAWS;
    for (int i = 0; draws != NULL && i < count; i++) {
        for (const ff_library *each = NULL; draws[i].size >= LEAST && draws[i].size <= MOST && (each = ff_next_held(each)) != NULL;) {
            find_in_variables(each, i);
        }
    }
    for (int i = 0; i < place_count; i++) {
        memset(places[i].start, 0, places[i].size);
    }
    draws = NULL;
    draw_count = 0;
}

/* In a restored process, before anything of the libraries runs: copies of one draw are copies of another one. */
void ff_renew_drawn(void)
{
    char bytes[MOST];
    for (int i = 0; i < place_count; i++) {
        int is_copy = i > 0 && places[i].number == places[i - 1].number;
        if (!is_copy && __real_getrandom(bytes, places[i].size, GRND_NONBLOCK) != (ssize_t)places[i].size) {
            abort();
        }
        memcpy(places[i].start, bytes, places[i].size);
    }
}
