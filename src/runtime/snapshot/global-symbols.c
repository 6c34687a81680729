/* What names of functions and variables mean in this process, for libraries that we load. Functions of libc that are wrapped in the
 * executable are so here; CPython's own are found by their names. */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

extern void *__real_dlsym(void *, const char *), *__real_dlopen(const char *, int);
extern int __real_dlclose(void *);
extern const char __executable_start[], _end[];

int ff_is_in_executable(const void *p)
{
    return (const char *)p >= __executable_start && (const char *)p < _end;
}

/* ctypes keeps the addresses of these two as numbers (Modules/_ctypes/_ctypes.c, _memmove_addr): the executable's are the same in each process. */
void *__wrap_memmove(void *to, const void *from, size_t size)
{
    return memmove(to, from, size);
}

void *__wrap_memset(void *to, int byte, size_t size)
{
    return memset(to, byte, size);
}

#define FF_SENT_HERE(X)                                                                                                             \
    X(malloc) X(calloc) X(realloc) X(reallocarray) X(free) X(malloc_usable_size) X(posix_memalign) X(aligned_alloc) X(memalign)     \
    X(valloc) X(strdup) X(strndup) X(wcsdup) X(mmap) X(munmap) X(mremap) X(mprotect) X(sbrk) X(pthread_key_create) X(pthread_key_delete)    \
    X(pthread_kill) X(pthread_getcpuclockid) X(pthread_create) X(pthread_join) X(pthread_detach) X(pthread_self)                    \
    X(pthread_setname_np) X(pthread_setaffinity_np) X(pthread_getaffinity_np) X(pthread_cond_wait) X(pthread_cond_timedwait)        \
    X(pthread_barrier_wait) X(sem_wait) X(sched_yield) X(nanosleep) X(syscall) X(getenv) X(secure_getenv) X(isatty) X(fstat) X(__fxstat) X(sysconf)      \
    X(sched_getaffinity) X(get_nprocs) X(get_nprocs_conf) X(getpid) X(time) X(clock_gettime) X(gettimeofday) X(getrandom) X(getentropy) X(rand_r) X(memmove) X(memset) X(dlopen) X(dlsym) X(dlclose)      \
    X(dlerror) X(dladdr) X(dlinfo) X(dl_iterate_phdr) X(_dl_find_object) X(__tls_get_addr) X(__cxa_atexit) X(__cxa_thread_atexit_impl)        \
    X(__register_atfork) X(register_printf_type) X(register_printf_modifier) X(register_printf_specifier)
#define FF_DECLARE(name) extern char ff_sent_##name[] __asm__("__wrap_" #name);
FF_SENT_HERE(FF_DECLARE)
#define FF_ROW(name) {#name, ff_sent_##name},
static const struct {
    const char *name;
    char *function;
} wrapped[] = {FF_SENT_HERE(FF_ROW)};

/* The runtime's own function in the place of libc's; NULL if there is none. */
char *ff_find_sent(const char *name)
{
    static const char *const aliases[] = {"__strdup", "__strndup", "mmap64", "fstat64", "__fxstat64"}; /* other names of functions of libc */
    static const char *const names[] = {"strdup", "strndup", "mmap", "fstat", "__fxstat"};
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        name = strcmp(name, aliases[i]) == 0 ? names[i] : name;
    }
    for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
        if (strcmp(wrapped[i].name, name) == 0) {
            return wrapped[i].function;
        }
    }
    return NULL;
}

void *ff_find_global(const char *name, const char *version)
{
    void *found = version == NULL ? NULL : dlvsym(RTLD_DEFAULT, name, version);
    return found == NULL ? __real_dlsym(RTLD_DEFAULT, name) : found;
}

/* ---- Functions of other libraries than libc: linked in, or of a library that is held ---- */

FF_OF_LIBRARIES(FF_DECLARE)
#define FF_DEFINE_REAL(name)                                                                                                        \
    extern char __real_##name[] __attribute__((weak));                                                                              \
    void *ff_real_##name = __real_##name;
FF_OF_LIBRARIES(FF_DEFINE_REAL)
#define FF_REAL_ROW(name) {#name, ff_sent_##name, &ff_real_##name},
static const struct {
    const char *name;
    char *function;
    void **real;
} of_libraries[] = {FF_OF_LIBRARIES(FF_REAL_ROW)};

/* Calls of these are sent here from other libraries only: inside OpenSSL they would be those of Python's own module, too (openssl-random.c). */
static int is_sent_from_outside_only(const char *name)
{
    return strcmp(name, "RAND_bytes_ex") == 0 || strcmp(name, "RAND_priv_bytes_ex") == 0;
}

/* The runtime's own function in the place of one that a held library defines; NULL if there is none. */
char *ff_find_sent_of_library(const char *name, int is_inside)
{
    for (size_t i = 0; i < sizeof(of_libraries) / sizeof(of_libraries[0]); i++) {
        if (strcmp(of_libraries[i].name, name) == 0 && !(is_inside && is_sent_from_outside_only(name))) {
            return of_libraries[i].function;
        }
    }
    return NULL;
}

/* Where that function finds the library's own. */
void ff_name_real(const char *name, void *real)
{
    for (size_t i = 0; i < sizeof(of_libraries) / sizeof(of_libraries[0]); i++) {
        if (strcmp(of_libraries[i].name, name) == 0) {
            *of_libraries[i].real = real;
        }
    }
}

/* Where that is; NULL if no library is there that has it. */
void *ff_find_real(const char *name)
{
    for (size_t i = 0; i < sizeof(of_libraries) / sizeof(of_libraries[0]); i++) {
        if (strcmp(of_libraries[i].name, name) == 0) {
            return *of_libraries[i].real;
        }
    }
    return NULL;
}

/* What resolvers of ifunc are called with (on x86-64 they ask the processor). */
uint64_t ff_hardware(void)
{
    return getauxval(AT_HWCAP);
}

/* ---- Libraries that the process had when it began ---- */

static int first_count;

static int count(struct dl_phdr_info *Py_UNUSED(object), size_t Py_UNUSED(size), void *argument)
{
    ++*(int *)argument;
    return 0;
}

/* Before anything loads others. */
void ff_note_first_libraries(void)
{
    first_count = 0;
    dl_iterate_phdr(count, &first_count);
}

int ff_first_library_count(void)
{
    return first_count;
}

/* These, and libraries that are empty since glibc 2.34. */
int ff_is_there_at_start(const char *name)
{
    static const char *const parts_of_libc[] = {"libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"};
    for (size_t i = 0; i < sizeof(parts_of_libc) / sizeof(parts_of_libc[0]); i++) {
        if (strcmp(name, parts_of_libc[i]) == 0) {
            return 1;
        }
    }
    void *handle = __real_dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    const struct link_map *each = _r_debug.r_map; /* in the order of loading; the vdso counts for dl_iterate_phdr(), too */
    int is_there = 0;
    for (int i = 0; handle != NULL && each != NULL && i < first_count; i++, each = each->l_next) {
        is_there |= each == handle;
    }
    if (handle != NULL) {
        __real_dlclose(handle);
    }
    return is_there;
}

/* Whether one of them is that of C++. */
int ff_has_first_cxx(void)
{
    static int counted, has_cxx;
    if (counted != first_count) {
        has_cxx = ff_is_there_at_start("libstdc++.so.6") || ff_is_there_at_start("libc++.so.1");
        counted = first_count;
    }
    return has_cxx;
}
