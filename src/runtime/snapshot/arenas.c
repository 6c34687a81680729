/* Free blocks of small objects hold what they held when they were freed: zeros in their place make dumps comparable and compact
 * (Objects/obmalloc.c, Include/internal/pycore_obmalloc.h). */
#include FF_LAYOUT

#include "restore.h"

#include "internal/pycore_obmalloc.h"

#include <malloc.h>
#include <string.h>

/* While a snapshot is made, new blocks are zero: an object may leave the end of its block as it is. */
static PyMemAllocatorEx usual[2];
static const PyMemAllocatorDomain domains[2] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

static size_t capacity_of(size_t size)
{
    return size > SMALL_REQUEST_THRESHOLD ? size : (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void *allocate(void *context, size_t size)
{
    const PyMemAllocatorEx *own = context;
    void *p = own->malloc(own->ctx, size);
    return p == NULL ? NULL : memset(p, 0, capacity_of(size));
}

static void *allocate_zeros(void *context, size_t count, size_t size)
{
    const PyMemAllocatorEx *own = context;
    void *p = own->calloc(own->ctx, count, size);
    return p == NULL ? NULL : memset(p, 0, capacity_of(count * size));
}

static void *reallocate(void *context, void *old, size_t size)
{
    const PyMemAllocatorEx *own = context;
    if (old == NULL) {
        return allocate(context, size);
    }
    if (!ff_is_small_block(old)) {
        size_t capacity = malloc_usable_size(old);
        char *p = own->realloc(own->ctx, old, size);
        if (p != NULL && size > capacity && ff_is_small_block(p) == 0) {
            memset(p + capacity, 0, size - capacity);
        }
        return p;
    }
    size_t capacity = INDEX2SIZE(((const struct pool_header *)((uintptr_t)old & ~(uintptr_t)POOL_SIZE_MASK))->szidx);
    if (size != 0 && capacity_of(size) == capacity) {
        memset((char *)old + size, 0, capacity - size);
        return old;
    }
    void *p = allocate(context, size);
    if (p != NULL) {
        memcpy(p, old, size < capacity ? size : capacity);
        own->free(own->ctx, old);
    }
    return p;
}

static void release(void *context, void *p)
{
    const PyMemAllocatorEx *own = context;
    own->free(own->ctx, p);
}

void ff_begin_clearing(void)
{
    for (int i = 0; i < 2; i++) {
        PyMem_GetAllocator(domains[i], &usual[i]);
        PyMemAllocatorEx clearing = {&usual[i], allocate, allocate_zeros, reallocate, release};
        PyMem_SetAllocator(domains[i], &clearing);
    }
}

void ff_end_clearing(void)
{
    for (int i = 0; i < 2; i++) {
        PyMem_SetAllocator(domains[i], &usual[i]);
    }
}

#ifdef WITH_PYMALLOC

/* A pool in use: its free blocks, but for the link to the next one, and what lies behind its last block. */
static void clear_pool(char *pool)
{
    const struct pool_header *header = (const struct pool_header *)pool;
    size_t size = INDEX2SIZE(header->szidx);
    for (char *block = (char *)header->freeblock, *next; block != NULL; block = next) {
        memcpy(&next, block, sizeof(next));
        memset(block + sizeof(next), 0, size - sizeof(next));
    }
    if (header->nextoffset <= header->maxnextoffset) {
        memset(pool + header->nextoffset, 0, POOL_SIZE - header->nextoffset);
    }
}

/* A pool that nothing uses is initialised anew at its next use unless that is for the same size: there is no such size. */
#define NO_SIZE 0xffff
static void clear_free_pool(char *pool)
{
    ((struct pool_header *)pool)->szidx = NO_SIZE;
    memset(pool + POOL_OVERHEAD, 0, POOL_SIZE - POOL_OVERHEAD);
}

void ff_clear_free_blocks(void)
{
    const struct _obmalloc_mgmt *all = &PyInterpreterState_Get()->obmalloc->mgmt;
    for (unsigned int i = 0; i < all->maxarenas; i++) {
        const struct arena_object *arena = &all->arenas[i];
        if (arena->address == 0) {
            continue;
        }
        char *start = (char *)((arena->address + POOL_SIZE - 1) & ~(uintptr_t)(POOL_SIZE - 1));
        for (char *pool = start; pool < (char *)arena->pool_address; pool += POOL_SIZE) {
            if (((struct pool_header *)pool)->ref.count > 0) {
                clear_pool(pool);
            }
            else {
                clear_free_pool(pool);
            }
        }
    }
}

#else

void ff_clear_free_blocks(void)
{
}

#endif
