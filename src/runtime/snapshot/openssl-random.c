/* OpenSSL's random numbers. Its generators are kept without their state: each process that uses one seeds it anew, whatever its number is.
 * What contexts of TLS have drawn for themselves, such as the keys of session tickets, is drawn anew at each start. Numbers that anything
 * else has drawn differ in two processes, and the module that keeps them is left out. */
#include FF_LAYOUT

#include "restore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define WEAK __attribute__((weak))
extern const char *EVP_RAND_get0_name(const void *kind) WEAK;
extern int __real_openssl_get_fork_id(void) WEAK;
extern time_t __real_time(time_t *now);
extern int RAND_bytes(unsigned char *bytes, int size) WEAK;
extern int RAND_priv_bytes(unsigned char *bytes, int size) WEAK;
extern int EVP_RAND_uninstantiate(void *generator) WEAK;

/* ---- OpenSSL is linked in, or a library that is held ---- */

static const struct {
    const char *(*get_name)(const void *);
    int (*draw)(unsigned char *, int), (*draw_private)(unsigned char *, int);
    int (*forget)(void *);
} linked = {EVP_RAND_get0_name, RAND_bytes, RAND_priv_bytes, EVP_RAND_uninstantiate};

#define FF_OPENSSL(function, name)                                                                                                  \
    (linked.function != NULL ? linked.function                                                                                      \
                             : (__typeof__(linked.function))(uintptr_t)ff_find_beside(ff_real_EVP_RAND_CTX_new, name))

static const char *name_of(const void *kind)
{
    const char *(*get_name)(const void *) = FF_OPENSSL(get_name, "EVP_RAND_get0_name");
    return get_name == NULL ? NULL : get_name(kind);
}

/* ---- The generators (crypto/rand/rand_lib.c, providers/implementations/rands/drbg.c) ---- */

#define GENERATORS 64
static void *generators[GENERATORS]; /* in the order in which they were made: parents come first */
static int generator_count, is_generator_lost;
static int is_forgetting; /* time and process number are 0 */

void *__wrap_EVP_RAND_CTX_new(void *kind, void *parent)
{
    void *made = ((void *(*)(void *, void *))(uintptr_t)ff_real_EVP_RAND_CTX_new)(kind, parent);
    const char *name = made == NULL ? NULL : name_of(kind);
    /* Those without a state of their own ask the system (SEED-SRC). */
    if (name != NULL && strstr(name, "DRBG") != NULL && ff_current_allocation() == FF_IN_REGION) {
        if (generator_count < GENERATORS) {
            generators[generator_count++] = made;
        }
        else {
            is_generator_lost = 1;
        }
    }
    return made;
}

/* It may have other owners: it is forgotten when its memory is. */
void __wrap_EVP_RAND_CTX_free(void *generator)
{
    ((void (*)(void *))(uintptr_t)ff_real_EVP_RAND_CTX_free)(generator);
    if (ff_current_allocation() == FF_IN_REGION && generator != NULL && *(void **)generator == NULL) {
        for (int i = 0; i < generator_count; i++) {
            if (generators[i] == generator) {
                memmove(&generators[i], &generators[i + 1], (size_t)(--generator_count - i) * sizeof(generators[0]));
            }
        }
    }
}

int __wrap_openssl_get_fork_id(void)
{
    return is_forgetting ? 0 : __real_openssl_get_fork_id();
}

/* As a held library asks. */
pid_t __wrap_getpid(void)
{
    ff_note_asker(__builtin_return_address(0));
    return is_forgetting ? 0 : getpid();
}

/* ncurses notes when it has looked for the directories of terminfo, and does so again a second later (tinfo/db_iterator.c): for whoever starts from
 * a snapshot that is long ago. */
static int is_of_terminfo(const void *caller)
{
    const ff_library *library = ff_current_allocation() == FF_IN_REGION ? ff_held_around(caller) : NULL;
    const char *name = library == NULL ? NULL : ff_library_name(library);
    return name != NULL && (strncmp(name, "libtinfo", 8) == 0 || strncmp(name, "libncurses", 10) == 0);
}

time_t __wrap_time(time_t *now)
{
    if (!is_forgetting && !is_of_terminfo(__builtin_return_address(0))) {
        return __real_time(now);
    }
    if (now != NULL) {
        *now = 0;
    }
    return 0;
}

