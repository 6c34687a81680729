/* Whether lists, dictionaries and sets hold what they held: those of a module, and the defaults of functions. They are changed
 * in place, where no name shows it. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

struct ff_container {
    PyObject *object, *copy;
    uint64_t version; /* of a dictionary when it was compared, 0: it has none */
};

/* Room for one more element of an array that has `count`: it grows when these are a power of two. NULL with an exception. */
void *ff_make_room(void *array, size_t count, size_t element_size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    void *larger = PyMem_RawRealloc(array, (count == 0 ? 1 : 2 * count) * element_size);
    if (larger == NULL) {
        PyErr_NoMemory();
    }
    return larger;
}

/* A number that is another one whenever a dictionary was changed, or 0. */
static uint64_t version_of(PyObject *object)
{
#if FF_HAS_DICT_VERSION
    return PyDict_CheckExact(object) ? ((PyDictObject *)object)->ma_version_tag : 0;
#else
    (void)object;
    return 0;
#endif
}

/* Remembers what the object holds, if it is a list, a dictionary or a set. -1 with an exception. */
int ff_remember_container(ff_memory *memory, PyObject *object)
{
    PyObject *copy = PyList_CheckExact(object)                                   ? PyList_AsTuple(object)
                     : PyDict_CheckExact(object)                                 ? PyDict_Copy(object)
                     : PyAnySet_CheckExact(object) && !PyFrozenSet_Check(object) ? PyFrozenSet_New(object)
                                                                                 : Py_NewRef(Py_None);
    if (copy == NULL || copy == Py_None) {
        Py_XDECREF(copy);
        return copy == NULL ? -1 : 0;
    }
    ff_container *containers = ff_make_room(memory->containers, memory->container_count, sizeof(ff_container));
    if (containers == NULL) {
        Py_DECREF(copy);
        return -1;
    }
    memory->containers = containers;
    memory->containers[memory->container_count++] = (ff_container){Py_NewRef(object), copy, version_of(object)};
    return 0;
}

static int is_list_unmodified(PyObject *list, PyObject *copy)
{
    size_t size = (size_t)PyTuple_GET_SIZE(copy);
    return PyList_GET_SIZE(list) == PyTuple_GET_SIZE(copy) &&
           memcmp(((PyListObject *)list)->ob_item, ((PyTupleObject *)copy)->ob_item, size * sizeof(PyObject *)) == 0;
}

/* The same objects in the same places of the table, as in a copy of one that nobody changed; or the same otherwise. */
static int is_set_unmodified(PyObject *set, PyObject *copy)
{
    const PySetObject *one = (PySetObject *)set, *other = (PySetObject *)copy;
    if (one->mask == other->mask && one->used == other->used &&
        memcmp(one->table, other->table, ((size_t)one->mask + 1) * sizeof(setentry)) == 0) {
        return 1;
    }
    return PyObject_RichCompareBool(set, copy, Py_EQ);
}

/* The same values under the same names, in the same order: that of unmodified ones. */
static int is_dict_unmodified(PyObject *dict, PyObject *copy)
{
    PyObject *name, *value, *copied_name, *copied_value;
    Py_ssize_t position = 0, copied = 0;
    while (PyDict_Next(copy, &copied, &copied_name, &copied_value)) {
        if (!PyDict_Next(dict, &position, &name, &value) || name != copied_name || value != copied_value) {
            return 0;
        }
    }
    return PyDict_GET_SIZE(dict) == PyDict_GET_SIZE(copy);
}

/* Whether all of them hold what they held. */
ff_answer ff_are_containers_unmodified(const ff_memory *memory)
{
    for (size_t i = 0; i < memory->container_count; i++) {
        ff_container *each = &memory->containers[i];
        uint64_t version = version_of(each->object);
        if (version != 0 && version == each->version) {
            continue;
        }
        int is_same = PyTuple_CheckExact(each->copy)  ? is_list_unmodified(each->object, each->copy)
                      : PyDict_CheckExact(each->copy) ? is_dict_unmodified(each->object, each->copy)
                                                      : is_set_unmodified(each->object, each->copy);
        if (is_same <= 0) {
            return is_same < 0 ? FF_FAILED : FF_NO;
        }
        each->version = version;
    }
    return FF_YES;
}
