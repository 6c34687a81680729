/* What held libraries leave with libc, to be called at the end of the process, of a thread, around a fork, or by printf(). While a snapshot is made it
 * is noted: each restored process leaves it with libc again, in the same order and before anything of its own. */
#include FF_LAYOUT

#include "restore.h"

#include <printf.h>

typedef void ff_fork(void);
extern int __cxa_atexit(ff_end, void *, void *);
extern int __cxa_thread_atexit_impl(ff_end, void *, void *);
extern int __register_atfork(ff_fork *, ff_fork *, ff_fork *, void *);

typedef struct noted_end {
    struct noted_end *next;
    enum { OF_PROCESS, OF_THREAD, AROUND_FORK, PRINTED_TYPE, PRINTED_MODIFIER, PRINTED_LETTER } kind;
    ff_destructor end; /* of a process or a thread */
    ff_fork *forks[3]; /* before it, and in the parent and the child after it */
    int letter;
    printf_va_arg_function *type;
    printf_function *print;
    printf_arginfo_size_function *size;
} noted_end;

static noted_end *first, *last;
static char own; /* stands for the executable */

static int leave(const noted_end *end)
{
    switch (end->kind) {
    case OF_PROCESS: return __cxa_atexit(end->end.function, end->end.argument, NULL);
    case OF_THREAD: return __cxa_thread_atexit_impl(end->end.function, end->end.argument, &own);
    case AROUND_FORK: return __register_atfork(end->forks[0], end->forks[1], end->forks[2], NULL);
    case PRINTED_TYPE: return register_printf_type(end->type);
    case PRINTED_MODIFIER: return register_printf_modifier(end->end.argument);
    default: return register_printf_specifier(end->letter, end->print, end->size);
    }
}

/* What libc says when it gets it. Numbers of types and modifiers are given in order, so a restored process gets the same ones. */
static int note_and_leave(const noted_end *end)
{
    int is_noted = ff_current_allocation() == FF_IN_REGION;
    if (is_noted) {
        noted_end *noted = ff_allocate(sizeof(*noted), 16);
        if (noted == NULL) {
            return -1;
        }
        *noted = *end;
        *(last == NULL ? &first : &last->next) = noted;
        last = noted;
    }
    int is_called = end->kind == OF_PROCESS || end->kind == OF_THREAD || end->kind == AROUND_FORK;
    return is_noted && is_called ? 0 : leave(end);
}

int __wrap___cxa_atexit(ff_end function, void *argument, void *Py_UNUSED(library))
{
    return note_and_leave(&(noted_end){.kind = OF_PROCESS, .end = {.function = function, .argument = argument}});
}

int __wrap___cxa_thread_atexit_impl(ff_end function, void *argument, void *Py_UNUSED(library))
{
    return note_and_leave(&(noted_end){.kind = OF_THREAD, .end = {.function = function, .argument = argument}});
}

int __wrap___register_atfork(ff_fork *before, ff_fork *parent, ff_fork *child, void *Py_UNUSED(library))
{
    return note_and_leave(&(noted_end){.kind = AROUND_FORK, .forks = {before, parent, child}});
}

int __wrap_register_printf_type(printf_va_arg_function *type)
{
    return note_and_leave(&(noted_end){.kind = PRINTED_TYPE, .type = type});
}

int __wrap_register_printf_modifier(const wchar_t *modifier)
{
    return note_and_leave(&(noted_end){.kind = PRINTED_MODIFIER, .end = {.argument = (void *)(uintptr_t)modifier}});
}

int __wrap_register_printf_specifier(int letter, printf_function *print, printf_arginfo_size_function *size)
{
    return note_and_leave(&(noted_end){.kind = PRINTED_LETTER, .letter = letter, .print = print, .size = size});
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

static void call_before_fork(const noted_end *each)
{
    if (each != NULL) {
        call_before_fork(each->next);
        if (each->kind == AROUND_FORK && each->forks[0] != NULL) {
            each->forks[0]();
        }
    }
}

/* A snapshot is a fork: before it libraries end their threads, for example. The last one that was noted comes first. */
void ff_call_before_fork(void)
{
    ff_note_fork(1);
    call_before_fork(first);
    ff_note_fork(0);
}

/* The next destructor of an object, from the first on. Functions of atexit() have no argument, and those of a library as a whole no object. */
ff_destructor *ff_next_destructor(const ff_destructor *after)
{
    noted_end *each = after == NULL ? first : ((noted_end *)((char *)(uintptr_t)after - offsetof(noted_end, end)))->next;
    while (each != NULL && (each->kind != OF_PROCESS || each->end.argument == NULL || each->end.function == destruct)) {
        each = each->next;
    }
    return each == NULL ? NULL : &each->end;
}

/* In a restored process. Destructors that are watched are left to `destruct_watched`. */
void ff_repeat_ends(ff_end destruct_watched)
{
    for (noted_end *each = first; each != NULL; each = each->next) {
        (void)(each->end.watched > 0 ? __cxa_atexit(destruct_watched, &each->end, NULL) : leave(each));
    }
    for (const noted_end *each = first; each != NULL; each = each->next) {
        if (each->kind == AROUND_FORK && each->forks[2] != NULL) {
            each->forks[2]();
        }
    }
}
