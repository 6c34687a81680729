/* What imports have left of their stack in memory. Compiled code copies whole structures, with parts that nobody has written: these hold what the
 * stack had there, often addresses of the stack itself, which lies elsewhere in each process. The functions of an import have returned when memory
 * is written, so nothing may follow an address of their frames. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>
#include <sys/mman.h>

/* An address, of which a zero follows: the kernel gives processes 47 bits. */
#define ADDRESS_SIZE 7
/* The byte that all addresses of the stack have, from the lowest one. */
#define COMMON_BYTE 5

/* The lowest page of the stack around `frame`. */
static uint64_t end_of_stack(const char *frame)
{
    char *page = (char *)((uintptr_t)frame & ~(uintptr_t)(FF_PAGE - 1));
    unsigned char state[1];
    while (mincore(page - FF_PAGE, FF_PAGE, state) == 0) {
        page -= FF_PAGE;
    }
    return (uint64_t)(uintptr_t)page;
}

typedef struct {
    uint64_t low, high; /* where the frames lay */
} frames;

static void forget_in(char *start, const char *end, frames gone, int is_of_library)
{
    int common = (int)(gone.low >> 8 * COMMON_BYTE & 0xff);
    for (char *at = start; at < end && (at = memchr(at, common, (size_t)(end - at))) != NULL; at++) {
        char *first = at - COMMON_BYTE;
        uint64_t address = 0;
        if (first >= start && first + ADDRESS_SIZE <= end) {
            memcpy(&address, first, ADDRESS_SIZE);
        }
        /* A variable may be there to tell how deep the stack is, unless its first byte is something else's. */
        int is_known = !is_of_library || ((address & 0xff) == 0 && (uintptr_t)first % sizeof(address) == 0);
        if (address >= gone.low && address < gone.high && is_known) {
            memset(first, 0, ADDRESS_SIZE);
        }
    }
}

static const ff_library *next_library(const char *start)
{
    const ff_library *next = NULL;
    for (const ff_library *each = NULL; (each = ff_next_held(each)) != NULL;) {
        if (each->start >= start && (next == NULL || each->start < next->start)) {
            next = each;
        }
    }
    return next;
}

static void forget_in_library(const ff_library *library, frames gone)
{
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0) {
            char *start = ff_library_address(library, part->p_vaddr);
            forget_in(start, start + part->p_memsz, gone, 1);
        }
    }
}

/* `frame` is that of the caller, which does not return. */
void ff_forget_stack(const char *frame)
{
    frames gone = {end_of_stack(frame), (uint64_t)(uintptr_t)frame};
    char *start = FF_REGION;
    for (const ff_library *library = NULL; (library = next_library(start)) != NULL; start = library->start + library->size) {
        forget_in(start, library->start, gone, 0);
        forget_in_library(library, gone);
    }
    forget_in(start, FF_REGION + ff_region_size(), gone, 0);
}
