/* Where the file is that holds this code: an executable, or a shared object. /proc may be missing, and names the dynamic
 * linker where that was run with the program as its argument, so there are several ways to find it. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Whether an object that was loaded holds this code; *name gets what the dynamic linker calls it. */
static int find_own_name(struct dl_phdr_info *object, size_t size, void *name)
{
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (uintptr_t)find_own_name - (object->dlpi_addr + part->p_vaddr) < part->p_memsz) {
            *(const char **)name = object->dlpi_name;
            return 1;
        }
    }
    return 0;
}

/* The name under which the dynamic linker loaded this code: NULL where that is unknown, "" for the main program. Not by
 * dladdr(), which looks through all symbols. */
static const char *loaded_name(void)
{
    const char *name = NULL;
    dl_iterate_phdr(find_own_name, &name);
    return name;
}

static int resolve(const char *name, char *path)
{
    char *resolved = NULL;
    if (name != NULL) {
        Py_BEGIN_ALLOW_THREADS
        resolved = realpath(name, path);
        Py_END_ALLOW_THREADS
    }
    return resolved != NULL;
}

/* A path of the interpreter's configuration. */
static int resolve_wide(const wchar_t *name, char *path)
{
    char *encoded = name == NULL || name[0] == L'\0' ? NULL : Py_EncodeLocale(name, NULL); /* sets no exception */
    if (encoded == NULL) {
        return 0;
    }
    int found = resolve(encoded, path);
    PyMem_Free(encoded);
    return found;
}

static int resolve_proc(char *path)
{
    ssize_t length;
    Py_BEGIN_ALLOW_THREADS
    length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    Py_END_ALLOW_THREADS
    if (length <= 0) {
        return 0;
    }
    path[length] = '\0';
    return 1;
}

/* Puts a path that this file may have into `path` (of PATH_MAX bytes): 1, or 0 when the `way`-th way finds none, -1 when
 * there is no such way. Who uses a path checks that what it finds there belongs to these images. */
int ff_own_path(int way, char *path)
{
    const char *name = loaded_name();
    if (name != NULL && name[0] != '\0') {
        return way == 0 ? resolve(name, path) : -1;
    }
    const PyConfig *config = _Py_GetConfig();
    switch (way) {
    case 0:
        return resolve_proc(path);
    case 1:
        return resolve((const char *)getauxval(AT_EXECFN), path);
    case 2:
        return resolve_wide(config->executable, path);
    case 3:
        return resolve_wide(config->base_executable, path); /* of a virtual environment that has a copy */
    default:
        return -1;
    }
}
