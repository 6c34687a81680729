/* Threads that held libraries start while a snapshot is made. They do not begin to run: a thread may be late. Each restored process starts
 * those that are still wanted, so it has as many as usual, and memory does not depend on what they would have done meanwhile. If the process has to wait
 * for something, which may be one of them, they begin at once. */
#include FF_LAYOUT

#include "restore.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>

typedef struct late_thread {
    struct late_thread *next;
    void *(*function)(void *);
    void *argument;
    size_t stack_size; /* 0: the usual one */
    int is_detached, is_started, is_over;
    pthread_t real;
} late_thread;

static late_thread *first, *last;
static int is_before_fork; /* handlers of fork() are running, which end threads */
static _Thread_local late_thread *own;

/* The identity that a library has got for one is the address of its description. */
static late_thread *find_late(pthread_t thread)
{
    late_thread *each = first;
    while (each != NULL && (pthread_t)each != thread) {
        each = each->next;
    }
    return each;
}

static pthread_t real_thread(pthread_t thread)
{
    const late_thread *late = find_late(thread);
    return late != NULL && late->is_started ? late->real : thread;
}

static void *run(void *argument)
{
    own = argument;
    return own->function(own->argument);
}

static int begin(late_thread *each)
{
    pthread_attr_t how;
    pthread_attr_init(&how);
    if (each->stack_size != 0) {
        (void)pthread_attr_setstacksize(&how, each->stack_size);
    }
    (void)pthread_attr_setdetachstate(&how, each->is_detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    each->is_started = 1;
    int error = pthread_create(&each->real, &how, run, each);
    pthread_attr_destroy(&how);
    return error;
}

static void begin_all(void)
{
    for (late_thread *each = first; each != NULL; each = each->next) {
        if (!each->is_started && !each->is_over) {
            (void)begin(each);
        }
    }
}

/* In a restored process, when its other state is there. */
void ff_begin_threads(void)
{
    begin_all();
}

/* While handlers of fork() run, a thread that is waited for has been told to end. */
void ff_note_fork(int is_before)
{
    is_before_fork = is_before;
}

/* The process is about to wait. */
void ff_may_wait(void)
{
    if (ff_current_allocation() == FF_IN_REGION) {
        begin_all();
    }
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*function)(void *), void *argument)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return pthread_create(thread, how, function, argument);
    }
    late_thread *late = ff_allocate(sizeof(*late), 16);
    if (late == NULL) {
        return EAGAIN;
    }
    int state = PTHREAD_CREATE_JOINABLE;
    *late = (late_thread){.function = function, .argument = argument};
    if (how != NULL) {
        (void)pthread_attr_getdetachstate(how, &state);
        (void)pthread_attr_getstacksize(how, &late->stack_size);
    }
    late->is_detached = state == PTHREAD_CREATE_DETACHED;
    *(last == NULL ? &first : &last->next) = late;
    last = late;
    *thread = (pthread_t)late;
    return 0;
}

static int wait_for(late_thread *late, void **result)
{
    int error = 0;
    if (!late->is_started && is_before_fork) {
        if (result != NULL) {
            *result = NULL;
        }
    }
    else {
        ff_may_wait();
        error = pthread_join(late->real, result);
    }
    late->is_over = error == 0;
    late->real = 0;
    return error;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    late_thread *late = find_late(thread);
    return late == NULL ? pthread_join(thread, result) : wait_for(late, result);
}

int __wrap_pthread_detach(pthread_t thread)
{
    late_thread *late = find_late(thread);
    if (late != NULL) {
        late->is_detached = 1;
    }
    return late != NULL && !late->is_started ? 0 : pthread_detach(real_thread(thread));
}

pthread_t __wrap_pthread_self(void)
{
    return own == NULL ? pthread_self() : (pthread_t)own;
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name)
{
    const late_thread *late = find_late(thread);
    return late != NULL && !late->is_started ? 0 : pthread_setname_np(real_thread(thread), name);
}

int __wrap_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
    const late_thread *late = find_late(thread);
    return late != NULL && !late->is_started ? 0 : pthread_setaffinity_np(real_thread(thread), size, set);
}

int __wrap_pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
    ff_note_processors();
    const late_thread *late = find_late(thread);
    return pthread_getaffinity_np(late != NULL && !late->is_started ? pthread_self() : real_thread(thread), size, set);
}

/* ---- What waits ---- */

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    ff_may_wait();
    return pthread_cond_wait(condition, mutex);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    ff_may_wait();
    return pthread_cond_timedwait(condition, mutex, until);
}

int __wrap_pthread_barrier_wait(pthread_barrier_t *barrier)
{
    ff_may_wait();
    return pthread_barrier_wait(barrier);
}

int __wrap_sem_wait(sem_t *semaphore)
{
    ff_may_wait();
    return sem_wait(semaphore);
}

int __wrap_sched_yield(void)
{
    ff_may_wait();
    return sched_yield();
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
    ff_may_wait();
    return nanosleep(time, rest);
}
