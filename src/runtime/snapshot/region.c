/* The region: while a snapshot is made, all that libpython and the libraries linked in allocate lies here (allocation.c). What libc
 * allocates for itself stays in libc's heap.
 *
 * The same calls give the same addresses, so two dumps of the same imports can be compared. Allocations are numbered: a first process
 * notes which of them are still there at its end (ff_write_record()), and the next ones place those together, so that a snapshot has
 * no holes. Wrong guesses cost room, nothing else. Freed blocks are zeroed, and blocks are zero when they are handed out: an object may
 * leave the end of its block as it is. After a restore libc serves everything again, and a block of the region that is freed is not
 * used a second time: its page would have to be copied first. */
#include FF_LAYOUT

#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* In front of each block, but for those in pages of one size. */
typedef struct {
    uint32_t capacity; /* of what follows, in bytes */
    uint32_t list;     /* where it goes when it is freed; 0: nowhere */
    uint32_t shift;    /* how far behind the block's own start an aligned one lies */
    uint32_t number;   /* of the allocation, while that is recorded */
} head;

#define SMALL 1024 /* up to here, lists have sizes of 16 bytes more each; then four for each power of two */
#define LISTS 200
#define LINK_SIZE sizeof(void *) /* of what a free block begins with: the next one of its list */

/* Temporary blocks, lasting ones and pages of one size lie apart, in chunks of their own. How much room temporary blocks take depends on random numbers
 * and clocks, too, because numbers have sizes: their chunks are so large that lasting blocks have the same places nevertheless. */
enum { TEMPORARY, LASTING, PAGES, KINDS };
static const size_t CHUNK[KINDS] = {(size_t)64 << 20, (size_t)1 << 20, (size_t)1 << 20};
#define SMALLEST_CHUNK ((size_t)1 << 20)
typedef struct {
    char *next, *end; /* what is left of the latest chunk */
} chunk;

static struct {
    volatile ff_allocation allocation;
    char *top;
    chunk chunks[KINDS];
    char *free_lists[LISTS];
    chunk pages[FF_ONE_SIZE / 16 + 1];
    unsigned char is_lasting[FF_REGION_SIZE / SMALLEST_CHUNK];
    unsigned char size_of_page[FF_REGION_SIZE / FF_PAGE]; /* in units of 16 bytes; 0: blocks have heads */
    uint64_t count;                                       /* of allocations */
    const unsigned char *placement;                       /* by number, what was recorded */
    uint64_t placement_count, synchronized;               /* the last number that marks a point */
    int is_beyond;                                        /* more was allocated since than in the record */
    uint32_t places[FF_SIZES];                               /* that lasting blocks have taken since, of each size */
    unsigned char *record; /* by number, whether it is still there, and its size */
    void (*watch)(const char *start, size_t size);
    pthread_mutex_t lock;
} region = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define RECORD_SIZE ((size_t)1 << 28)

int ff_is_in_region(const void *p)
{
    return (const char *)p >= FF_REGION && (const char *)p < FF_REGION + FF_REGION_SIZE;
}

/* Whether an address is that of a block which is placed as a lasting one. */
int ff_is_lasting(const void *p)
{
    return ff_is_in_region(p) && region.is_lasting[(size_t)((const char *)p - FF_REGION) / SMALLEST_CHUNK];
}

/* How much of lasting blocks can be read at an address, up to `largest` bytes: one of those of one size, or what lies in the same chunk. */
size_t ff_lasting_size(const void *p, size_t largest)
{
    if (!ff_is_lasting(p)) {
        return 0;
    }
    size_t place = (size_t)((const char *)p - FF_REGION), block = region.size_of_page[place / FF_PAGE] * (size_t)16;
    size_t room = block > 0 ? block - place % FF_PAGE % block : SMALLEST_CHUNK - place % SMALLEST_CHUNK;
    size_t in_page = FF_PAGE - place % FF_PAGE; /* behind the last block of one size there may be less */
    room = block > 0 && room > in_page ? in_page : room;
    return room < largest ? room : largest;
}

