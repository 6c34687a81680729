/* Destructors of objects in held libraries. They are tried when a snapshot is made: of those that give back memory and do nothing else, nobody sees whether they
 * run. A library such as libtorch takes as long for them as for a start. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGEST 256 /* bytes of an object that are compared */
#define NO_CHANGES 0
typedef uint64_t object_words[LARGEST / sizeof(uint64_t)];

/* A sum of the words that an object has now, of those that differ from what they were. */
static uint64_t changes_of(const ff_destructor *end, const object_words earlier)
{
    object_words words = {0};
    memcpy(words, end->argument, end->watched);
    ff_sums sums = FF_NO_SUMS;
    int are_any = 0;
    for (size_t i = 0; i < LARGEST / sizeof(uint64_t); i++) {
        uint64_t change[] = {i, words[i]};
        if (words[i] != earlier[i]) {
            ff_add_words(&sums, change, 2);
            are_any = 1;
        }
    }
    return are_any ? ff_whole_sum(&sums) : NO_CHANGES;
}

/* A destructor that gave back memory only, when it was tried, does the same again if its object is as it was then, and nobody sees it. */
static int is_unseen(const ff_destructor *end)
{
    object_words earlier = {0};
    if (!ff_is_end_unseen() || ff_read_saved(earlier, end->argument, end->watched) < 0) {
        return 0;
    }
    uint64_t changes = changes_of(end, earlier);
    return changes == NO_CHANGES || changes == end->changes;
}

static void destruct_watched(void *watched)
{
    const ff_destructor *end = watched;
    if (!is_unseen(end)) {
        end->function(end->argument);
    }
}

/* ---- When a snapshot is made ---- */

#define ATTEMPTS 32
static ff_destructor **tried; /* the first that is called comes first */
static size_t tried_count;
static struct tried_object {
    object_words earlier;
    uint64_t changes;
} *objects; /* theirs; a copy of the process writes here */

static void call_tried(size_t i)
{
    for (size_t each = 0; i == 0 && each < tried_count; each++) {
        objects[each].changes = changes_of(tried[each], objects[each].earlier);
    }
    if (tried[i]->watched > 0) {
        tried[i]->function(tried[i]->argument);
    }
}

/* One that does anything but to give back memory is left out, and the others are tried again. Whether that came to an end. */
static int try_all(void)
{
    size_t loud = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        loud = ff_try_calls(0, call_tried, tried_count);
        if (loud >= tried_count) {
            break;
        }
        tried[loud]->watched = 0;
    }
    return loud == tried_count;
}

static int by_object(const void *a, const void *b)
{
    const ff_destructor *one = *(ff_destructor *const *)a, *other = *(ff_destructor *const *)b;
    return one->argument < other->argument ? -1 : one->argument > other->argument;
}

/* An object ends where the next one begins, at the latest. */
static void watch_objects(ff_destructor **ends, size_t count)
{
    qsort(ends, count, sizeof(*ends), by_object);
    for (size_t i = 0; i < count; i++) {
        size_t next = i + 1;
        while (next < count && ends[next]->argument == ends[i]->argument) {
            next++;
        }
        uintptr_t room = next < count ? (uintptr_t)ends[next]->argument - (uintptr_t)ends[i]->argument : LARGEST;
        ends[i]->watched = (uint32_t)(room < LARGEST ? room : LARGEST);
    }
}

/* Copies an object as far as it can be read. The size of that: what lies behind it may not be there. */
static uint32_t copy_object(const ff_destructor *end, void *to, const int pipe[2])
{
    ssize_t size = write(pipe[1], end->argument, end->watched);
    return size > 0 && read(pipe[0], to, (size_t)size) == size ? (uint32_t)size : 0;
}

/* Before a dump, when libraries have no threads. */
void ff_try_destructors(void)
{
    tried_count = 0;
    for (const ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried_count++;
    }
    size_t size = tried_count * (sizeof(*tried) + sizeof(*objects)), i = 0;
    void *memory = tried_count == 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int pipe[2];
    if (memory == MAP_FAILED || pipe2(pipe, O_CLOEXEC) < 0) {
        return; /* they run in any case */
    }
    objects = memory;
    tried = (ff_destructor **)(objects + tried_count);
    for (ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried[i++] = each;
    }
    watch_objects(tried, tried_count);
    for (ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried[--i] = each;
        each->watched = copy_object(each, objects[i].earlier, pipe);
    }
    (void)close(pipe[0]);
    (void)close(pipe[1]);
    int is_tried = try_all(), is_ended = is_tried && ff_try_calls(1, call_tried, tried_count) == tried_count;
    for (i = 0; i < tried_count; i++) {
        tried[i]->watched = is_tried ? tried[i]->watched : 0;
        tried[i]->changes = is_ended ? objects[i].changes : NO_CHANGES;
    }
    (void)munmap(memory, size);
    tried = NULL;
    objects = NULL;
    tried_count = 0;
}

/* ---- In a restored process ---- */

/* What libraries have left is left anew. */
void ff_begin_destructors(void)
{
    ff_repeat_ends(destruct_watched);
    const ff_destructor *each = ff_next_destructor(NULL);
    while (each != NULL && each->watched == 0) {
        each = ff_next_destructor(each);
    }
    if (each != NULL) {
        ff_note_open_files();
    }
}
