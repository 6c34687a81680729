/* Keys of hash tables that held libraries draw from the system: those of Rust's HashMap (library/std/src/hash/random.rs), which says that they need not
 * be secure (GRND_INSECURE), of ahash, and of libxml2. Tables that imports fill are in an order that these decide, so while a snapshot is made they come
 * from the seed of string hashes. What a library keeps for its next tables is drawn anew at each start: the keys of a thread in Rust, the state of libxml2's
 * generator, and of those that are seeded with the time. */
#include FF_LAYOUT

#include "restore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 4 /* since Linux 5.6 */
#endif

extern ssize_t __real_getrandom(void *, size_t, unsigned int);

/* KEYS of a thread in Rust's library: the first one is counted up with each table. */
typedef struct {
    uint64_t counted, fixed;
} hash_keys;

/* What ahash says if it cannot draw its seeds (src/random_state.rs): a library with these words has it linked in. */
#define AHASH_SIZE 64
static const char AHASH[] = "getrandom::fill() failed.", OLDER_AHASH[] = "getrandom::getrandom() failed.";

/* What libxml2 says if it cannot seed its generator (dict.c, xmlInitRandom()), whose state it draws in place. */
static const char LIBXML2[] = "libxml2: getentropy failed with error code %d";
#define LIBXML2_SIZE 8

#define FEW 60 /* seconds */

#define DRAWN 64
static hash_keys drawn[DRAWN];
static int drawn_count;
static uint64_t seed_count;

typedef struct {
    char *start; /* NULL: of the main thread's own block, which lies elsewhere in each process */
    uint64_t offset, size;
} key_place;
static key_place places[DRAWN];
static int place_count;
static key_place states[DRAWN]; /* of libxml2's generators */
static int state_count;

static void fill_from_seed(void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = ff_word_of_seed(0, seed_count++);
        memcpy((char *)bytes + at, &word, size - at < sizeof(word) ? size - at : sizeof(word));
    }
}

static int has_text(const ff_library *library, const char *text)
{
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0 &&
            memmem(ff_library_address(library, part->p_vaddr), part->p_filesz, text, strlen(text)) != NULL) {
            return 1;
        }
    }
    return 0;
}

/* It draws once in a process. */
static int is_ahash(const void *caller)
{
    static const ff_library *seeded[DRAWN];
    static int count;
    const ff_library *library = ff_held_around(caller);
    for (int i = 0; i < count; i++) {
        library = seeded[i] == library ? NULL : library;
    }
    if (library == NULL || count == DRAWN || !(has_text(library, AHASH) || has_text(library, OLDER_AHASH))) {
        return 0;
    }
    seeded[count++] = library;
    return 1;
}

static ssize_t draw_for(void *bytes, size_t size, unsigned int flags, const void *caller)
{
    if (ff_current_allocation() == FF_IN_REGION && (flags & GRND_INSECURE) != 0 && size == sizeof(hash_keys) && drawn_count < DRAWN) {
        fill_from_seed(&drawn[drawn_count], sizeof(hash_keys));
        memcpy(bytes, &drawn[drawn_count++], sizeof(hash_keys));
        return (ssize_t)size;
    }
    if (ff_current_allocation() == FF_IN_REGION && flags == 0 && size == AHASH_SIZE && is_ahash(caller)) {
        fill_from_seed(bytes, size);
        return (ssize_t)size;
    }
    if (ff_current_allocation() == FF_IN_REGION && ff_is_for_example()) {
        fill_from_seed(bytes, size);
        return (ssize_t)size;
    }
    ssize_t done;
    do {
        done = __real_getrandom(bytes, size, flags);
    } while (ff_is_odd_draw(bytes, done));
    if (ff_current_allocation() == FF_IN_REGION) {
        ff_watch_draw(bytes, done);
    }
    ff_note_draw(bytes, done);
    return done;
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned int flags)
{
    return draw_for(bytes, size, flags, __builtin_return_address(0));
}

int __wrap_getentropy(void *bytes, size_t size)
{
    const ff_library *library = ff_held_around(bytes);
    if (ff_current_allocation() == FF_IN_REGION && size == LIBXML2_SIZE && library != NULL && state_count < DRAWN && has_text(library, LIBXML2)) {
        fill_from_seed(bytes, size);
        states[state_count++] = (key_place){bytes, 0, size};
        return 0;
    }
    int status;
    do {
        status = getentropy(bytes, size);
    } while (ff_is_odd_draw(bytes, status == 0 ? (ssize_t)size : -1));
    ff_note_draw(bytes, status == 0 ? (ssize_t)size : -1);
    return status;
}

/* A generator whose library has seeded it with the time, as libxml2 before 2.14 does (dict.c, __xmlInitializeDict()). */
int __wrap_rand_r(unsigned int *seed)
{
    time_t age = time(NULL) - (time_t)*seed;
    int is_known = 0;
    for (int i = 0; i < state_count; i++) {
        is_known |= states[i].start == (char *)seed;
    }
    if (ff_current_allocation() == FF_IN_REGION && !is_known && state_count < DRAWN && age >= 0 && age < FEW && ff_held_around(seed) != NULL) {
        fill_from_seed(seed, sizeof(*seed));
        states[state_count++] = (key_place){(char *)seed, 0, sizeof(*seed)};
    }
    return rand_r(seed);
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_getrandom) {
        return draw_for((void *)a, (size_t)b, (unsigned int)c, __builtin_return_address(0));
    }
    if (number == SYS_futex) {
        ff_may_wait();
    }
    return syscall(number, a, b, c, d, e, f);
}

/* What a thread may have counted. */
#define MANY ((uint64_t)1 << 32)

/* Compilers lay the pair out as they like. */
static int are_keys(const uint64_t *words)
{
    for (int i = 0; i < drawn_count; i++) {
        const hash_keys *keys = &drawn[i];
        for (int k = 0; k < 2; k++) {
            if (words[1 - k] == keys->fixed && words[k] - keys->counted < MANY) {
                return 1;
            }
        }
    }
    return 0;
}

static void find_keys(const char *start, uint64_t size, char *named)
{
    for (uint64_t at = 0; at + sizeof(hash_keys) <= size && place_count < DRAWN; at += sizeof(uint64_t)) {
        uint64_t words[2];
        memcpy(words, start + at, sizeof(words));
        if (are_keys(words)) {
            places[place_count++] = (key_place){named, at, sizeof(words)};
        }
    }
}

/* Before a dump: Rust's are in the thread-local variables of libraries. */
void ff_find_hash_keys(void)
{
    place_count = 0;
    ff_own_memory own = ff_find_memory();
    find_keys(own.tls, drawn_count == 0 ? 0 : own.tls_size, NULL);
    for (const ff_library *each = NULL; drawn_count > 0 && (each = ff_next_held(each)) != NULL;) {
        char *block = ff_own_thread_block(each);
        find_keys(block, block == NULL ? 0 : each->thread_size, block);
    }
    for (int i = 0; i < state_count && place_count < DRAWN; i++) {
        places[place_count++] = states[i];
    }
}

/* In a restored process, before anything uses them. */
void ff_renew_hash_keys(void)
{
    for (int i = 0; i < place_count; i++) {
        char *start = places[i].start == NULL ? ff_find_memory().tls : places[i].start;
        if (__real_getrandom(start + places[i].offset, places[i].size, GRND_NONBLOCK) != (ssize_t)places[i].size) {
            abort();
        }
    }
}
