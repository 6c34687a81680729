/* Thread-local variables of held libraries that are asked for by a function, __tls_get_addr(): each thread gets a block of a library when it first
 * asks for one, as it does from the dynamic linker. The main thread's lie in the region. */
#include FF_LAYOUT

#include "restore.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

extern void *__wrap_memalign(size_t, size_t), *__wrap_realloc(void *, size_t), __wrap_free(void *);
extern int __wrap_pthread_key_create(pthread_key_t *, void (*)(void *));

/* What compiled code asks with: the relocations have filled it in (struct dl_tls_index of glibc). */
typedef struct {
    uint64_t module; /* a number of the dynamic linker's, or the address of an ff_library */
    uint64_t offset;
} tls_index;
extern void *__tls_get_addr(tls_index *);

/* Of one thread, by the number of the library. */
static _Thread_local struct {
    char **blocks;
    uint64_t count;
    int rounds;
} own;

static uint64_t library_count;
static pthread_key_t key; /* its destructor frees the blocks of a thread */

/* Destructors of other keys may still ask for variables: the last round is soon enough. */
static void free_blocks(void *value)
{
    if (++own.rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, value) == 0) {
        return;
    }
    for (uint64_t i = 0; i < own.count; i++) {
        __wrap_free(own.blocks[i]);
    }
    __wrap_free(own.blocks);
    own.blocks = NULL;
    own.count = 0;
}

/* From now on `library` has a block in each thread that asks. -1 if that cannot be. */
int ff_take_thread_block(ff_library *library)
{
    if (library_count == 0 && __wrap_pthread_key_create(&key, free_blocks) != 0) {
        return -1;
    }
    library->thread_block = ++library_count;
    return 0;
}

static char *make_block(const ff_library *library)
{
    if (library->thread_block > own.count) {
        char **more = __wrap_realloc(own.blocks, library_count * sizeof(*more));
        if (more == NULL) {
            return NULL;
        }
        memset(more + own.count, 0, (library_count - own.count) * sizeof(*more));
        own.blocks = more;
        own.count = library_count;
    }
    size_t alignment = library->thread_alignment < 16 ? 16 : library->thread_alignment;
    char *block = __wrap_memalign(alignment, library->thread_size);
    if (block == NULL) {
        return NULL;
    }
    memset(block, 0, library->thread_size);
    const Elf64_Phdr *values = ff_thread_values(library);
    if (values != NULL) {
        memcpy(block, ff_library_address(library, values->p_vaddr), values->p_filesz);
    }
    own.blocks[library->thread_block - 1] = block;
    (void)pthread_setspecific(key, &key); /* of the main thread nothing is freed: it ends with the process */
    return block;
}

/* Of the calling thread; NULL if it has not asked for one. */
char *ff_own_thread_block(const ff_library *library)
{
    uint64_t number = library->thread_block;
    return number != 0 && number <= own.count ? own.blocks[number - 1] : NULL;
}

/* A thread-local variable of a held library that has blocks. */
char *ff_thread_variable(const ff_library *library, uint64_t offset)
{
    char *block = ff_own_thread_block(library);
    if (block == NULL) {
        block = make_block(library);
    }
    if (block == NULL) {
        abort(); /* as the dynamic linker does */
    }
    return block + offset;
}

#ifdef __x86_64__
__attribute__((force_align_arg_pointer)) /* callers need not align the stack (glibc, sysdeps/x86_64/tls_get_addr.S) */
#endif
void *__wrap___tls_get_addr(tls_index *index)
{
    const ff_library *library = (const ff_library *)(uintptr_t)index->module;
    return index->module < FF_PAGE ? __tls_get_addr(index) : ff_thread_variable(library, index->offset);
}
