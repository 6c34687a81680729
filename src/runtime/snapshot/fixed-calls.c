/* Functions of libc, for held libraries. Compiled code keeps the address of a function that it calls again and again in a register, other functions save that in their
 * frames, and what copies structures with parts that nobody has written may take single bytes of it. These differ in two dumps, and nobody can tell one byte of
 * an address from one of a random number. So held libraries have addresses that are the same in each process: those of jumps to the functions. All libraries have the same
 * one for a function, before a dump and after a restore, so addresses of functions can be compared. */
#include FF_LAYOUT

#include "restore.h"

#include <link.h>

#ifdef __x86_64__
#define JUMPS 2048 /* as below */
#define JUMP_SIZE 8
extern char ff_jumps[];
extern char *ff_jump_targets[];
__asm__(".pushsection .bss\n"
        ".balign 8\n"
        "ff_jump_targets: .zero 8 * 2048\n"
        ".popsection\n"
        ".pushsection .text\n"
        ".balign 16\n"
        "ff_jumps:\n"
        ".set ff_jump_number, 0\n"
        ".rept 2048\n"
        "jmp *ff_jump_targets + 8 * ff_jump_number(%rip)\n"
        ".balign 8\n"
        ".set ff_jump_number, ff_jump_number + 1\n"
        ".endr\n"
        ".popsection\n");

static int has_code(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *address)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const Elf64_Phdr *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0 && (uintptr_t)address - (object->dlpi_addr + part->p_vaddr) < part->p_memsz) {
            return 1;
        }
    }
    return 0;
}

static int count;

/* What leads to a function of a library of the process; what is none, or one of the executable, stays. There are no new ones after a restore, when other threads may ask. */
char *ff_fixed_call(char *function)
{
    for (int i = 0; i < count; i++) {
        if (ff_jump_targets[i] == function) {
            return ff_jumps + i * JUMP_SIZE;
        }
    }
    if (function == NULL || ff_is_in_executable(function) || count == JUMPS || ff_current_allocation() != FF_IN_REGION ||
        dl_iterate_phdr(has_code, function) == 0) {
        return function;
    }
    ff_jump_targets[count] = function;
    return ff_jumps + count++ * JUMP_SIZE;
}

/* The function that a jump leads to; any other address stays. */
const void *ff_called_function(const void *p)
{
    size_t place = (size_t)((const char *)p - ff_jumps);
    return (const char *)p >= ff_jumps && place < (size_t)count * JUMP_SIZE ? ff_jump_targets[place / JUMP_SIZE] : p;
}
#else
char *ff_fixed_call(char *function)
{
    return function;
}

const void *ff_called_function(const void *p)
{
    return p;
}
#endif
