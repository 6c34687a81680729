/* Destructors of objects in held libraries. They are tried when a snapshot is made: of those that give back memory and do nothing else, nobody sees whether they
 * run. A library such as libtorch takes as long for them as for a start. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGEST 256 /* bytes of an object that are compared, and of each block that it points to */
#define WORDS (LARGEST / sizeof(uint64_t))
#define PARTS (1 + WORDS)
#define NO_CHANGES 0
typedef uint64_t part_words[WORDS];

/* Copies what a part of an object's memory was: the object itself, or a block that one of its words points to. 0, or -1 where that is not known. */
typedef int read_earlier(const part_words *parts, size_t part, void *to, const void *start, size_t size);

static int read_saved(const part_words *Py_UNUSED(parts), size_t Py_UNUSED(part), void *to, const void *start, size_t size)
{
    return ff_read_saved(to, start, size);
}

static int read_part(const part_words *parts, size_t part, void *to, const void *Py_UNUSED(start), size_t size)
{
    memcpy(to, parts[part], size);
    return 0;
}

/* A sum of the words that an object and the blocks that it pointed to have now, of those that differ from what they were. 0, or -1 where that is not known. */
static int find_changes(const ff_destructor *end, read_earlier *read, const part_words *parts, uint64_t *changes)
{
    part_words object = {0};
    ff_sums sums = FF_NO_SUMS;
    int are_any = 0;
    if (read(parts, 0, object, end->argument, end->watched) < 0) {
        return -1;
    }
    for (size_t part = 0; part < PARTS; part++) {
        const void *start = part == 0 ? end->argument : (const void *)(uintptr_t)object[part - 1];
        size_t size = part == 0 ? end->watched : ff_lasting_size(start, LARGEST);
        part_words now = {0}, earlier;
        if (size == 0) {
            continue;
        }
        if (read(parts, part, earlier, start, size) < 0) {
            return -1;
        }
        if (memcmp(start, earlier, size) == 0) {
            continue;
        }
        memcpy(now, start, size);
        memset((char *)earlier + size, 0, sizeof(earlier) - size);
        for (size_t i = 0; i < WORDS; i++) {
            uint64_t change[] = {part * WORDS + i, now[i]};
            if (now[i] != earlier[i]) {
                ff_add_words(&sums, change, 2);
                are_any = 1;
            }
        }
    }
    *changes = are_any ? ff_whole_sum(&sums) : NO_CHANGES;
    return 0;
}

/* A destructor that gave back memory only, when it was tried, does the same again if its object is as it was then, and nobody sees it. */
static int is_unseen(const ff_destructor *end)
{
    uint64_t changes;
    return ff_is_end_unseen() && find_changes(end, read_saved, NULL, &changes) == 0 && (changes == NO_CHANGES || changes == end->changes);
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
static uint64_t *changes;      /* of their objects; a copy of the process writes here */
static part_words (*parts)[PARTS]; /* in that copy: what they were */

static void keep_parts(void)
{
    void *memory = mmap(NULL, tried_count * sizeof(*parts), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    parts = memory == MAP_FAILED ? NULL : memory;
    for (size_t i = 0; parts != NULL && i < tried_count; i++) {
        memcpy(parts[i][0], tried[i]->argument, tried[i]->watched);
        for (size_t part = 1; part < PARTS; part++) {
            const void *start = (const void *)(uintptr_t)parts[i][0][part - 1];
            memcpy(parts[i][part], start, ff_lasting_size(start, LARGEST));
        }
    }
}

static void call_tried(size_t i)
{
    if (i == FF_FIRST_CALL) {
        keep_parts();
        return;
    }
    for (size_t each = 0; parts != NULL && i == 0 && each < tried_count; each++) {
        (void)find_changes(tried[each], read_part, parts[each], &changes[each]);
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

/* How much of an object can be read: what lies behind it may not be there. */
static uint32_t readable_size(const ff_destructor *end, const int pipe[2])
{
    char bytes[LARGEST];
    ssize_t size = write(pipe[1], end->argument, end->watched);
    return size > 0 && read(pipe[0], bytes, (size_t)size) == size ? (uint32_t)size : 0;
}

/* Before a dump, when libraries have no threads. */
void ff_try_destructors(void)
{
    tried_count = 0;
    for (const ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried_count++;
    }
    size_t size = tried_count * (sizeof(*tried) + sizeof(*changes)), i = 0;
    void *memory = tried_count == 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int pipe[2];
    if (memory == MAP_FAILED || pipe2(pipe, O_CLOEXEC) < 0) {
        return; /* they run in any case */
    }
    changes = memory;
    tried = (ff_destructor **)(changes + tried_count);
    for (ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried[i++] = each;
    }
    watch_objects(tried, tried_count);
    for (ff_destructor *each = NULL; (each = ff_next_destructor(each)) != NULL;) {
        tried[--i] = each;
        each->watched = readable_size(each, pipe);
    }
    (void)close(pipe[0]);
    (void)close(pipe[1]);
    int is_tried = try_all(), is_ended = is_tried && ff_try_calls(1, call_tried, tried_count) == tried_count;
    for (i = 0; i < tried_count; i++) {
        tried[i]->watched = is_tried ? tried[i]->watched : 0;
        tried[i]->changes = is_ended ? changes[i] : NO_CHANGES;
    }
    (void)munmap(memory, size);
    tried = NULL;
    changes = NULL;
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
