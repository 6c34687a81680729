/* Handlers of signals, Python's and those that imports set: each start sets them again. All signals are at their default then, but for two (start-conditions.c),
 * so what a handler knows of an earlier one is true. */
#include FF_LAYOUT

#include "restore.h"

#include <signal.h>
#include <string.h>

static struct {
    int is_set;
    struct sigaction action;
} handlers[NSIG];
static stack_t signal_stack; /* as faulthandler makes one */

/* Before Python starts: whoever makes the snapshot may ignore some. */
void ff_reset_handlers(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction usual = {.sa_handler = SIG_DFL};
        (void)sigaction(signal, &usual, NULL);
    }
}

static int is_kept_code(const void *code)
{
    return ff_is_in_executable(code) || ff_held_around(code) != NULL;
}

/* After the imports: a signal that is not at its default, or was not before. -1 if its handler is elsewhere in each process. */
int ff_keep_handler(int signal, const struct sigaction *before)
{
    struct sigaction now;
    handlers[signal].is_set = 0;
    if (sigaction(signal, NULL, &now) != 0 || (now.sa_handler == SIG_DFL && before->sa_handler == SIG_DFL)) {
        return 0;
    }
    if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN && !is_kept_code((const void *)(uintptr_t)now.sa_handler)) {
        return -1;
    }
    now.sa_restorer = NULL; /* libc's own */
    memset((char *)&now.sa_mask + NSIG / 8, 0, sizeof(now.sa_mask) - NSIG / 8); /* the kernel fills no more */
    handlers[signal].is_set = 1;
    handlers[signal].action = now;
    return 0;
}

void ff_keep_signal_stack(void)
{
    if (sigaltstack(NULL, &signal_stack) != 0 || (signal_stack.ss_flags & SS_DISABLE) != 0 || !ff_is_in_region(signal_stack.ss_sp)) {
        signal_stack.ss_sp = NULL;
    }
}

/* In a restored process. -1 with an exception. */
int ff_renew_handlers(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        if (handlers[signal].is_set && sigaction(signal, &handlers[signal].action, NULL) != 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
    }
    if (signal_stack.ss_sp != NULL && sigaltstack(&signal_stack, NULL) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}
