/* The constructors of the executable that is linked as one object (src/hosts/transplant), before ours use the interpreter.
 *
 * CPython's own mimalloc (3.13) fills its main heap with random numbers and times in one. It serves nothing without PYTHONMALLOC, which a snapshot is not
 * for, and it begins by itself when it is asked for memory (Objects/mimalloc/init.c, mi_process_init()): what its constructor has written while a snapshot is
 * made is taken back. The heap has no name; the thread's variable for the current heap leads to it. */
#include FF_LAYOUT

#include "snapshot/restore.h"

#include <string.h>
#include <sys/mman.h>

#if FF_SNAPSHOT_STATE >= 313
#include "internal/pycore_mimalloc.h"
#endif

typedef void (*constructor)(int, char **, char **);
extern __attribute__((visibility("hidden"))) const constructor ff_original_constructors[], ff_original_constructors_end[];
extern __attribute__((visibility("hidden"))) char ff_original_data[], ff_original_data_end[]; /* of the linker's script */

#if FF_SNAPSHOT_STATE >= 313 && defined(WITH_MIMALLOC)
static int is_main_heap(const char *p)
{
    const mi_heap_t *heap = (const mi_heap_t *)p;
    return p >= ff_original_data && p < ff_original_data_end && (uintptr_t)p % _Alignof(mi_heap_t) == 0 &&
           sizeof(mi_heap_t) <= (size_t)(ff_original_data_end - p) && (char *)heap->thread_id == ff_thread_pointer() && heap->cookie != 0;
}

/* Whether a thread's variable leads to the heap that did not do so before. */
static int has_heap_begun(const char *before, const char *now, size_t size)
{
    for (size_t at = 0; at + sizeof(void *) <= size; at += sizeof(void *)) {
        const char *was, *is;
        memcpy(&was, before + at, sizeof(was));
        memcpy(&is, now + at, sizeof(is));
        if (was != is && is_main_heap(is)) {
            return 1;
        }
    }
    return 0;
}

/* As ever without the memory to look. */
static void run_for_snapshot(constructor function, int argc, char **argv, char **variables)
{
    ff_own_memory memory = ff_find_memory();
    size_t size = (size_t)(ff_original_data_end - ff_original_data), all = size + memory.tls_size;
    char *saved = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (saved == MAP_FAILED) {
        function(argc, argv, variables);
        return;
    }
    memcpy(saved, ff_original_data, size);
    memcpy(saved + size, memory.tls, memory.tls_size);
    function(argc, argv, variables);
    if (has_heap_begun(saved + size, memory.tls, memory.tls_size)) {
        memcpy(ff_original_data, saved, size);
        memcpy(memory.tls, saved + size, memory.tls_size);
    }
    munmap(saved, all);
}
#else
static void run_for_snapshot(constructor function, int argc, char **argv, char **variables)
{
    function(argc, argv, variables);
}
#endif

/* Behind that which begins the region (snapshot/start.c). */
__attribute__((constructor(102))) static void run_original(int argc, char **argv, char **variables)
{
    for (const constructor *each = ff_original_constructors; each != ff_original_constructors_end; each++) {
        (ff_is_region_used() ? run_for_snapshot(*each, argc, argv, variables) : (*each)(argc, argv, variables));
    }
}