ff_allocation ff_current_allocation(void)
{
    return region.allocation;
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

/* Room in a chunk, or in a new one; NULL when the region is full. All sizes keep to 16 bytes. */
static char *extend(int kind, size_t size)
{
    chunk *part = &region.chunks[kind];
    if (size > (size_t)(part->end - part->next)) {
        size_t whole = (size + CHUNK[kind] - 1) & ~(CHUNK[kind] - 1);
        if (whole > (size_t)(FF_REGION + FF_REGION_SIZE - region.top)) {
            return NULL;
        }
        *part = (chunk){region.top, region.top + whole};
        memset(&region.is_lasting[(size_t)(region.top - FF_REGION) / SMALLEST_CHUNK], kind != TEMPORARY, whole / SMALLEST_CHUNK);
        region.top += whole;
    }
    char *start = part->next;
    part->next += size;
    return start;
}

/* A lasting block without a head. */
static void *allocate_in_page(size_t capacity)
{
    chunk *page = &region.pages[capacity / 16];
    if (capacity > (size_t)(page->end - page->next)) {
        char *start = extend(PAGES, FF_PAGE);
        if (start == NULL) {
            return NULL;
        }
        *page = (chunk){start, start + FF_PAGE};
        region.size_of_page[(size_t)(start - FF_REGION) / FF_PAGE] = (unsigned char)(capacity / 16);
    }
    char *block = page->next;
    page->next += capacity;
    return block;
}

static void *allocate_with_head(int kind, size_t size, size_t alignment, uint32_t number)
{
    size_t capacity, extra = alignment > 16 ? alignment : 0;
    unsigned int list = list_of(size + extra, &capacity);
    char *block = NULL;
    if (kind == LASTING) { /* it is not used again */
        unsigned char recorded = ff_recorded_size(size, alignment);
        capacity = recorded == FF_LARGE ? (size + extra + 15) & ~(size_t)15 : ff_capacity_of(recorded);
        list = 0;
    }
    else {
        block = region.free_lists[list];
    }
    if (block != NULL) {
        memcpy(&region.free_lists[list], block + sizeof(head), LINK_SIZE);
        memset(block + sizeof(head), 0, LINK_SIZE);
    }
    else {
        block = extend(kind, sizeof(head) + capacity);
        if (block == NULL) {
            return NULL;
        }
    }
    uintptr_t start = (uintptr_t)block + sizeof(head);
    uintptr_t aligned = extra == 0 ? start : (start + alignment - 1) & ~(uintptr_t)(alignment - 1);
    *(head *)(aligned - sizeof(head)) = (head){.capacity = (uint32_t)(capacity - (aligned - start)),
                                               .list = list,
                                               .shift = (uint32_t)(aligned - start),
                                               .number = region.record == NULL ? 0 : number};
    return (void *)aligned;
}

/* A block of another size than in the record is not the same one. */
static int kind_of(uint64_t number, unsigned char recorded)
{
    unsigned char then = number < region.placement_count ? region.placement[number] : FF_GONE;
    region.is_beyond |= then == FF_POINT;
    return then == recorded && !region.is_beyond ? LASTING : TEMPORARY;
}

static void note(uint64_t number, unsigned char recorded)
{
    if (region.record != NULL && number < RECORD_SIZE) {
        region.record[number] = recorded;
    }
}

static void *allocate_numbered(uint64_t number, size_t size, size_t alignment)
{
    void *p = NULL;
    unsigned char recorded = FF_GONE;
    if (size < FF_REGION_SIZE / 2 && alignment < FF_REGION_SIZE / 4) {
        size += size == 0;
        recorded = ff_recorded_size(size, alignment);
        int kind = kind_of(number, recorded);
        region.places[recorded] += kind == LASTING;
        if (kind == LASTING && recorded < FF_LEAST_WITH_HEAD) {
            p = allocate_in_page(ff_capacity_of(recorded));
        }
        else {
            p = allocate_with_head(kind, size, alignment, (uint32_t)number);
        }
    }
    if (p == NULL) {
        errno = ENOMEM;
    }
    else {
        note(number, recorded);
        if (region.watch != NULL) {
            region.watch(p, size);
        }
    }
    return p;
}

/* From now on, `watch` sees each block that is allocated; it allocates nothing itself. NULL ends that. */
void ff_watch_allocations(void (*watch)(const char *start, size_t size))
{
    region.watch = watch;
}

/* How often what is below the stack's frames is cleared. */
#define CALLS 64

void *ff_allocate(size_t size, size_t alignment)
{
    lock_region();
    uint64_t number = region.count++;
    void *p = allocate_numbered(number, size, alignment);
    unlock_region();
    if (number % CALLS == 0) {
        ff_clear_stack();
    }
    return p;
}

/* The places of blocks that this process does not have stay free, so that all others have theirs. */
static void skip_places(const uint32_t *recorded)
{
    for (unsigned char size = FF_LEAST; size < FF_LARGE; size++) {
        for (uint32_t i = region.places[size]; i < recorded[size]; i++) {
            if (size < FF_LEAST_WITH_HEAD) {
                (void)allocate_in_page(ff_capacity_of(size));
            }
            else {
                (void)extend(LASTING, sizeof(head) + ff_capacity_of(size));
            }
        }
    }
}

/* A point that each process comes to, such as the beginning or the end of a module's body: from there the numbers and places are those of the record again. Sets of objects that
 * are hashed by their addresses have another order where these lie elsewhere, and random numbers have other sizes, so that a process may have allocated more or less
 * meanwhile. */
void ff_synchronize_numbers(void)
{
    if (region.allocation != FF_IN_REGION) {
        return;
    }
    lock_region();
    note(region.count++, FF_POINT);
    uint64_t next = region.synchronized;
    uint32_t recorded[FF_SIZES] = {0};
    while (next < region.placement_count && region.placement[next] != FF_POINT) {
        recorded[region.placement[next++]]++;
    }
    if (next < region.placement_count) {
        skip_places(recorded);
        memset(region.places, 0, sizeof(region.places));
        region.is_beyond = 0;
        region.count = region.synchronized = next + 1;
    }
    unlock_region();
}

static head *head_of(void *p)
{
    return (head *)((char *)p - sizeof(head));
}

static size_t size_in_page(const void *p)
{
    return 16 * (size_t)region.size_of_page[(size_t)((const char *)p - FF_REGION) / FF_PAGE];
}

size_t ff_capacity(const void *p)
{
    size_t size = size_in_page(p);
    return size != 0 ? size : ((const head *)((const char *)p - sizeof(head)))->capacity;
}

static void release(void *p)
{
    size_t size = size_in_page(p);
    if (size != 0) {
        memset(p, 0, size);
        return;
    }
    head own = *head_of(p);
    char *start = (char *)p - own.shift;
    memset(head_of(p), 0, sizeof(head));
    memset(p, 0, own.capacity);
    note(own.number, FF_GONE);
    if (own.list != 0) {
        memcpy(start, &region.free_lists[own.list], LINK_SIZE);
        region.free_lists[own.list] = start - sizeof(head);
    }
}

void ff_release(void *p)
{
    lock_region();
    release(p);
    unlock_region();
}

/* Each call has a number of its own, whether the block moves or not: a block that grows often and then stays is placed by its last one. */
void *ff_reallocate(void *p, size_t size)
{
    lock_region();
    uint64_t number = region.count++;
    size_t capacity = ff_capacity(p);
    int is_temporary = size_in_page(p) == 0 && head_of(p)->list != 0;
    unsigned char recorded = ff_recorded_size(size, 16);
    if (is_temporary && kind_of(number, recorded) == TEMPORARY && size <= capacity && size >= capacity / 4) {
        memset((char *)p + size, 0, capacity - size);
        note(head_of(p)->number, FF_GONE);
        note(number, recorded);
        head_of(p)->number = region.record == NULL ? 0 : (uint32_t)number;
    }
    else {
        void *moved = allocate_numbered(number, size, 16);
        if (moved != NULL) {
            memcpy(moved, p, size < capacity ? size : capacity);
            release(p);
        }
        p = moved;
    }
    unlock_region();
    return p;
}

/* Stacks of frames (_PyObject_VirtualAlloc()), and the arenas of small objects, which a process has after a restore only. */
static void *allocate_arena(void *Py_UNUSED(context), size_t size)
{
    if (region.allocation == FF_IN_REGION) {
        return ff_allocate(size, 16);
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void release_arena(void *Py_UNUSED(context), void *p, size_t size)
{
    if (!ff_is_in_region(p)) {
        munmap(p, size);
    }
    else if (region.allocation == FF_IN_REGION) {
        ff_release(p);
    }
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

/* From now on, notes which allocations are still there. */
int ff_begin_record(void)
{
    void *p = mmap(NULL, RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return -1;
    }
    region.record = p;
    return 0;
}

/* What was noted, a byte for each allocation, for ff_read_placement(). */
const unsigned char *ff_record(size_t *size)
{
    *size = region.count < RECORD_SIZE ? region.count : RECORD_SIZE;
    return region.record;
}

/* Places blocks as another process has found out. */
int ff_read_placement(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    if (fd < 0 || fstat(fd, &found) != 0) {
        return -1;
    }
    void *p = found.st_size == 0 ? NULL : mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED) {
        return -1;
    }
    region.placement = p;
    region.placement_count = (uint64_t)found.st_size;
    return 0;
}

/* How much of it has been used, from its start. */
size_t ff_region_size(void)
{
    return (size_t)(region.top - FF_REGION);
}

/* Before a dump: free blocks are all zero, and what belongs to this process only is gone: its temporary blocks are others in another environment. */
char *ff_finish_region(uint64_t *count)
{
    for (int list = 0; list < LISTS; list++) {
        while (region.free_lists[list] != NULL) {
            char *link = region.free_lists[list] + sizeof(head);
            memcpy(&region.free_lists[list], link, LINK_SIZE);
            memset(link, 0, LINK_SIZE);
        }
    }
    *count = region.count;
    region.count = 0;
    memset(region.chunks, 0, sizeof(region.chunks)); /* nothing is allocated any more */
    memset(region.pages, 0, sizeof(region.pages));
    region.placement = NULL;
    region.placement_count = region.synchronized = 0;
    region.is_beyond = 0;
    memset(region.places, 0, sizeof(region.places));
    return region.top;
}

/* In a process that was restored: from here on, libc allocates. */
void ff_leave_region(void)
{
    region.allocation = FF_AFTER_RESTORE;
}
