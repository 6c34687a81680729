/* The stack that imports run on while a snapshot is made: at one address in each process, unlike the kernel's. Libraries make numbers from addresses of
 * variables there (FreeType its seeds, src/cff/cffobjs.c), and compiled code copies whole structures, with parts that nobody has written, which hold what the
 * stack had there. The functions of an import have returned when memory is written, so nothing may follow an address of their frames. */
#include FF_LAYOUT

#include "restore.h"

#include <sys/mman.h>
#include <ucontext.h>

#define STACK FF_IMPORT_STACK
#define STACK_SIZE FF_IMPORT_STACK_SIZE

/* Functions that are compiled with a guard have it on their stack (-fstack-protector): the same number in each process that makes a snapshot, which ends without
 * returning from any function that runs now. */
static void set_guard(void)
{
#ifdef __x86_64__
    __asm__ volatile("mov %0, %%fs:0x28" : : "r"(UINT64_C(0x9e3779b97f4a7c00)) : "memory"); /* glibc, tcbhead_t */
#endif
}

/* Calls a function there. Does not return if there is no room for it. */
void ff_call_on_import_stack(void (*function)(void))
{
    if (mmap(STACK, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != STACK) {
        ff_stop_dump("there is no room for a stack");
    }
    set_guard();
    ucontext_t own, back; /* no variables of the snapshot: they hold addresses of this process */
    getcontext(&own);
    own.uc_stack.ss_sp = STACK;
    own.uc_stack.ss_size = STACK_SIZE;
    own.uc_link = &back;
    makecontext(&own, function, 0);
    swapcontext(&back, &own);
}

#define PLACES 256
static uint64_t *places[PLACES]; /* variables of libraries that hold an address there */
static int place_count;

static void find_in(const ff_library *library)
{
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        char *start = ff_library_address(library, part->p_vaddr), *end = start + part->p_memsz;
        uint64_t *word = (uint64_t *)(((uintptr_t)start + sizeof(*word) - 1) & ~(uintptr_t)(sizeof(*word) - 1));
        for (; part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0 && (char *)(word + 1) <= end; word++) {
            if (*word - (uintptr_t)STACK < STACK_SIZE) {
                if (place_count == PLACES) {
                    ff_stop_dump("there are too many addresses of the stack in variables");
                }
                places[place_count++] = word;
            }
        }
    }
}

/* Before a dump. */
void ff_find_addresses_of_stack(void)
{
    place_count = 0;
    for (const ff_library *each = NULL; (each = ff_next_held(each)) != NULL;) {
        find_in(each);
    }
}

/* In a restored process: they are as far from the beginning of its stack, for libraries that tell by them how deep it is. What they had there is gone, as ever.
 * Whole pages: the lowest byte may be a flag, and the rest what nobody has written. */
void ff_move_addresses_of_stack(void)
{
    uint64_t distance = ((uint64_t)(uintptr_t)__builtin_frame_address(0) & ~(uint64_t)(FF_PAGE - 1)) - (uint64_t)(uintptr_t)(STACK + STACK_SIZE);
    for (int i = 0; i < place_count; i++) {
        *places[i] += distance;
    }
}
