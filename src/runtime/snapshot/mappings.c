/* Memory that held libraries map for themselves while a snapshot is made, past malloc(): it comes from the region, too. What they give back is not
 * used again. */
#include FF_LAYOUT

#include "restore.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    int is_plain = (flags & MAP_ANONYMOUS) != 0 && (flags & MAP_PRIVATE) != 0 && (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == 0 &&
                   (protection & PROT_EXEC) == 0 && size > 0;
    if (ff_current_allocation() == FF_IN_REGION && is_plain) {
        void *p = ff_allocate(FF_PAGE_END(size), FF_PAGE);
        return p == NULL ? MAP_FAILED : p;
    }
    return mmap(at, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *p, size_t size)
{
    return ff_is_in_region(p) ? madvise(p, size, MADV_DONTNEED) : munmap(p, size);
}

void *__wrap_mremap(void *p, size_t size, size_t wanted, int flags, ...)
{
    if (!ff_is_in_region(p)) {
        va_list more;
        va_start(more, flags);
        void *to = (flags & MREMAP_FIXED) != 0 ? va_arg(more, void *) : NULL;
        va_end(more);
        return mremap(p, size, wanted, flags, to);
    }
    if (wanted <= size) {
        size_t kept = FF_PAGE_END(wanted);
        return kept < size && __wrap_munmap((char *)p + kept, size - kept) != 0 ? MAP_FAILED : p;
    }
    if ((flags & MREMAP_MAYMOVE) == 0 || (flags & MREMAP_FIXED) != 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *moved = __wrap_mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (moved != MAP_FAILED) {
        memcpy(moved, p, size);
        (void)__wrap_munmap(p, size);
    }
    return moved;
}

/* A start maps the region's pages to be read and written: what a library makes there to be executed would be lost. */
int __wrap_mprotect(void *p, size_t size, int protection)
{
    if (ff_current_allocation() == FF_IN_REGION && ff_is_in_region(p) && (protection & PROT_EXEC) != 0) {
        errno = EACCES;
        return -1;
    }
    return mprotect(p, size, protection);
}