static void forget_seeds(void)
{
    for (int i = generator_count; i > 0; i--) {
        FF_OPENSSL(forget, "EVP_RAND_uninstantiate")(generators[i - 1]);
    }
}

static void seed_again(void)
{
    unsigned char byte;
    forget_seeds();
    if (FF_OPENSSL(draw, "RAND_bytes")(&byte, 1) != 1 || FF_OPENSSL(draw_private, "RAND_priv_bytes")(&byte, 1) != 1) {
        ff_stop_dump("OpenSSL has no random numbers");
    }
}

/* What differs after the generators were seeded twice is their state. Pointers are none of it. */
static void forget_state(void)
{
    size_t size = ff_region_size();
    char *before = ff_scratch(size);
    is_forgetting = 1;
    seed_again();
    seed_again();
    memcpy(before, FF_REGION, size);
    seed_again();
    size_t same = ff_region_size();
    forget_seeds();
    for (size_t at = 0; at + sizeof(uint64_t) <= size && size == same; at += sizeof(uint64_t)) {
        uint64_t *now = (uint64_t *)(FF_REGION + at), old;
        memcpy(&old, before + at, sizeof(old));
        if (*now != old && !ff_is_in_region((void *)(uintptr_t)*now) && !ff_is_in_region((void *)(uintptr_t)old)) {
            *now = 0;
        }
    }
    is_forgetting = 0;
}

/* ---- What contexts of TLS have drawn (ssl/ssl_lib.c, SSL_CTX_new_ex()): Python's own module calls RAND_bytes(), which is not wrapped. ---- */

#define DRAWN 1024
#define DRAWN_SIZE 64
typedef struct {
    unsigned char *bytes;
    size_t size;
} drawn_bytes;
static drawn_bytes drawn[DRAWN];
static int drawn_count;
static unsigned char (*values)[DRAWN_SIZE]; /* as they were drawn; of this process */

static void note_drawn(unsigned char *bytes, size_t size)
{
    if (ff_current_allocation() == FF_IN_REGION && ff_is_in_region(bytes) && size >= 16 && size <= DRAWN_SIZE && drawn_count < DRAWN) {
        if (values == NULL) {
            values = (unsigned char (*)[DRAWN_SIZE])ff_scratch(sizeof(*values) * DRAWN);
        }
        memcpy(values[drawn_count], bytes, size);
        drawn[drawn_count++] = (drawn_bytes){bytes, size};
    }
}

typedef int draw(void *library, unsigned char *bytes, size_t size, unsigned int strength);

int __wrap_RAND_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength)
{
    int done = ((draw *)(uintptr_t)ff_real_RAND_bytes_ex)(library, bytes, size, strength);
    if (done == 1) {
        note_drawn(bytes, size);
    }
    return done;
}

int __wrap_RAND_priv_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength)
{
    int done = ((draw *)(uintptr_t)ff_real_RAND_priv_bytes_ex)(library, bytes, size, strength);
    if (done == 1) {
        note_drawn(bytes, size);
    }
    return done;
}

/* Those that are still there; the others were freed, or something else was put there. */
static void forget_drawn(void)
{
    int kept = 0;
    for (int i = 0; i < drawn_count; i++) {
        if (memcmp(drawn[i].bytes, values[i], drawn[i].size) == 0) {
            memset(drawn[i].bytes, 0, drawn[i].size);
            drawn[kept++] = drawn[i];
        }
    }
    memset(&drawn[kept], 0, (size_t)(drawn_count - kept) * sizeof(drawn[0]));
    drawn_count = kept;
    values = NULL;
}

/* Before a dump. */
void ff_forget_random(void)
{
    if (is_generator_lost) {
        ff_stop_dump("imports make too many generators of random numbers");
    }
    forget_drawn();
    if (generator_count > 0) {
        forget_state();
    }
}

/* In a restored process, before anything uses them. */
void ff_renew_random(void)
{
    for (int i = 0; i < drawn_count; i++) {
        if (getrandom(drawn[i].bytes, drawn[i].size, 0) != (ssize_t)drawn[i].size) {
            abort();
        }
    }
}
