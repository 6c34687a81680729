/* Thread-local variables of held libraries whose code knows how far they are from the thread's pointer. The dynamic linker gives each thread a block for
 * each object that it knows: these variables lie in the executable's, which is at one distance from each thread's pointer. A new thread gets the values that the executable's file has
 * for its block: what held libraries' variables begin with is written there. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>
#include <sys/mman.h>

#define ROOM 4096
#define RESERVE_ALIGNMENT 64

/* Not zero, so that the file has a place for each byte of it; what is not zero is not used. */
static _Thread_local char room[ROOM] __attribute__((aligned(RESERVE_ALIGNMENT))) = {1};
static uint64_t used = RESERVE_ALIGNMENT;

/* What its variables begin with; NULL if that is zero. */
const Elf64_Phdr *ff_thread_values(const ff_library *library)
{
    for (int i = 0; i < library->part_count; i++) {
        if (library->parts[i].p_type == PT_TLS && library->parts[i].p_filesz > 0) {
            return &library->parts[i];
        }
    }
    return NULL;
}

/* Whether there is room, and new threads can get what its variables begin with: others may run already in a restored process. */
static int find_room(const ff_library *library, uint64_t *start)
{
    uint64_t alignment = library->thread_alignment == 0 ? 1 : library->thread_alignment;
    if (alignment > RESERVE_ALIGNMENT || (alignment & (alignment - 1)) != 0 || library->thread_size > ROOM ||
        (ff_current_allocation() == FF_AFTER_RESTORE && ff_thread_values(library) != NULL)) {
        return 0;
    }
    *start = (used + alignment - 1) & ~(alignment - 1);
    return *start + library->thread_size <= ROOM;
}

int ff_has_thread_room(const ff_library *library)
{
    uint64_t start;
    return find_room(library, &start);
}

/* For threads that begin later. The place is read-only, as is everything that the dynamic linker has filled in. -1 if it cannot be written. */
int ff_give_thread_values(const ff_library *library)
{
    const Elf64_Phdr *values = library->thread_block == 0 ? ff_thread_values(library) : NULL;
    if (values == NULL) {
        return 0;
    }
    ff_own_memory own = ff_find_memory();
    char *place = own.tls_image + ff_thread_offset(library->thread_room), *page = (char *)((uintptr_t)place & ~(uintptr_t)(FF_PAGE - 1));
    size_t size = FF_PAGE_END(place + values->p_filesz) - (uintptr_t)page;
    if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) {
        return -1;
    }
    memcpy(place, ff_library_address(library, values->p_vaddr), values->p_filesz);
    return mprotect(page, size, PROT_READ);
}

/* 0, or -1 if there is too little. */
int ff_take_thread_room(ff_library *library)
{
    uint64_t start;
    if (!find_room(library, &start)) {
        return -1;
    }
    library->thread_room = start;
    used = start + library->thread_size;
    return 0;
}

/* When its addresses are there. -1 as ff_give_thread_values(). */
int ff_begin_thread_values(const ff_library *library)
{
    const Elf64_Phdr *values = library->thread_block == 0 ? ff_thread_values(library) : NULL;
    if (values != NULL) {
        memcpy(room + library->thread_room, ff_library_address(library, values->p_vaddr), values->p_filesz);
    }
    return ff_give_thread_values(library);
}

/* From the start of the executable's block. */
int64_t ff_thread_offset(uint64_t place)
{
    return room + place - ff_find_memory().tls;
}

/* What a thread's variables are addressed from. */
char *ff_thread_pointer(void)
{
#ifdef __x86_64__
    char *p;
    __asm__("mov %%fs:0, %0" : "=r"(p));
    return p;
#else
    return __builtin_thread_pointer();
#endif
}

/* From the thread's pointer. */
int64_t ff_thread_distance(uint64_t place)
{
    return room + place - ff_thread_pointer();
}

/* How far a variable of a library that the process began with, such as libc's errno, may be from there. */
#define NEAR 65536

/* Whether it is one of those: it has the same distance in each thread, and in each process with the same libraries. */
int ff_is_in_own_block(const char *variable)
{
    int64_t distance = variable - ff_thread_pointer();
    return distance > -NEAR && distance < NEAR;
}
