/* OpenSSL's random numbers. Its generators are kept without their state: each process that uses one seeds it anew, whatever its number is.
 * What contexts of TLS have drawn for themselves, such as the keys of session tickets, is drawn anew at each start. Numbers that anything
 * else has drawn differ in two processes, and the module that keeps them is left out. */
#include FF_LAYOUT

#include "restore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WEAK __attribute__((weak))
extern const char *EVP_RAND_get0_name(const void *kind) WEAK;
extern void *__real_EVP_RAND_CTX_new(void *kind, void *parent) WEAK;
extern void __real_EVP_RAND_CTX_free(void *generator) WEAK;
extern int __real_openssl_get_fork_id(void) WEAK;
extern time_t __real_time(time_t *now);
extern int __real_RAND_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength) WEAK;
extern int __real_RAND_priv_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength) WEAK;
extern int RAND_bytes(unsigned char *bytes, int size) WEAK;
extern int RAND_priv_bytes(unsigned char *bytes, int size) WEAK;
extern int EVP_RAND_uninstantiate(void *generator) WEAK;

/* ---- The generators (crypto/rand/rand_lib.c, providers/implementations/rands/drbg.c) ---- */

#define GENERATORS 64
static void *generators[GENERATORS]; /* in the order in which they were made: parents come first */
static int generator_count, is_generator_lost;
static int is_forgetting; /* time and process number are 0 */

void *__wrap_EVP_RAND_CTX_new(void *kind, void *parent)
{
    void *made = __real_EVP_RAND_CTX_new(kind, parent);
    const char *name = made == NULL || EVP_RAND_get0_name == NULL ? NULL : EVP_RAND_get0_name(kind);
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
    __real_EVP_RAND_CTX_free(generator);
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

time_t __wrap_time(time_t *now)
{
    if (!is_forgetting) {
        return __real_time(now);
    }
    if (now != NULL) {
        *now = 0;
    }
    return 0;
}

static void seed_again(void)
{
    unsigned char byte;
    for (int i = generator_count; i > 0; i--) {
        EVP_RAND_uninstantiate(generators[i - 1]);
    }
    if (RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1) {
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
    for (int i = generator_count; i > 0; i--) {
        EVP_RAND_uninstantiate(generators[i - 1]);
    }
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

int __wrap_RAND_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength)
{
    int done = __real_RAND_bytes_ex(library, bytes, size, strength);
    if (done == 1) {
        note_drawn(bytes, size);
    }
    return done;
}

int __wrap_RAND_priv_bytes_ex(void *library, unsigned char *bytes, size_t size, unsigned int strength)
{
    int done = __real_RAND_priv_bytes_ex(library, bytes, size, strength);
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
