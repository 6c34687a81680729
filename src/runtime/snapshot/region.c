/* The region: while a snapshot is made, all that libpython and the libraries linked in allocate lies here (--wrap=malloc …;
 * arenas through PyObject_SetArenaAllocator). What libc allocates for itself stays in libc's heap.
 *
 * The same calls give the same addresses, so two dumps of the same imports can be compared. Freed blocks are zeroed. After a
 * restore libc serves everything again, and a block of the region that is freed is not used a second time: its page would have
 * to be copied first. */
#include FF_LAYOUT

#include "restore.h"

#include "internal/pycore_obmalloc.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>

/* In front of each block. */
typedef struct {
    uint64_t capacity; /* of what follows */
    uint32_t list;     /* where it goes when it is freed */
    uint32_t shift;    /* how far behind the block's own start an aligned one lies */
} head;

#define SMALL 1024 /* up to here, lists have sizes of 16 bytes more each; then four for each power of two */
#define LISTS 200

/* Blocks and arenas lie apart, in chunks of their own: without gaps between them, a start maps fewer pieces. */
#define CHUNK ((size_t)16 << 20)
typedef struct {
    char *next, *end; /* what is left of the latest chunk */
} chunk;

static struct {
    volatile ff_allocation allocation;
    char *top;
    chunk blocks, arenas;
    char *free_lists[LISTS];
    char *free_arenas;
    unsigned char is_arena[FF_REGION_SIZE / ARENA_SIZE];
    pthread_mutex_t lock;
} region = {.lock = PTHREAD_MUTEX_INITIALIZER};

extern void *__real_malloc(size_t), *__real_calloc(size_t, size_t), *__real_realloc(void *, size_t);
extern void *__real_memalign(size_t, size_t), *__real_aligned_alloc(size_t, size_t), *__real_valloc(size_t);
extern int __real_posix_memalign(void **, size_t, size_t);
extern void __real_free(void *);
extern size_t __real_malloc_usable_size(void *);
extern char *__real_strdup(const char *), *__real_strndup(const char *, size_t);
extern wchar_t *__real_wcsdup(const wchar_t *);

static int is_in_region(const void *p)
{
    return (const char *)p >= FF_REGION && (const char *)p < FF_REGION + FF_REGION_SIZE;
}

static unsigned int list_of(size_t size, size_t *capacity)
{
    if (size <= SMALL) {
        *capacity = (size + 15) & ~(size_t)15;
        return (unsigned int)(*capacity / 16);
    }
    unsigned int list = SMALL / 16;
    size_t step = SMALL / 4, power = SMALL;
    for (;;) {
        for (size_t i = 1; i <= 4; i++) {
            list++;
            if (size <= power + i * step) {
                *capacity = power + i * step;
                return list;
            }
        }
        power *= 2;
        step *= 2;
    }
}

static void lock_region(void)
{
    pthread_mutex_lock(&region.lock);
}

static void unlock_region(void)
{
    pthread_mutex_unlock(&region.lock);
}

/* Room in a chunk, or in a new one; NULL when the region is full. All sizes of blocks keep to 16 bytes. */
static char *extend(chunk *part, size_t size)
{
    if (size > (size_t)(part->end - part->next)) {
        size_t whole = (size + CHUNK - 1) & ~(CHUNK - 1);
        if (whole > (size_t)(FF_REGION + FF_REGION_SIZE - region.top)) {
            return NULL;
        }
        *part = (chunk){region.top, region.top + whole};
        region.top += whole;
    }
    char *start = part->next;
    part->next += size;
    return start;
}

static void *allocate(size_t size, size_t alignment)
{
    if (size > FF_REGION_SIZE || alignment > FF_REGION_SIZE) {
        errno = ENOMEM;
        return NULL;
    }
    size_t capacity, extra = alignment > 16 ? alignment : 0;
    unsigned int list = list_of((size == 0 ? 1 : size) + extra, &capacity);
    lock_region();
    char *block = region.free_lists[list];
    if (block != NULL) {
        memcpy(&region.free_lists[list], block + sizeof(head), sizeof(char *));
        memset(block + sizeof(head), 0, sizeof(void *));
    }
    else {
        block = extend(&region.blocks, sizeof(head) + capacity);
    }
    unlock_region();
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t start = (uintptr_t)block + sizeof(head);
    uintptr_t aligned = extra == 0 ? start : (start + alignment - 1) & ~(uintptr_t)(alignment - 1);
    head *own = (head *)(aligned - sizeof(head));
    *own = (head){.capacity = capacity - (aligned - start), .list = list, .shift = (uint32_t)(aligned - start)};
    return (void *)aligned;
}

static head *head_of(void *p)
{
    return (head *)((char *)p - sizeof(head));
}

static void release(void *p)
{
    head own = *head_of(p);
    char *start = (char *)p - own.shift;
    memset(head_of(p), 0, sizeof(head));
    memset(p, 0, own.capacity);
    lock_region();
    memcpy(start, &region.free_lists[own.list], sizeof(char *));
    region.free_lists[own.list] = start - sizeof(head);
    unlock_region();
}

void *__wrap_malloc(size_t size)
{
    return region.allocation == FF_IN_REGION ? allocate(size, 16) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (region.allocation != FF_IN_REGION) {
        return __real_calloc(count, size);
    }
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = allocate(total, 16);
    return p == NULL ? NULL : memset(p, 0, total);
}

