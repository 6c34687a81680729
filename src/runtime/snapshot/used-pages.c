/* Pages that each start writes to before the program does anything of its own. A page fault can take longer than the kernel needs for a page, in some
 * virtual machines many times: so a start asks for all of these pages at once. Not for those that it only reads, of which the kernel maps 64 KB at a time.
 * Which they are a process finds out that the build starts, from the snapshot, and the list is written into the snapshot's header
 * (src/hosts/snapshot/find-used-pages.ts). Wrong guesses cost memory or time, nothing else. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE /* since Linux 5.14; older ones do nothing */
#define MADV_POPULATE_WRITE 23
#endif

#define STACK ((size_t)128 << 10) /* what the kernel gives to a process at least (fs/exec.c, setup_arg_pages()) */
#define HEAP ((size_t)132 << 10)  /* what libc asks for at first (malloc.c, top_pad) */
#define PIECE ((uint64_t)64 << 10) /* what is asked for at once when some of it may be refused */

/* What the kernel says of a page (Documentation/admin-guide/mm/pagemap.rst). */
#define IS_PRESENT ((uint64_t)1 << 63)
#define IS_OF_FILE ((uint64_t)1 << 61)
#define IS_ALONE ((uint64_t)1 << 56) /* no other process has it, unlike the page of zeros that is mapped where memory was only read */

static uintptr_t stack_page(void)
{
    return (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(FF_PAGE - 1);
}

static uintptr_t heap_end(void)
{
    return (uintptr_t)sbrk(0) & ~(uintptr_t)(FF_PAGE - 1);
}

static const ff_snapshot_header *used;

/* At a start, when memory is mapped. */
void ff_use_pages(const ff_snapshot_header *header)
{
    used = header;
    const ff_pages *each = (const ff_pages *)((const char *)header + header->page_offset);
    for (uint64_t i = 0; i < header->page_count; i++, each++) {
        uintptr_t end = each->kind == FF_PAGES_OF_STACK  ? stack_page()
                        : each->kind == FF_PAGES_OF_HEAP ? heap_end()
                                                         : 0;
        /* Where it is refused, pages come when they are used. */
        (void)madvise((void *)(end + each->address), each->size, MADV_POPULATE_WRITE);
    }
}

/* Before all objects are taken apart, which writes to most pages that hold any. Code and constants of libraries stay as they are: the kernel refuses. */
void ff_use_all_pages(void)
{
    const ff_run *runs = used == NULL ? NULL : (const ff_run *)((const char *)used + used->run_offset);
    for (uint64_t i = 0; runs != NULL && i < used->run_count; i++) {
        uint64_t end = runs[i].address + runs[i].size;
        for (uint64_t at = runs[i].address; at < end; at += PIECE) {
            (void)madvise((void *)(uintptr_t)at, end - at < PIECE ? end - at : PIECE, MADV_POPULATE_WRITE);
        }
    }
}

/* ---- The process that finds them ---- */

static ff_range areas[2]; /* the executable's data, and the region */
static uintptr_t first_of_heap; /* the first page that was not used before */
static int pages = -1;          /* /proc/self/pagemap */

static uint64_t states[512];
static uintptr_t first_state, state_count; /* the pages that they are of, by number */

static uint64_t state_of(uintptr_t page)
{
    uintptr_t number = page / FF_PAGE;
    if (number - first_state >= state_count) {
        ssize_t size = pread(pages, states, sizeof(states), (off_t)(number * sizeof(states[0])));
        first_state = number;
        state_count = size > 0 ? (uintptr_t)size / sizeof(states[0]) : 0;
    }
    return state_count > 0 ? states[number - first_state] : 0;
}

static int is_present(uintptr_t page)
{
    return (state_of(page) & IS_PRESENT) != 0;
}

/* When memory is mapped, in the place of ff_use_pages(). */
void ff_watch_pages(const ff_snapshot_header *header)
{
    /* What was used before. It takes the variables of this process with it, so it comes first. */
    int status = madvise((void *)(uintptr_t)header->data, header->data_size, MADV_DONTNEED) |
                 madvise((void *)(uintptr_t)header->region, header->region_size, MADV_DONTNEED);
    areas[0] = (ff_range){header->data, header->data_size};
    areas[1] = (ff_range){header->region, header->region_size};
    pages = status == 0 ? open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;
    uintptr_t end = heap_end();
    for (first_of_heap = end - HEAP; first_of_heap < end && is_present(first_of_heap);) {
        first_of_heap += FF_PAGE;
    }
}

static void tell(ff_page_kind kind, intptr_t address, size_t size)
{
    if (size > 0) {
        dprintf(STDOUT_FILENO, "%d %lld %zu\n", (int)kind, (long long)address, size);
    }
}

static void tell_written(const ff_range *area)
{
    uintptr_t start = 0, end = 0; /* of what follows each other */
    for (uintptr_t page = area->address; page < area->address + area->size; page += FF_PAGE) {
        uint64_t state = state_of(page);
        if ((state & (IS_PRESENT | IS_OF_FILE)) == IS_PRESENT && (state & IS_ALONE) != 0) {
            if (page != end) {
                tell(FF_PAGES_WRITTEN, (intptr_t)start, end - start);
                start = page;
            }
            end = page + FF_PAGE;
        }
    }
    tell(FF_PAGES_WRITTEN, (intptr_t)start, end - start);
}

/* Writes to the standard output which pages the process has written to: kind, address and size in each line. In any other process nothing, and
 * where the kernel does not say what was used. */
void ff_tell_written_pages(void)
{
    if (pages < 0) {
        return;
    }
    state_count = 0; /* they have changed */
    uintptr_t stack = stack_page(), lowest = stack;
    for (uintptr_t page = stack; page > stack - STACK / 2; page -= FF_PAGE) {
        lowest = is_present(page) ? page : lowest;
    }
    tell(FF_PAGES_OF_STACK, (intptr_t)(lowest - stack), stack - lowest);
    uintptr_t end = heap_end(), last = first_of_heap;
    for (uintptr_t page = first_of_heap; page < end; page += FF_PAGE) {
        last = is_present(page) ? page + FF_PAGE : last;
    }
    tell(FF_PAGES_OF_HEAP, (intptr_t)(first_of_heap - end), last - first_of_heap);
    for (int i = 0; i < 2; i++) {
        tell_written(&areas[i]);
    }
}
