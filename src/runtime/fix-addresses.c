/* Pointers of images that a build puts into the file of a library, for a place and an interpreter with fixed addresses. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
extern char __start_ff_image[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_image[] __attribute__((weak, visibility("hidden")));

/* Has all images refer to one copy of each string that is interned: that of the first of them which has it. -1 with an exception. */
static int share_strings(const ff_image *image, char *copy, ff_addresses then, PyObject *known)
{
    for (const ff_slot *slot = FF_FOLLOW(image, const ff_slot, image->strings); *slot != 0; slot++) {
        uintptr_t own = *FF_FOLLOW(image, uintptr_t, *slot), shared = own;
        if (own - then.images < (size_t)(__stop_ff_image - __start_ff_image)) {
            PyObject *str = (PyObject *)(copy + (own - then.images));
            PyObject *text = PyUnicode_FromKindAndData(PyUnicode_KIND(str), PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
            PyObject *place = PyLong_FromUnsignedLongLong(own);
            PyObject *first = text == NULL || place == NULL ? NULL : PyDict_SetDefault(known, text, place);
            shared = first == NULL ? 0 : (uintptr_t)PyLong_AsUnsignedLongLong(first);
            Py_XDECREF(text);
            Py_XDECREF(place);
            if (shared == 0) {
                return -1;
            }
        }
        for (; *slot != 0; slot++) {
            *FF_FOLLOW(image, uintptr_t, *slot) = shared;
        }
    }
    return 0;
}

static int fix_image(const ff_image *image, char *copy, ff_addresses then, PyObject *known)
{
    size_t place = (size_t)((const char *)image - __start_ff_image);
    const ff_image *written = (const ff_image *)(copy + place);
    ff_write_pointers(written, (char *)then.images + place);
    return share_strings(written, copy, then, known);
}

/* Writes the pointers of all images into `copy`, a copy of their section that is going to lie at `base`, and gives what to put into
 * ff_fixed; NULL with an exception. */
PyObject *ff_fix_addresses(char *copy, size_t size, uintptr_t base)
{
    if (size != (size_t)(__stop_ff_image - __start_ff_image)) {
        PyErr_SetString(PyExc_ValueError, "not the images of this library");
        return NULL;
    }
    ff_addresses then = ff_addresses_for(base);
    PyObject *known = PyDict_New();
    int status = known == NULL ? -1 : 0;
    for (uint32_t i = 0; i < ff_frozen_row_count && status == 0; i++) {
        status = fix_image(ff_frozen_rows[i].image, copy, then, known);
    }
    for (uint32_t i = 0; i < ff_source_count && status == 0; i++) {
        status = fix_image(ff_sources[i].image, copy, then, known);
    }
    Py_XDECREF(known);
    return status < 0 ? NULL : PyBytes_FromStringAndSize((const char *)&then, sizeof(then));
}
#endif
