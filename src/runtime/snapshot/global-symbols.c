/* What names of functions and variables mean in this process, for libraries that we load. Functions of libc that are wrapped in the
 * executable are so here; CPython's own are found by their names. */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <string.h>

extern void *__real_dlsym(void *, const char *);

#define FF_SENT_HERE(X)                                                                                                             \
    X(malloc) X(calloc) X(realloc) X(reallocarray) X(free) X(malloc_usable_size) X(posix_memalign) X(aligned_alloc) X(memalign)   \
    X(valloc) X(strdup) X(strndup) X(wcsdup) X(pthread_key_create) X(pthread_key_delete) X(pthread_kill)                          \
    X(pthread_getcpuclockid) X(getenv) X(secure_getenv) X(isatty) X(dlopen) X(dlsym) X(dlclose)
#define FF_DECLARE(name) extern char __wrap_##name[];
FF_SENT_HERE(FF_DECLARE)
#define FF_ROW(name) {#name, __wrap_##name},
static const struct {
    const char *name;
    void *function;
} wrapped[] = {FF_SENT_HERE(FF_ROW)};

void *ff_find_global(const char *name, const char *version)
{
    for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
        if (strcmp(wrapped[i].name, name) == 0) {
            return wrapped[i].function;
        }
    }
    void *found = version == NULL ? NULL : dlvsym(RTLD_DEFAULT, name, version);
    return found == NULL ? __real_dlsym(RTLD_DEFAULT, name) : found;
}
