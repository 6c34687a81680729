/* Pointers of images that a build puts into the file of a library, for a place and an interpreter with fixed addresses. */
#include FF_LAYOUT

#include "flashfreeze.h"

#ifdef FF_POSITION_INDEPENDENT
/* A copy of the objects of all images, and where they are going to lie: both by how many bytes further on than here. */
typedef struct {
    ptrdiff_t copy, displacement;
} places;

/* Has all images refer to one copy of each string that is interned: that of the first of them which has it. -1 with an exception. */
static int share_strings(const ff_image *image, places to, PyObject *known)
{
    ff_span objects = ff_objects();
    for (const ff_slot *slot = FF_FOLLOW(image, const ff_slot, image->strings); *slot != 0; slot++) {
        uintptr_t own = *(uintptr_t *)(FF_FOLLOW(image, char, *slot) + to.copy), shared = own;
        char *here = (char *)own - to.displacement;
        if (here >= objects.start && here < objects.stop) {
            PyObject *str = (PyObject *)(here + to.copy);
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
            *(uintptr_t *)(FF_FOLLOW(image, char, *slot) + to.copy) = shared;
        }
    }
    return 0;
}

static int fix_image(const ff_image *image, places to, PyObject *known)
{
    ff_write_pointers(image, to.copy, to.displacement);
    return share_strings(image, to, known);
}

/* Writes the pointers of all images into `copy`, a copy of their objects that is going to lie at `base`, and gives what to put into
 * ff_fixed; NULL with an exception. */
PyObject *ff_fix_addresses(char *copy, size_t size, uintptr_t base)
{
    ff_span objects = ff_objects();
    if (size != (size_t)(objects.stop - objects.start)) {
        PyErr_SetString(PyExc_ValueError, "not the images of this library");
        return NULL;
    }
    ff_addresses then = ff_addresses_for(base);
    places to = {copy - objects.start, (char *)base - objects.start};
    PyObject *known = PyDict_New();
    int status = known == NULL ? -1 : 0;
    for (uint32_t i = 0; i < ff_frozen_row_count && status == 0; i++) {
        status = fix_image(ff_frozen_rows[i].image, to, known);
    }
    for (uint32_t i = 0; i < ff_source_count && status == 0; i++) {
        status = fix_image(ff_sources[i].image, to, known);
    }
    Py_XDECREF(known);
    return status < 0 ? NULL : PyBytes_FromStringAndSize((const char *)&then, sizeof(then));
}
#endif
