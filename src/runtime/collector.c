/* The garbage collector while modules are imported. An import makes objects that stay: collections find next to nothing then,
 * and take two to four per cent of the instructions. With `--rest-collector`, the first generation may grow by FF_REST objects while frozen
 * modules are imported; an import that makes more (a program that runs in one) is collected as usual. */
#include FF_LAYOUT

#include "flashfreeze.h"

#if FF_HAS_GC_THRESHOLD
#include <pthread.h>

#define FF_REST 100000 /* containers that were made and not freed: as many as a large program has when it is loaded */

static struct gc_generation *resting; /* the generation whose threshold is raised */
static int depth, threshold, count;   /* of nested imports, in all threads; as they were */
static __thread int own_depth;        /* of those of this thread */

/* Include/internal/pycore_gc.h; Modules/gcmodule.c (3.13: Python/gc.c) collects when the count exceeds the threshold. A
 * threshold of 0 means never. */
static void rest(void)
{
    struct gc_generation *first = &PyInterpreterState_Get()->gc.generations[0];
    if (first->threshold > 0) {
        resting = first;
        threshold = first->threshold;
        count = first->count;
        first->threshold += FF_REST;
    }
}

static void wake(void)
{
    if (resting == NULL) {
        return;
    }
    /* Unless the program set it. */
    if (resting->threshold == threshold + FF_REST) {
        resting->threshold = threshold;
        if (resting->count > threshold) {
            resting->count = count;
        }
    }
    resting = NULL;
}

/* In a child after fork(): the threads that were importing are not there. */
static void forget_others(void)
{
    if (depth != own_depth) {
        depth = own_depth;
        if (depth == 0) {
            wake();
        }
    }
}

void ff_begin_import(void)
{
    static int is_prepared;
    if (!ff_rests_collector) {
        return;
    }
    if (!is_prepared) {
        is_prepared = pthread_atfork(NULL, NULL, forget_others) == 0;
    }
    own_depth++;
    if (is_prepared && depth++ == 0) {
        rest();
    }
}

void ff_end_import(void)
{
    if (!ff_rests_collector) {
        return;
    }
    own_depth--;
    if (depth > 0 && --depth == 0) {
        wake();
    }
}
#else
/* Of a collector that is started otherwise nothing is known: 3.14 changed its own between releases. */
void ff_begin_import(void) {}
void ff_end_import(void) {}
#endif
