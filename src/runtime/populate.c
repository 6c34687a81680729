/* Pages that the first use of an image writes. A page fault for each costs many times more than the writing, above all in a virtual
 * machine: so the kernel is asked for them in pieces, beforehand. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14: include/uapi/asm-generic/mman-common.h */
#endif

static uintptr_t page_size(void)
{
    static uintptr_t size;
    if (size == 0) {
        size = (uintptr_t)sysconf(_SC_PAGESIZE);
    }
    return size;
}

/* Has the kernel bring in all pages at once, as copies of this process. Older kernels refuse, which does no harm. */
void ff_populate(const void *start, size_t size)
{
    uintptr_t first = (uintptr_t)start & ~(page_size() - 1);
    if (size > 0) {
        (void)madvise((void *)first, (uintptr_t)start + size - first, MADV_POPULATE_WRITE);
    }
}

extern char __start_ff_string[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_string[] __attribute__((weak, visibility("hidden")));

/* The pages of the strings that the image shares with others, each once in a process: they are hashed and interned. What no image before it had
 * lies in one piece. */
static void populate_strings(const ff_image *image)
{
    static unsigned char *known; /* for each page of the section: whether it was asked for */
    uintptr_t page = page_size(), section = (uintptr_t)__start_ff_string, section_end = (uintptr_t)__stop_ff_string;
    uintptr_t first = section / page, count = (section_end + page - 1) / page - first;
    if (section == section_end || (known == NULL && (known = calloc(count, 1)) == NULL)) {
        return;
    }
    uintptr_t start = 0, end = 0; /* pages of one piece */
    for (const ff_slot *slot = FF_FOLLOW(image, const ff_slot, image->strings); *slot != 0; slot++) {
        uintptr_t at = (uintptr_t)*FF_FOLLOW(image, PyObject *, *slot) / page - first;
        if (at < count && !known[at]) {
            if (at != end) {
                ff_populate((void *)((first + start) * page), (end - start) * page);
                start = at;
            }
            end = at + 1;
            known[at] = 1;
        }
        while (*++slot != 0) {
        }
    }
    ff_populate((void *)((first + start) * page), (end - start) * page);
}

/* Those of an image whose pointers are there. */
void ff_populate_image(const ff_image *image)
{
#ifdef FF_POSITION_INDEPENDENT
    ff_populate(ff_part_start(image, FF_WRITTEN), image->parts[FF_WRITTEN].size);
#else
    ff_populate(image->written, image->written_size);
#endif
    populate_strings(image);
}
