/* The functions of libc's allocator, as libpython and the libraries linked in call them (--wrap=malloc …), and CPython's allocators of
 * objects while a snapshot is made. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_interp.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

extern void *__real_malloc(size_t), *__real_calloc(size_t, size_t), *__real_realloc(void *, size_t);
extern void *__real_memalign(size_t, size_t), *__real_aligned_alloc(size_t, size_t), *__real_valloc(size_t);
extern int __real_posix_memalign(void **, size_t, size_t);
extern void __real_free(void *);
extern size_t __real_malloc_usable_size(void *);
extern char *__real_strdup(const char *), *__real_strndup(const char *, size_t);
extern wchar_t *__real_wcsdup(const wchar_t *);

void *__wrap_malloc(size_t size)
{
    return ff_current_allocation() == FF_IN_REGION ? ff_allocate(size, 16) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_calloc(count, size);
    }
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return ff_allocate(total, 16); /* which is zero */
}

void __wrap_free(void *p)
{
    if (!ff_is_in_region(p)) {
        __real_free(p);
    }
    else if (ff_current_allocation() == FF_IN_REGION) {
        int error = errno; /* as libc's: free() keeps it */
        ff_release(p);
        errno = error;
    }
}

void *__wrap_realloc(void *p, size_t size)
{
    if (p == NULL) {
        return __wrap_malloc(size);
    }
    if (!ff_is_in_region(p)) {
        return __real_realloc(p, size);
    }
    if (size == 0) { /* as glibc's */
        __wrap_free(p);
        return NULL;
    }
    if (ff_current_allocation() == FF_IN_REGION) {
        return ff_reallocate(p, size);
    }
    size_t capacity = ff_capacity(p);
    if (size <= capacity && size >= capacity / 4) {
        return p;
    }
    void *moved = __wrap_malloc(size);
    if (moved != NULL) {
        memcpy(moved, p, size < capacity ? size : capacity);
        __wrap_free(p);
    }
    return moved;
}

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(p, total);
}

static int is_alignment(size_t alignment)
{
    return alignment != 0 && (alignment & (alignment - 1)) == 0;
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_posix_memalign(p, alignment, size);
    }
    if (!is_alignment(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int error = errno;
    void *found = ff_allocate(size, alignment);
    errno = error;
    if (found == NULL) {
        return ENOMEM;
    }
    *p = found;
    return 0;
}

void *__wrap_memalign(size_t alignment, size_t size)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_memalign(alignment, size);
    }
    while (!is_alignment(alignment)) { /* as glibc's: the next power of two */
        alignment = alignment == 0 ? 16 : alignment + (alignment & -alignment);
    }
    return ff_allocate(size, alignment);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return ff_current_allocation() == FF_IN_REGION ? __wrap_memalign(alignment, size) : __real_aligned_alloc(alignment, size);
}

void *__wrap_valloc(size_t size)
{
    return ff_current_allocation() == FF_IN_REGION ? ff_allocate(size, FF_PAGE) : __real_valloc(size);
}

size_t __wrap_malloc_usable_size(void *p)
{
    return ff_is_in_region(p) ? ff_capacity(p) : __real_malloc_usable_size(p);
}

char *__wrap_strndup(const char *text, size_t most)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_strndup(text, most);
    }
    size_t length = strnlen(text, most);
    char *copy = ff_allocate(length + 1, 16);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return ff_current_allocation() == FF_IN_REGION ? __wrap_strndup(text, strlen(text)) : __real_strdup(text);
}

wchar_t *__wrap_wcsdup(const wchar_t *text)
{
    if (ff_current_allocation() != FF_IN_REGION) {
        return __real_wcsdup(text);
    }
    size_t size = (wcslen(text) + 1) * sizeof(wchar_t);
    wchar_t *copy = ff_allocate(size, 16);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* ---- Objects: while a snapshot is made they lie in the region like everything else, without pools and arenas. A restored process
 * frees what is in no arena as it frees large blocks (Objects/obmalloc.c, _PyObject_Free()). ---- */

static PyMemAllocatorEx usual[2];
static const PyMemAllocatorDomain domains[2] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
static Py_ssize_t object_count;

static void *allocate_object(void *Py_UNUSED(context), size_t size)
{
    void *p = ff_allocate(size, 16);
    object_count += p != NULL;
    return p;
}

static void *allocate_zeros(void *Py_UNUSED(context), size_t count, size_t size)
{
    void *p = __wrap_calloc(count, size);
    object_count += p != NULL;
    return p;
}

static void *reallocate_object(void *Py_UNUSED(context), void *p, size_t size)
{
    object_count += p == NULL;
    return __wrap_realloc(p, size == 0 ? 1 : size);
}

static void release_object(void *Py_UNUSED(context), void *p)
{
    object_count -= p != NULL;
    __wrap_free(p);
}

#if FF_SNAPSHOT_STATE < 312
static Py_ssize_t ff_block_count;
extern Py_ssize_t __real__Py_GetAllocatedBlocks(void) __attribute__((weak));

Py_ssize_t __wrap__Py_GetAllocatedBlocks(void)
{
    return __real__Py_GetAllocatedBlocks() + ff_block_count;
}
#endif

/* Names that CPython makes when it starts are those of the images (Objects/unicodeobject.c): in the region they would be there twice. Before 3.13
 * CPython's own static strings are interned later, if there are any. */
#if FF_SNAPSHOT_STATE >= 311
extern PyStatus __real__PyUnicode_InitGlobalObjects(PyInterpreterState *interpreter) __attribute__((weak));

PyStatus __wrap__PyUnicode_InitGlobalObjects(PyInterpreterState *interpreter)
{
    PyStatus status = __real__PyUnicode_InitGlobalObjects(interpreter);
#if FF_SNAPSHOT_STATE >= 313
    if (!PyStatus_Exception(status) && ff_is_region_used() && interpreter == PyInterpreterState_Main() &&
        ff_intern_first() < 0) {
        return PyStatus_NoMemory();
    }
#endif
    return status;
}
#endif

void ff_begin_objects(void)
{
    const PyMemAllocatorEx own = {NULL, allocate_object, allocate_zeros, reallocate_object, release_object};
    for (int i = 0; i < 2; i++) {
        PyMem_GetAllocator(domains[i], &usual[i]);
        PyMemAllocatorEx copy = own;
        PyMem_SetAllocator(domains[i], &copy);
    }
}

/* Before a dump. */
void ff_end_objects(void)
{
    for (int i = 0; i < 2; i++) {
        PyMem_SetAllocator(domains[i], &usual[i]);
    }
#ifdef WITH_PYMALLOC
    /* A restored process has its first arena, and the table that finds it: otherwise its first objects would wait for four mappings. */
    PyObject_Free(PyObject_Malloc(1));
    FF_SET_BLOCK_COUNT(object_count);
#endif
}
