/* Memory that held libraries map for themselves while a snapshot is made, past malloc(): it comes from the region, too. What they give back is not
 * used again. */
#include FF_LAYOUT

#include "restore.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_COPY ((size_t)64 << 20)

/* A file that is mapped, and not to be written to: its bytes are a part of the snapshot, and a start compares it. MAP_FAILED if it has to be mapped. */
static void *copy_file(size_t size, int fd, off_t offset)
{
    char link[32], path[PATH_MAX];
    struct stat found;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (size > LARGEST_COPY || length <= 0 || *path != '/' || fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        return MAP_FAILED;
    }
    char *p = ff_allocate(FF_PAGE_END(size), FF_PAGE);
    size_t done = 0;
    for (ssize_t part = 1; p != NULL && part > 0 && done < size; done += part > 0 ? (size_t)part : 0) {
        part = pread(fd, p + done, size - done, offset + (off_t)done);
    }
    path[length] = '\0';
    ff_note_file(path);
    return p == NULL ? MAP_FAILED : p;
}

/* ---- Memory that is executed, as compilers at run time make it (LLVM): a start maps all pages to be read and written. ---- */

typedef struct protected_part {
    struct protected_part *next;
    char *start;
    size_t size;
    int protection;
} protected_part;
static protected_part *first, *last; /* in the order of the calls */

static int is_noted(const char *start, size_t size)
{
    const protected_part *each = first;
    while (each != NULL && (start >= each->start + each->size || each->start >= start + size)) {
        each = each->next;
    }
    return each != NULL;
}

int __wrap_mprotect(void *p, size_t size, int protection)
{
    int status = mprotect(p, size, protection);
    int is_kept = ff_current_allocation() == FF_IN_REGION && ff_is_in_region(p) && ((protection & PROT_EXEC) != 0 || is_noted(p, size));
    if (status != 0 || !is_kept) {
        return status;
    }
    protected_part *new = ff_allocate(sizeof(*new), 16);
    if (new == NULL) {
        errno = ENOMEM;
        return -1;
    }
    *new = (protected_part){NULL, p, size, protection};
    *(last == NULL ? &first : &last->next) = new;
    last = new;
    return 0;
}

/* In a restored process. -1 if the kernel does not permit it. */
int ff_begin_mappings(void)
{
    for (const protected_part *each = first; each != NULL; each = each->next) {
        if (mprotect(each->start, each->size, each->protection) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The heap's end is that of libc's allocator, and elsewhere in each process. Who asks for it goes on with mmap(). */
void *__wrap_sbrk(intptr_t increment)
{
    if (ff_current_allocation() == FF_IN_REGION) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return sbrk(increment);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    int is_plain = (flags & MAP_ANONYMOUS) != 0 && (flags & MAP_PRIVATE) != 0 && (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == 0 &&
                   size > 0;
    int is_read = fd >= 0 && (flags & MAP_ANONYMOUS) == 0 && (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == 0 && (protection & PROT_EXEC) == 0 &&
                  ((flags & MAP_PRIVATE) != 0 || (protection & PROT_WRITE) == 0) && size > 0;
    if (ff_current_allocation() == FF_IN_REGION && is_plain) {
        void *p = ff_allocate(FF_PAGE_END(size), FF_PAGE);
        int is_done = p != NULL && ((protection & PROT_EXEC) == 0 || __wrap_mprotect(p, size, protection) == 0);
        return is_done ? p : MAP_FAILED;
    }
    void *copy = ff_current_allocation() == FF_IN_REGION && is_read ? copy_file(size, fd, offset) : MAP_FAILED;
    return copy != MAP_FAILED ? copy : mmap(at, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *p, size_t size)
{
    if (!ff_is_in_region(p)) {
        return munmap(p, size);
    }
    int error = is_noted(p, size) ? __wrap_mprotect(p, size, PROT_READ | PROT_WRITE) : 0;
    return error != 0 ? error : madvise(p, size, MADV_DONTNEED);
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

