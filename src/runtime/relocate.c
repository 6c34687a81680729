/* Pointers of an image in the position-independent model. The image is written without any, so that the loader has
 * nothing to do for modules that are not imported. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
#include <sys/mman.h>
#include <unistd.h>

static PyTypeObject *const kind_types[FF_KIND_COUNT] = {
    [FF_KIND_STR] = &PyUnicode_Type, [FF_KIND_BYTES] = &PyBytes_Type,     [FF_KIND_INT] = &PyLong_Type,
    [FF_KIND_FLOAT] = &PyFloat_Type, [FF_KIND_COMPLEX] = &PyComplex_Type, [FF_KIND_TUPLE] = &PyTuple_Type};

static PyObject *const constants[FF_CONSTANT_COUNT] = {
    [FF_CONSTANT_NONE] = Py_None, [FF_CONSTANT_TRUE] = Py_True, [FF_CONSTANT_FALSE] = Py_False, [FF_CONSTANT_ELLIPSIS] = Py_Ellipsis};

/* What a tagged word stands for; a pointer, which has no tag, for itself: an image may be relocated twice. */
static inline void *resolve(char *base, void *word)
{
    uintptr_t value = (uintptr_t)word;
    switch (value & FF_TAGS) {
    case FF_TAG_INNER:
        return base + (value - FF_TAG_INNER);
    case FF_TAG_RUNTIME:
        return (char *)&_PyRuntime + (value - FF_TAG_RUNTIME);
    case FF_TAG_CONSTANT:
        return constants[value >> 2];
    default:
        return word;
    }
}

static void relocate_code(char *base, PyCodeObject *code)
{
    Py_SET_TYPE((PyObject *)code, &PyCode_Type);
#define RESOLVE_FIELD(field) code->field = resolve(base, code->field);
    FF_CODE_POINTERS(RESOLVE_FIELD)
#undef RESOLVE_FIELD
}

static void relocate_items(char *base, PyTupleObject *tuple)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(tuple); i++) {
        tuple->ob_item[i] = resolve(base, tuple->ob_item[i]);
    }
}

/* Has the kernel bring in all pages of the image at once, for they are all written below: a fault for each costs more
 * than the writing. Older kernels than 5.14 refuse, which does no harm. */
static void populate(char *base, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)base & ~(page - 1);
    (void)madvise((void *)start, (uintptr_t)base + size - start, MADV_POPULATE_WRITE);
#else
    (void)base;
    (void)size;
#endif
}

void ff_relocate(const ff_image *image)
{
    char *base = (char *)image;
    populate(base, image->size);
    const ff_code *codes = FF_FOLLOW(image, const ff_code, image->codes);
    for (uint32_t i = 0; i < image->code_count; i++) {
        relocate_code(base, FF_FOLLOW(image, PyCodeObject, codes[i]));
    }
    const uint32_t *offset = FF_FOLLOW(image, const uint32_t, image->objects);
    for (int kind = 0; kind < FF_KIND_COUNT; kind++, offset++) {
        for (; *offset != 0; offset++) {
            PyObject *object = (PyObject *)(base + *offset);
            Py_SET_TYPE(object, kind_types[kind]);
            if (kind == FF_KIND_TUPLE) {
                relocate_items(base, (PyTupleObject *)object);
            }
            else if (kind == FF_KIND_STR) {
                ff_complete_str(object);
            }
        }
    }
}
#endif
