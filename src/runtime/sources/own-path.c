/* Where the file is that holds this code: an executable, or a shared object. /proc may be missing, and names the dynamic
 * linker where that was run with the program as its argument, so there are several ways to find it. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The name under which the dynamic linker loaded this code: NULL where that is unknown, "" for the main program. */
static const char *loaded_name(void)
{
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1((void *)loaded_name, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL) {
        return NULL;
    }
    return map->l_name;
}

static int resolve(const char *name, char *path)
{
    return name != NULL && realpath(name, path) != NULL;
}

/* A path of the interpreter's configuration. */
static int resolve_wide(const wchar_t *name, char *path)
{
    char *encoded = name == NULL || name[0] == L'\0' ? NULL : Py_EncodeLocale(name, NULL);
    if (encoded == NULL) {
        PyErr_Clear();
        return 0;
    }
    int found = resolve(encoded, path);
    PyMem_Free(encoded);
    return found;
}

static int resolve_proc(char *path)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
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
