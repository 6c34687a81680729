/* The dynamic linker's functions as the executable and held libraries call them: they know held libraries, too. The handle of the program
 * itself, which ctypes keeps (ctypes.pythonapi, Lib/ctypes/__init__.py), is the same in each process. */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

static char program; /* its address is the handle */
extern void *__real_dlopen(const char *, int), *__real_dlsym(void *, const char *);
extern int __real_dlclose(void *);
extern char *__real_dlerror(void);

static _Thread_local char problem[256]; /* what dlerror() says once */

/* Libraries that each process of the executable has, such as libc: in a snapshot, the place of the name is the handle. */
#define FIRST_NAMES 16
static char first_names[FIRST_NAMES][64];

static void *handle_of_first(const char *name)
{
    if (strchr(name, '/') != NULL || strlen(name) >= sizeof(first_names[0]) || !ff_is_there_at_start(name)) {
        return NULL;
    }
    int i = 0;
    while (i < FIRST_NAMES && *first_names[i] != '\0' && strcmp(first_names[i], name) != 0) {
        i++;
    }
    return i == FIRST_NAMES ? NULL : strcpy(first_names[i], name);
}

static int is_first(const void *handle)
{
    return (const char *)handle >= first_names[0] && (const char *)handle < first_names[FIRST_NAMES];
}

/* What the dynamic linker knows it by. */
static void *real_handle(void *handle)
{
    return handle == &program ? __real_dlopen(NULL, RTLD_LAZY) : is_first(handle) ? __real_dlopen(handle, RTLD_LAZY) : handle;
}

void *__wrap_dlopen(const char *path, int mode)
{
    *problem = '\0';
    if (path == NULL) {
        return &program;
    }
    void *found = ff_hold_library(path, mode, __builtin_return_address(0));
    if (found == NULL && ff_current_allocation() == FF_IN_REGION) {
        found = handle_of_first(path);
    }
    if (found == NULL) {
        ff_begin_foreign_frees();
        found = __real_dlopen(path, mode);
        ff_lead_foreign_frees(found);
    }
    return found;
}

/* Where the search begins that the caller asks for: for a held library, with itself or behind it. */
static void *find_for(void *handle, const char *name, const void *caller)
{
    const ff_library *from = ff_held_around(caller);
    void *found = NULL;
    if (handle == RTLD_NEXT && from != NULL) {
        found = ff_find_in_held(from, name, from);
        found = found == NULL ? ff_find_sent(name) : found;
        return found == NULL ? ff_fixed_call(__real_dlsym(RTLD_DEFAULT, name)) : found;
    }
    if (handle == RTLD_DEFAULT && from != NULL) {
        found = ff_find_sent(name);
        found = found == NULL ? ff_fixed_call(__real_dlsym(handle, name)) : found;
        return found == NULL ? ff_find_in_held(from, name, NULL) : found;
    }
    found = __real_dlsym(real_handle(handle), name);
    return from == NULL ? found : ff_fixed_call(found);
}

void *__wrap_dlsym(void *handle, const char *name)
{
    *problem = '\0';
    const ff_library *library = ff_held_image(handle);
    if (library == NULL) {
        return find_for(handle, name, __builtin_return_address(0));
    }
    void *found = ff_find_in_held(library, name, NULL);
    if (found == NULL) {
        snprintf(problem, sizeof(problem), "%s: undefined symbol: %s", library->path, name);
    }
    return found;
}

int __wrap_dlclose(void *handle)
{
    return handle == &program || is_first(handle) || ff_held_image(handle) != NULL ? 0 : __real_dlclose(handle);
}

char *__wrap_dlerror(void)
{
    static _Thread_local char told[sizeof(problem)];
    if (*problem == '\0') {
        return __real_dlerror();
    }
    memcpy(told, problem, sizeof(told));
    *problem = '\0';
    return told;
}

int __wrap_dladdr(const void *p, Dl_info *info)
{
    const ff_library *library = ff_held_around(p);
    if (library == NULL) {
        return dladdr(ff_called_function(p), info);
    }
    *info = (Dl_info){.dli_fname = library->path, .dli_fbase = library->start};
    return 1;
}

/* What is asked of a handle: what the library is called, where it lies, and what its directory is. Only the public fields of a link_map (link.h); nobody comes
 * before or behind it, as for one that was loaded into a namespace of its own. */
int __wrap_dlinfo(void *handle, int request, void *answer)
{
    const ff_library *library = ff_held_image(handle);
    if (library == NULL) {
        return dlinfo(real_handle(handle), request, answer);
    }
    const char *slash = strrchr(library->path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - library->path);
    switch (request) {
    case RTLD_DI_LMID:
        *(Lmid_t *)answer = LM_ID_BASE;
        return 0;
    case RTLD_DI_LINKMAP: {
        static struct link_map maps[FF_SCOPE];
        struct link_map *map = maps;
        while (map < maps + FF_SCOPE && map->l_ld != NULL && map->l_ld != library->dynamic) {
            map++;
        }
        if (map == maps + FF_SCOPE) {
            break;
        }
        *map = (struct link_map){.l_addr = (ElfW(Addr))(uintptr_t)library->start - library->low,
                                 .l_name = (char *)(uintptr_t)library->path,
                                 .l_ld = (ElfW(Dyn) *)(uintptr_t)library->dynamic};
        *(struct link_map **)answer = map;
        return 0;
    }
    case RTLD_DI_ORIGIN:
        memcpy(answer, library->path, length);
        ((char *)answer)[length] = '\0';
        return 0;
    default: break;
    }
    snprintf(problem, sizeof(problem), "%s: this cannot be asked of it", library->path);
    return -1;
}

int __wrap_dl_iterate_phdr(int (*visit)(struct dl_phdr_info *, size_t, void *), void *argument)
{
    int status = dl_iterate_phdr(visit, argument);
    for (const ff_library *each = NULL; status == 0 && (each = ff_next_held(each)) != NULL;) {
        struct dl_phdr_info info = {.dlpi_addr = (ElfW(Addr))(uintptr_t)each->start - each->low,
                                    .dlpi_name = each->path,
                                    .dlpi_phdr = each->parts,
                                    .dlpi_phnum = (ElfW(Half))each->part_count};
        status = visit(&info, sizeof(info), argument);
    }
    return status;
}

/* The result of _dl_find_object(), which finds the unwind tables for C++ exceptions (glibc 2.35, dlfcn/dlfcn.h); only the fields of all architectures. */
typedef struct {
    unsigned long long flags;
    void *start, *end;
    struct link_map *library;
    void *exceptions;
    unsigned long long reserved[7];
} found_object;

int __wrap__dl_find_object(void *p, found_object *found)
{
    const ff_library *library = ff_held_around(p);
    if (library == NULL) {
        int (*real)(void *, found_object *) = (int (*)(void *, found_object *))(uintptr_t)__real_dlsym(RTLD_DEFAULT, "_dl_find_object");
        return real == NULL ? -1 : real(p, found);
    }
    for (int i = 0; i < library->part_count; i++) {
        if (library->parts[i].p_type == PT_GNU_EH_FRAME) {
            *found = (found_object){.start = library->start,
                                    .end = library->start + library->size,
                                    .exceptions = ff_library_address(library, library->parts[i].p_vaddr)};
            return 0;
        }
    }
    return -1;
}
