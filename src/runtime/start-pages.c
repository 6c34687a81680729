/* Pages that every start writes: data of the interpreter, and its first arena. They are asked for at once, before the interpreter begins, as
 * populate.c does it for images. A start reads most of the data first, and a page that was read costs the most when it is written
 * (docs/performance.md). */
#define _GNU_SOURCE /* dl_iterate_phdr() */
#include FF_LAYOUT

#include "flashfreeze.h"

/* ---- data ---- */

#ifdef FF_POSITION_INDEPENDENT
#include <link.h>

/* Asks for the segment that holds the interpreter, behind what the dynamic linker protects again. Where addresses are not fixed, the
 * dynamic linker has written it already. */
static int populate_segment(struct dl_phdr_info *object, size_t size, void *ignored)
{
    (void)size;
    (void)ignored;
    uintptr_t runtime = (uintptr_t)&_PyRuntime, start = 0, end = 0, protected_end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && runtime - part->p_vaddr < part->p_filesz) {
            start = part->p_vaddr;
            end = start + part->p_filesz;
        }
        else if (part->p_type == PT_GNU_RELRO) {
            protected_end = part->p_vaddr + part->p_memsz;
        }
    }
    if (object->dlpi_addr == 0 && end != 0) {
        start = protected_end > start && protected_end < end ? protected_end : start;
        ff_populate((void *)start, end - start);
    }
    return 1; /* the executable is the first of all */
}

static void populate_data(void)
{
    (void)dl_iterate_phdr(populate_segment, NULL);
}
#elif FF_HAS_DEEP_FROZEN
/* Four fifths of the data are code objects that nobody uses: images take their place. */
static void populate_data(void)
{
}
#else
extern char data_start[] __attribute__((weak)); /* of glibc's crt1.o */
extern char __start_ff_written[] __attribute__((weak, visibility("hidden")));
extern char __start_ff_data[] __attribute__((weak, visibility("hidden")));
extern char __start_ff_text[] __attribute__((weak, visibility("hidden")));
extern char __start_ff_string[] __attribute__((weak, visibility("hidden")));

/* What follows .data is a section of images, or the state of the interpreter. */
static void populate_data(void)
{
    const char *start = data_start, *end = (const char *)&_PyRuntime;
    const char *others[] = {__start_ff_written, __start_ff_data, __start_ff_text, __start_ff_string};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        end = others[i] > start && others[i] < end ? others[i] : end;
    }
    if (start != NULL && start < end) {
        ff_populate(start, (size_t)(end - start));
    }
}
#endif

/* ---- the first arena ---- */

static PyObjectArenaAllocator original;

/* A start nearly fills it. Later ones are as always: nobody knows how full the last of them is going to be. An allocator that a program has put
 * around this one stays, and calls it each time. */
static void *allocate_first_arena(void *context, size_t size)
{
    (void)context;
    static int is_later;
    PyObjectArenaAllocator now;
    PyObject_GetArenaAllocator(&now);
    if (now.alloc == allocate_first_arena) {
        PyObject_SetArenaAllocator(&original);
    }
    void *arena = original.alloc(original.ctx, size);
    if (arena != NULL && !is_later) {
        is_later = 1;
        ff_populate(arena, size);
    }
    return arena;
}

/* Called before the interpreter begins. */
void ff_populate_start(void)
{
    populate_data();
    ff_populate(&_PyRuntime, sizeof(_PyRuntime));
    PyObject_GetArenaAllocator(&original);
    PyObjectArenaAllocator first = {original.ctx, allocate_first_arena, original.free};
    PyObject_SetArenaAllocator(&first);
}