void __wrap_free(void *p)
{
    if (!is_in_region(p)) {
        __real_free(p);
    }
    else if (region.allocation == FF_IN_REGION) {
        int error = errno; /* as libc's: free() keeps it */
        release(p);
        errno = error;
    }
}

void *__wrap_realloc(void *p, size_t size)
{
    if (p == NULL) {
        return __wrap_malloc(size);
    }
    if (!is_in_region(p)) {
        return __real_realloc(p, size);
    }
    if (size == 0) { /* as glibc's */
        __wrap_free(p);
        return NULL;
    }
    size_t capacity = head_of(p)->capacity;
    if (size <= capacity && size >= capacity / 4) {
        return p;
    }
    void *moved = __wrap_malloc(size);
    if (moved != NULL) {
        memcpy(moved, p, size < capacity ? size : capacity);
        __wrap_free(p);
    }
    return moved;
}

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(p, total);
}

static int is_alignment(size_t alignment)
{
    return alignment != 0 && (alignment & (alignment - 1)) == 0;
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
    if (region.allocation != FF_IN_REGION) {
        return __real_posix_memalign(p, alignment, size);
    }
    if (!is_alignment(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int error = errno;
    void *found = allocate(size, alignment);
    errno = error;
    if (found == NULL) {
        return ENOMEM;
    }
    *p = found;
    return 0;
}

void *__wrap_memalign(size_t alignment, size_t size)
{
    if (region.allocation != FF_IN_REGION) {
        return __real_memalign(alignment, size);
    }
    while (!is_alignment(alignment)) { /* as glibc's: the next power of two */
        alignment = alignment == 0 ? 16 : alignment + (alignment & -alignment);
    }
    return allocate(size, alignment);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return region.allocation == FF_IN_REGION ? __wrap_memalign(alignment, size) : __real_aligned_alloc(alignment, size);
}

void *__wrap_valloc(size_t size)
{
    return region.allocation == FF_IN_REGION ? allocate(size, FF_PAGE) : __real_valloc(size);
}

size_t __wrap_malloc_usable_size(void *p)
{
    return is_in_region(p) ? head_of(p)->capacity : __real_malloc_usable_size(p);
}

char *__wrap_strndup(const char *text, size_t most)
{
    if (region.allocation != FF_IN_REGION) {
        return __real_strndup(text, most);
    }
    size_t length = strnlen(text, most);
    char *copy = allocate(length + 1, 16);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return region.allocation == FF_IN_REGION ? __wrap_strndup(text, strlen(text)) : __real_strdup(text);
}

wchar_t *__wrap_wcsdup(const wchar_t *text)
{
    if (region.allocation != FF_IN_REGION) {
        return __real_wcsdup(text);
    }
    size_t size = (wcslen(text) + 1) * sizeof(wchar_t);
    wchar_t *copy = allocate(size, 16);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* An arena of small objects, at a multiple of its size. */
static char *reserve_arena(void)
{
    lock_region();
    char *arena = region.free_arenas;
    if (arena != NULL) {
        memcpy(&region.free_arenas, arena, sizeof(char *));
        memset(arena, 0, sizeof(char *));
    }
    else {
        arena = extend(&region.arenas, ARENA_SIZE);
    }
    if (arena != NULL) {
        region.is_arena[(arena - FF_REGION) / ARENA_SIZE] = 1;
    }
    unlock_region();
    return arena;
}

static void give_back_arena(char *arena)
{
    memset(arena, 0, ARENA_SIZE);
    lock_region();
    region.is_arena[(arena - FF_REGION) / ARENA_SIZE] = 0;
    memcpy(arena, &region.free_arenas, sizeof(char *));
    region.free_arenas = arena;
    unlock_region();
}

/* Arenas, and stacks of frames (Objects/obmalloc.c, _PyObject_VirtualAlloc()). */
static void *allocate_arena(void *Py_UNUSED(context), size_t size)
{
    if (region.allocation == FF_IN_REGION) {
        return size == ARENA_SIZE ? reserve_arena() : allocate(size, 16);
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void release_arena(void *Py_UNUSED(context), void *p, size_t size)
{
    if (!is_in_region(p)) {
        munmap(p, size);
    }
    else if (region.allocation != FF_IN_REGION) {
        if (size == ARENA_SIZE) { /* it has whole pages */
            madvise(p, size, MADV_DONTNEED);
        }
    }
    else if (size == ARENA_SIZE) {
        give_back_arena(p);
    }
    else {
        release(p);
    }
}

/* Whether a block lies in an arena of small objects. */
int ff_is_small_block(const void *p)
{
    return is_in_region(p) && region.is_arena[((const char *)p - FF_REGION) / ARENA_SIZE];
}

/* Begins a process that is dumped: before any constructor allocates. */
void ff_begin_region(void)
{
    void *p = mmap(FF_REGION, FF_REGION_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != FF_REGION) {
        return;
    }
    region.top = FF_REGION;
    region.allocation = FF_IN_REGION;
    pthread_atfork(lock_region, unlock_region, unlock_region);
    PyObjectArenaAllocator arenas = {NULL, allocate_arena, release_arena};
    PyObject_SetArenaAllocator(&arenas);
}

int ff_is_region_used(void)
{
    return region.allocation == FF_IN_REGION;
}

char *ff_region_top(void)
{
    return region.top;
}

/* In a process that was restored: from here on, libc allocates. */
void ff_leave_region(void)
{
    region.allocation = FF_AFTER_RESTORE;
}
