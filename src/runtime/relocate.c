/* Pointers of an image in the position-independent model. The image is written without any, so that the loader has
 * nothing to do for modules that are not imported. Where the interpreter has fixed addresses, a build puts the pointers into the
 * file, once: pages that nobody writes are then one for all processes. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
#include <string.h>

extern char __start_ff_image[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_image[] __attribute__((weak, visibility("hidden")));

static PyTypeObject *const kind_types[FF_KIND_COUNT] = {
    [FF_KIND_STR] = &PyUnicode_Type, [FF_KIND_BYTES] = &PyBytes_Type,     [FF_KIND_INT] = &PyLong_Type,
    [FF_KIND_FLOAT] = &PyFloat_Type, [FF_KIND_COMPLEX] = &PyComplex_Type, [FF_KIND_TUPLE] = &PyTuple_Type};

static PyObject *const constants[FF_CONSTANT_COUNT] = {
    [FF_CONSTANT_NONE] = Py_None, [FF_CONSTANT_TRUE] = Py_True, [FF_CONSTANT_FALSE] = Py_False, [FF_CONSTANT_ELLIPSIS] = Py_Ellipsis};

/* ---- what the file has ---- */

/* That for which the file has pointers, in a section of its own, which the build finds by its name. All zero: it has tagged words. */
static const volatile ff_addresses fixed __attribute__((section("ff_fixed"), used)) = {0};

/* What there is in this process, with images at that address. */
ff_addresses ff_addresses_for(uintptr_t images)
{
    ff_addresses result = {.images = images, .runtime = (uintptr_t)&_PyRuntime, .code_type = (uintptr_t)&PyCode_Type};
    memcpy(result.kind_types, kind_types, sizeof(kind_types));
    memcpy(result.constants, constants, sizeof(constants));
    return result;
}

/* Whether library and interpreter lie where they lay for the build. An emulator, valgrind or a library that came first may have
 * moved ours. */
static int have_pointers(void)
{
    static int known = -1;
    if (known < 0) {
        ff_addresses now = ff_addresses_for((uintptr_t)__start_ff_image), then = fixed;
        known = memcmp(&now, &then, sizeof(now)) == 0;
    }
    return known;
}

/* ---- one word ---- */

/* What a tagged word stands for; a pointer, which has no tag, for itself: a build meets the image of an alias twice. */
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

/* A pointer of the build as it is in this process. What lies in another image is a str that both have (fix-addresses.c), and that has
 * to be one before that image is relocated. */
static void *move(const ff_image *image, void *word)
{
    uintptr_t value = (uintptr_t)word;
    size_t place = value - fixed.images;
    if (place < (size_t)(__stop_ff_image - __start_ff_image)) {
        char *moved = __start_ff_image + place;
        if ((size_t)(moved - (char *)image) >= image->size) {
            Py_SET_TYPE((PyObject *)moved, &PyUnicode_Type);
            ff_complete_str((PyObject *)moved, moved);
        }
        return moved;
    }
    for (int i = 0; i < FF_CONSTANT_COUNT; i++) {
        if (value == fixed.constants[i]) {
            return constants[i];
        }
    }
    return value == 0 ? NULL : (char *)&_PyRuntime + (value - fixed.runtime);
}

static inline void *point(const ff_image *image, char *base, void *word)
{
    return fixed.images == 0 ? resolve(base, word) : move(image, word);
}

/* ---- one image ---- */

/* Writes the pointers of an image. Tagged words for places in the image lead to `base`, which is elsewhere for a copy. */
void ff_write_pointers(const ff_image *image, char *base)
{
    const ff_code *codes = FF_FOLLOW(image, const ff_code, image->codes);
    for (uint32_t i = 0; i < image->code_count; i++) {
        PyCodeObject *code = FF_FOLLOW(image, PyCodeObject, codes[i]);
        Py_SET_TYPE((PyObject *)code, &PyCode_Type);
#define POINT_FIELD(field) code->field = point(image, base, code->field);
        FF_CODE_POINTERS(POINT_FIELD)
#undef POINT_FIELD
    }
    const uint32_t *offset = FF_FOLLOW(image, const uint32_t, image->objects);
    for (int kind = 0; kind < FF_KIND_COUNT; kind++, offset++) {
        for (; *offset != 0; offset++) {
            PyObject *object = FF_FOLLOW(image, PyObject, *offset);
            Py_SET_TYPE(object, kind_types[kind]);
            if (kind == FF_KIND_TUPLE) {
                PyTupleObject *tuple = (PyTupleObject *)object;
                for (Py_ssize_t i = 0; i < Py_SIZE(tuple); i++) {
                    tuple->ob_item[i] = point(image, base, tuple->ob_item[i]);
                }
            }
            else if (kind == FF_KIND_STR) {
                ff_complete_str(object, base + *offset);
            }
        }
    }
}

/* Makes the pointers of an image those of this process, before its first use. */
void ff_relocate(const ff_image *image)
{
    if (have_pointers()) {
        ff_populate(FF_FOLLOW(image, char, image->written), image->written_size);
    }
    else if (image->objects != 0) {
        ff_populate(image, image->size);
        ff_write_pointers(image, (char *)image);
        ((ff_image *)image)->objects = 0; /* not again: what was moved looks like what was not */
    }
}
#endif
