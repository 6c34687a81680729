/* What ctypes has of a process: the handle of the program itself, and memory in which C calls back. Both would differ in each
 * process. A snapshot has the first under an address of its own, and nothing of the second: whoever leaves a callback behind is left out. */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>

/* ---- dlopen(NULL): ctypes.pythonapi (Lib/ctypes/__init__.py); and extension modules that a snapshot holds ---- */

static char program; /* its address is the handle */
extern void *__real_dlopen(const char *, int), *__real_dlsym(void *, const char *);
extern int __real_dlclose(void *);

void *__wrap_dlopen(const char *path, int mode)
{
    if (path == NULL) {
        return &program;
    }
    void *held = ff_hold_library(path);
    return held == NULL ? __real_dlopen(path, mode) : held;
}

void *__wrap_dlsym(void *handle, const char *name)
{
    if (ff_is_held(handle)) {
        return ff_find_in_held(handle, name);
    }
    return __real_dlsym(handle == &program ? __real_dlopen(NULL, RTLD_LAZY) : handle, name);
}

int __wrap_dlclose(void *handle)
{
    return handle == &program || ff_is_held(handle) ? 0 : __real_dlclose(handle);
}

/* ---- Callbacks. libffi keeps what it has mapped in variables of its own: while a snapshot is made, it is not asked. ---- */

extern void *__real_ffi_closure_alloc(size_t, void **) __attribute__((weak));
extern void __real_ffi_closure_free(void *) __attribute__((weak));

static int callback_count;

void *__wrap_ffi_closure_alloc(size_t size, void **code)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_ffi_closure_alloc(size, code);
    }
    void *p = size > FF_PAGE ? MAP_FAILED
                             : mmap(NULL, FF_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    callback_count++;
    return *code = p;
}

void __wrap_ffi_closure_free(void *p)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        __real_ffi_closure_free(p);
    }
    else if (p != NULL) {
        callback_count--;
        munmap(p, FF_PAGE);
    }
}

/* How many C may still call. */
int ff_callback_count(void)
{
    return callback_count;
}
