/* Pointers of an image in the position-independent model. The image is written without any, so that the loader has
 * nothing to do for modules that are not imported. Where the interpreter has fixed addresses, a build puts the pointers into the
 * file, once: pages that nobody writes are then one for all processes. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
#include <string.h>

extern char __start_ff_written[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_written[] __attribute__((weak, visibility("hidden")));
extern char __start_ff_string[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_string[] __attribute__((weak, visibility("hidden")));
extern char __start_ff_rest[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_rest[] __attribute__((weak, visibility("hidden")));

static PyTypeObject *const kind_types[FF_KIND_COUNT] = {
    [FF_KIND_STR] = &PyUnicode_Type, [FF_KIND_BYTES] = &PyBytes_Type,     [FF_KIND_INT] = &PyLong_Type,
    [FF_KIND_FLOAT] = &PyFloat_Type, [FF_KIND_COMPLEX] = &PyComplex_Type, [FF_KIND_TUPLE] = &PyTuple_Type};

static PyObject *const constants[FF_CONSTANT_COUNT] = {
    [FF_CONSTANT_NONE] = Py_None, [FF_CONSTANT_TRUE] = Py_True, [FF_CONSTANT_FALSE] = Py_False, [FF_CONSTANT_ELLIPSIS] = Py_Ellipsis};

/* ---- what the file has ---- */

/* That for which the file has pointers, in a section of its own, which the build finds by its name. All zero: it has tagged words. */
static const volatile ff_addresses fixed __attribute__((section("ff_fixed"), used)) = {0};

/* All parts with objects, which a linker puts into one segment, in an order of its own. */
ff_span ff_objects(void)
{
    const ff_span parts[] = {
        {__start_ff_written, __stop_ff_written}, {__start_ff_string, __stop_ff_string}, {__start_ff_rest, __stop_ff_rest}};
    ff_span all = parts[0];
    for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].start != parts[i].stop) {
            all.start = parts[i].start < all.start ? parts[i].start : all.start;
            all.stop = parts[i].stop > all.stop ? parts[i].stop : all.stop;
        }
    }
    return all;
}

/* What there is in this process, with objects from that address on. */
ff_addresses ff_addresses_for(uintptr_t objects)
{
    ff_addresses result = {.objects = objects, .runtime = (uintptr_t)&_PyRuntime, .code_type = (uintptr_t)&PyCode_Type};
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
        ff_addresses now = ff_addresses_for((uintptr_t)ff_objects().start), then = fixed;
        known = memcmp(&now, &then, sizeof(now)) == 0;
    }
    return known;
}

/* ---- one word ---- */

/* What a tagged word stands for where the image lies `displacement` bytes further on; a pointer, which has no tag, for itself: a build
 * meets the image of an alias twice. */
static inline void *resolve(const ff_image *image, ptrdiff_t displacement, void *word)
{
    uintptr_t value = (uintptr_t)word;
    uintptr_t tag = value & FF_TAGS;
    switch (tag) {
    case FF_WRITTEN:
    case FF_STRINGS:
    case FF_REST:
        return ff_part_start(image, (uint32_t)tag) + displacement + (value - tag);
    case FF_TAG_RUNTIME:
        return (char *)&_PyRuntime + (value - FF_TAG_RUNTIME);
    case FF_TAG_CONSTANT:
        return constants[value / (FF_TAGS + 1)];
    default:
        return word;
    }
}

/* Whether an object belongs to the image. */
static int is_own(const ff_image *image, const char *object)
{
    for (uint32_t part = FF_WRITTEN; part < FF_PART_COUNT; part++) {
        if ((size_t)(object - ff_part_start(image, part)) < image->parts[part].size) {
            return 1;
        }
    }
    return 0;
}

/* A pointer of the build as it is in this process. What lies in another image is a str that both have (fix-addresses.c), and that has
 * to be one before that image is relocated. */
static void *move(const ff_image *image, void *word)
{
    uintptr_t value = (uintptr_t)word;
    ff_span objects = ff_objects();
    size_t place = value - fixed.objects;
    if (place < (size_t)(objects.stop - objects.start)) {
        char *moved = objects.start + place;
        if (!is_own(image, moved)) {
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

static inline void *point(const ff_image *image, ptrdiff_t displacement, void *word)
{
    return fixed.objects == 0 ? resolve(image, displacement, word) : move(image, word);
}

/* ---- one image ---- */

/* Writes the pointers of an image, or of a copy of it.
 *   copy          how many bytes further on the copy of its objects lies
 *   displacement  how many bytes further on the objects are going to lie: what tagged words lead to */
void ff_write_pointers(const ff_image *image, ptrdiff_t copy, ptrdiff_t displacement)
{
    const ff_code *codes = FF_FOLLOW(image, const ff_code, image->codes);
    for (uint32_t i = 0; i < image->code_count; i++) {
        PyCodeObject *code = (PyCodeObject *)(FF_FOLLOW(image, char, codes[i]) + copy);
        Py_SET_TYPE((PyObject *)code, &PyCode_Type);
#define POINT_FIELD(field) code->field = point(image, displacement, code->field);
        FF_CODE_POINTERS(POINT_FIELD)
#undef POINT_FIELD
    }
    const uint32_t *link = FF_FOLLOW(image, const uint32_t, image->objects);
    for (int kind = 0; kind < FF_KIND_COUNT; kind++, link++) {
        for (; *link != 0; link++) {
            char *place = FF_FOLLOW(image, char, *link);
            PyObject *object = (PyObject *)(place + copy);
            Py_SET_TYPE(object, kind_types[kind]);
            if (kind == FF_KIND_TUPLE) {
                PyTupleObject *tuple = (PyTupleObject *)object;
                for (Py_ssize_t i = 0; i < Py_SIZE(tuple); i++) {
                    tuple->ob_item[i] = point(image, displacement, tuple->ob_item[i]);
                }
            }
            else if (kind == FF_KIND_STR) {
                ff_complete_str(object, place + displacement);
            }
        }
    }
}

/* Makes the pointers of an image those of this process, before its first use. */
void ff_relocate(const ff_image *image)
{
    ff_state *state = (ff_state *)ff_part_start(image, FF_WRITTEN);
    if (have_pointers()) {
        ff_populate_image(image);
        return;
    }
    ff_populate(state, image->parts[FF_WRITTEN].size);
    if (*state == 0) {
        ff_populate(ff_part_start(image, FF_STRINGS), image->parts[FF_STRINGS].size);
        ff_populate(ff_part_start(image, FF_REST), image->parts[FF_REST].size);
        ff_write_pointers(image, 0, 0);
        *state = 1; /* not again: what was moved looks like what was not */
    }
}
#endif
