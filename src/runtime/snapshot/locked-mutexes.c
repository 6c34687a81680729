/* Locks that handlers of fork() hold: an allocator takes its own before it, and frees them in the child (jemalloc, src/jemalloc.c, _malloc_prefork()). In a lock
 * of libc is the number of the thread that holds it: a restored process is the one that does. */
#include FF_LAYOUT

#include "restore.h"

#include <sys/syscall.h>
#include <unistd.h>

#define PTHREAD_MUTEX_ELISION_FLAGS (256 | 512)
#define LOCKED 4096
static pthread_mutex_t *locked[LOCKED];
static int locked_count;

/* Before a dump, when the handlers have run: in all memory of libraries. The number is of this process. */
void ff_find_locked(void)
{
    int own = (int)syscall(SYS_gettid);
    locked_count = 0;
    char *end = FF_REGION + ff_region_size() - sizeof(pthread_mutex_t);
    for (char *p = FF_REGION; p <= end && locked_count < LOCKED; p += sizeof(void *)) {
        pthread_mutex_t *mutex = (pthread_mutex_t *)p;
        /* Held, by nobody else, and of one of the four usual kinds, beside which there are flags of elision (nptl, pthreadP.h). */
        int kind = mutex->__data.__kind & ~PTHREAD_MUTEX_ELISION_FLAGS;
        if (mutex->__data.__owner == own && mutex->__data.__nusers == 1 && (mutex->__data.__lock == 1 || mutex->__data.__lock == 2) &&
            kind >= PTHREAD_MUTEX_TIMED_NP && kind <= PTHREAD_MUTEX_ADAPTIVE_NP) {
            locked[locked_count++] = mutex;
        }
    }
    for (int i = 0; i < locked_count; i++) {
        locked[i]->__data.__owner = 0;
    }
}

/* In a restored process, before the handlers of its side run. */
void ff_renew_locked(void)
{
    int own = locked_count == 0 ? 0 : (int)syscall(SYS_gettid);
    for (int i = 0; i < locked_count; i++) {
        locked[i]->__data.__owner = own;
    }
}
