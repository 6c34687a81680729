/* Callbacks of ctypes: memory in which C calls back. It would differ in each process, so a snapshot has nothing of it: whoever leaves a callback
 * behind is left out. libffi keeps what it has mapped in variables of its own: while a snapshot is made, it is not asked. */
#include FF_LAYOUT

#include "restore.h"

#include <sys/mman.h>

static int callback_count;

void *__wrap_ffi_closure_alloc(size_t size, void **code)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return ((void *(*)(size_t, void **))(uintptr_t)ff_real_ffi_closure_alloc)(size, code);
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
        ((void (*)(void *))(uintptr_t)ff_real_ffi_closure_free)(p);
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
