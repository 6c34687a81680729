/* The garbage collector while modules are imported. An import makes objects that stay: collections find next to nothing then,
 * and take two to four per cent of the instructions. With `--rest-collector`, the first generation may grow by FF_REST objects while frozen
 * modules are imported; an import that makes more (a program that runs in one) has collections as ever. */
#include FF_LAYOUT

#include "flashfreeze.h"

#if FF_HAS_GC_THRESHOLD
#define FF_REST 100000 /* containers that were made and not freed: as many as a large program has when it is loaded */

static struct gc_generation *resting; /* the generation whose threshold is raised */
static int depth, threshold, count;   /* of nested imports; as they were */

/* Include/internal/pycore_gc.h; Modules/gcmodule.c (3.13: Python/gc.c) collects when the count exceeds the threshold. A
 * threshold of 0 means never. */
void ff_begin_import(void)
{
    if (!ff_rests_collector || depth++ > 0) {
        return;
    }
    struct gc_generation *first = &PyInterpreterState_Get()->gc.generations[0];
    if (first->threshold > 0) {
        resting = first;
        threshold = first->threshold;
        count = first->count;
        first->threshold += FF_REST;
    }
}

void ff_end_import(void)
{
    if (!ff_rests_collector || --depth > 0 || resting == NULL) {
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
#else
/* Of a collector that is started otherwise nothing is known: 3.14 changed its own between releases. */
void ff_begin_import(void) {}
void ff_end_import(void) {}
#endif
