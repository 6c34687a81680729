/* What held libraries leave with libc, to be called at the end of the process, of a thread, or around a fork. While a snapshot is made it is
 * only noted: each restored process leaves it with libc again, in the same order and before anything of its own. */
#include FF_LAYOUT

#include "restore.h"

typedef void ff_end(void *);
typedef void ff_fork(void);
extern int __cxa_atexit(ff_end *, void *, void *);
extern int __cxa_thread_atexit_impl(ff_end *, void *, void *);
extern int __register_atfork(ff_fork *, ff_fork *, ff_fork *, void *);

typedef struct noted_end {
    struct noted_end *next;
    enum { OF_PROCESS, OF_THREAD, AROUND_FORK } kind;
    ff_end *function;
    void *argument;
    ff_fork *forks[3];
} noted_end;

static noted_end *first, *last;
static char own; /* stands for the executable */

static int leave(const noted_end *end)
{
    switch (end->kind) {
    case OF_PROCESS: return __cxa_atexit(end->function, end->argument, NULL);
    case OF_THREAD: return __cxa_thread_atexit_impl(end->function, end->argument, &own);
    default: return __register_atfork(end->forks[0], end->forks[1], end->forks[2], NULL);
    }
}

static int note_or_leave(const noted_end *end)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return leave(end);
    }
    noted_end *noted = ff_allocate(sizeof(*noted), 16);
    if (noted == NULL) {
        return -1;
    }
    *noted = *end;
    *(last == NULL ? &first : &last->next) = noted;
    last = noted;
    return 0;
}

int __wrap___cxa_atexit(ff_end *function, void *argument, void *Py_UNUSED(library))
{
    return note_or_leave(&(noted_end){.kind = OF_PROCESS, .function = function, .argument = argument});
}

int __wrap___cxa_thread_atexit_impl(ff_end *function, void *argument, void *Py_UNUSED(library))
{
    return note_or_leave(&(noted_end){.kind = OF_THREAD, .function = function, .argument = argument});
}

int __wrap___register_atfork(ff_fork *before, ff_fork *parent, ff_fork *child, void *Py_UNUSED(library))
{
    return note_or_leave(&(noted_end){.kind = AROUND_FORK, .forks = {before, parent, child}});
}

static void destruct(void *argument)
{
    typedef void (*destructor)(void);
    const ff_library *library = argument;
    const uintptr_t *functions = (const uintptr_t *)ff_library_address(library, library->end_array);
    for (uint64_t i = library->end_count; i > 0; i--) {
        if (functions[i - 1] != 0 && functions[i - 1] != UINTPTR_MAX) {
            ((destructor)functions[i - 1])();
        }
    }
}

/* Its destructors run at the end, behind all that it leaves with libc itself. A single one is the compiler's own (crtbeginS.o), which does no more
 * than that. */
void ff_end_library(const ff_library *library)
{
    if (library->end_count > 1) {
        __wrap___cxa_atexit(destruct, (void *)(uintptr_t)library, NULL);
    }
}

/* In a restored process. */
void ff_repeat_ends(void)
{
    for (const noted_end *each = first; each != NULL; each = each->next) {
        (void)leave(each);
    }
}
