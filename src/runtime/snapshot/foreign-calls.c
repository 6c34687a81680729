/* Callbacks of ctypes: memory in which C calls back. libffi keeps what it has mapped in variables of its own, which lies elsewhere in each process: while a
 * snapshot is made, it is not asked. Each callback has a page of the region, which a start makes executable. */
#include FF_LAYOUT

#include "restore.h"

#include <sys/mman.h>

typedef struct callback {
    struct callback *next;
    char *page;
} callback;
static callback *callbacks;

static void *take_page(void)
{
    callback *new = ff_allocate(sizeof(*new), 16);
    char *page = new == NULL ? NULL : ff_allocate(FF_PAGE, FF_PAGE);
    if (page == NULL || mprotect(page, FF_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        return NULL;
    }
    *new = (callback){callbacks, page};
    callbacks = new;
    return page;
}

void *__wrap_ffi_closure_alloc(size_t size, void **code)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return ((void *(*)(size_t, void **))(uintptr_t)ff_real_ffi_closure_alloc)(size, code);
    }
    return *code = size > FF_PAGE ? NULL : take_page();
}

void __wrap_ffi_closure_free(void *p)
{
    if (!ff_is_in_region(p)) {
        ((void (*)(void *))(uintptr_t)ff_real_ffi_closure_free)(p);
        return;
    }
    callback **each = &callbacks;
    while (*each != NULL && (*each)->page != p) {
        each = &(*each)->next;
    }
    if (*each == NULL || ff_current_allocation() != FF_IN_REGION) { /* of a snapshot, the page stays */
        return;
    }
    callback *gone = *each;
    *each = gone->next;
    (void)mprotect(p, FF_PAGE, PROT_READ | PROT_WRITE);
    ff_release(p);
    ff_release(gone);
}

/* In a restored process: C only reads what a callback is made of. -1 if the kernel does not permit it. */
int ff_begin_callbacks(void)
{
    for (const callback *each = callbacks; each != NULL; each = each->next) {
        if (mprotect(each->page, FF_PAGE, PROT_READ | PROT_EXEC) != 0) {
            return -1;
        }
    }
    return 0;
}
