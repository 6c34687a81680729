/* Of the 16 bytes of a long double 6 are no part of the number: compiled code leaves there what it had. They become zero, so that two dumps can be compared. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>

#define SIZE_OF_NUMBER 10

static int is_long_double(const PyObject *value)
{
    const char *name = Py_TYPE(value)->tp_name; /* of numpy 2, and 1 */
    return (size_t)Py_TYPE(value)->tp_basicsize == sizeof(PyObject) + sizeof(long double) &&
           (strcmp(name, "numpy.longdouble") == 0 || strcmp(name, "numpy.float128") == 0);
}

/* Before a dump: those that are attributes of modules. */
void ff_clear_padding(void)
{
#ifdef __x86_64__
    PyObject *name, *module, *key, *value;
    for (Py_ssize_t i = 0; PyDict_Next(PyImport_GetModuleDict(), &i, &name, &module);) {
        PyObject *attributes = PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
        for (Py_ssize_t k = 0; attributes != NULL && PyDict_Next(attributes, &k, &key, &value);) {
            if (is_long_double(value)) {
                memset((char *)(value + 1) + SIZE_OF_NUMBER, 0, sizeof(long double) - SIZE_OF_NUMBER);
            }
        }
    }
#endif
}
