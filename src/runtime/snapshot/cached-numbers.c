/* Numbers of the process that held libraries keep, by which they find out that they are in the child of a fork, where their threads are gone (numexpr). In a process that
 * starts from a snapshot these have begun again (held-threads.c): each start has its own number there. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>
#include <unistd.h>

#define ASKERS 64
#define PLACES 64

static const ff_library *askers[ASKERS];
static pid_t *places[PLACES];
static int asker_count, place_count;

/* While a snapshot is made: who asks for it. */
void ff_note_asker(const void *caller)
{
    const ff_library *library = ff_current_allocation() == FF_IN_REGION ? ff_held_around(caller) : NULL;
    for (int i = 0; i < asker_count; i++) {
        library = askers[i] == library ? NULL : library;
    }
    if (library != NULL && asker_count < ASKERS) {
        askers[asker_count++] = library;
    }
}

/* Before a dump: variables of those that have asked. They become zero. */
void ff_find_cached_numbers(void)
{
    place_count = 0;
    for (int i = 0; i < asker_count; i++) {
        for (int k = 0; k < askers[i]->part_count; k++) {
            const Elf64_Phdr *part = &askers[i]->parts[k];
            if (part->p_type != PT_LOAD || (part->p_flags & PF_W) == 0) {
                continue;
            }
            pid_t *number = (pid_t *)ff_library_address(askers[i], (part->p_vaddr + 3) & ~(uint64_t)3);
            pid_t *end = (pid_t *)ff_library_address(askers[i], (part->p_vaddr + part->p_memsz) & ~(uint64_t)3);
            for (; number < end; number++) {
                if (*number == getpid() && place_count < PLACES) {
                    places[place_count++] = number;
                    *number = 0;
                }
            }
        }
    }
    memset(askers, 0, sizeof(askers));
    asker_count = 0;
}

/* In a restored process, before anything of the libraries runs. */
void ff_renew_cached_numbers(void)
{
    for (int i = 0; i < place_count; i++) {
        *places[i] = getpid();
    }
}
