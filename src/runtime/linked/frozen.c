/* Modules that CPython freezes itself: importlib, os, site, codecs … Its tables of frozen modules get our marshal bytes,
 * and whoever unmarshals those bytes gets the static code. */
#include FF_LAYOUT

#if FF_FROZEN_TABLES == 3
#include "internal/pycore_import.h"
#endif

#include "flashfreeze.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char *marshal_bytes(const ff_image *image)
{
    return FF_FOLLOW(image, const unsigned char, image->marshal);
}

#if FF_FROZEN_TABLES > 0
static const ff_image *row_image(const char *name)
{
    for (uint32_t i = 0; i < ff_frozen_row_count; i++) {
        if (strcmp(ff_frozen_rows[i].name, name) == 0) {
            return ff_frozen_rows[i].image;
        }
    }
    return NULL;
}

/* A copy of a table in which the rows that we have images of give our bytes; the table itself when there is no memory. */
static const struct _frozen *with_our_bytes(const struct _frozen *table)
{
    size_t count = 0;
    while (table[count].name != NULL) {
        count++;
    }
    struct _frozen *copy = malloc((count + 1) * sizeof(struct _frozen));
    if (copy == NULL) {
        return table;
    }
    memcpy(copy, table, (count + 1) * sizeof(struct _frozen));
    for (size_t i = 0; i < count; i++) {
        const ff_image *image = row_image(copy[i].name);
        if (image != NULL) {
            copy[i].code = marshal_bytes(image);
            copy[i].size = (int)image->marshal_size;
#if FF_HAS_DEEPFREEZE
            copy[i].get_code = NULL; /* its own static code, to which unmarshalling would not come (Python/import.c) */
#endif
        }
    }
    return copy;
}
#endif

void ff_install_frozen_rows(void)
{
#if FF_FROZEN_TABLES == 3
    _PyImport_FrozenBootstrap = with_our_bytes(_PyImport_FrozenBootstrap);
    _PyImport_FrozenStdlib = with_our_bytes(_PyImport_FrozenStdlib);
    _PyImport_FrozenTest = with_our_bytes(_PyImport_FrozenTest);
#elif FF_FROZEN_TABLES == 1
    PyImport_FrozenModules = with_our_bytes(PyImport_FrozenModules); /* the only one (Python/frozen.c) */
#endif
}

static const ff_image *image_of_bytes(const char *data, Py_ssize_t size)
{
    for (uint32_t i = 0; i < ff_frozen_row_count; i++) {
        if ((const char *)marshal_bytes(ff_frozen_rows[i].image) == data) {
            return ff_frozen_rows[i].image;
        }
    }
    if (ff_getpath != NULL && size == (Py_ssize_t)ff_getpath->marshal_size && memcmp(data, marshal_bytes(ff_getpath), (size_t)size) == 0) {
        return ff_getpath; /* compiled into getpath.o, not in a table (Modules/getpath.c) */
    }
    return NULL;
}

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);
PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

/* The linker sends the interpreter's calls of PyMarshal_ReadObjectFromString() here (--wrap). */
PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    const ff_image *image = image_of_bytes(data, size);
    PyObject *code = NULL;
    ff_answer is_static = image == NULL || ff_is_import_observed() ? FF_UNSURE : ff_thaw(image, NULL, &code);
    if (is_static != FF_YES) {
        return is_static == FF_FAILED ? NULL : __real_PyMarshal_ReadObjectFromString(data, size);
    }
    /* zipimport is the first module that CPython asks for once the path-based importer is in place, before anything is
     * looked for on disk (Python/pylifecycle.c, init_interp_main() -> init_importlib_external()). */
    if (strcmp(ff_image_name(image), "zipimport") == 0 && ff_install_import_hooks() < 0) {
        Py_DECREF(code);
        return NULL;
    }
    return code;
}

#if FF_HAS_DEEPFREEZE
/* 3.11 and 3.12 have static code of their own, which they prepare at every start, all of it, and take apart at exit
 * (Tools/build/deepfreeze.py). Nothing hands it out any more. */
int __wrap__Py_Deepfreeze_Init(void);
void __wrap__Py_Deepfreeze_Fini(void);

int __wrap__Py_Deepfreeze_Init(void)
{
    return 0;
}

void __wrap__Py_Deepfreeze_Fini(void)
{
}
#endif
