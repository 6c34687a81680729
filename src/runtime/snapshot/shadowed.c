/* Where a Python runs something, the first entry of sys.path is the directory of the script, or the working directory. When the imports of a snapshot ran, it was
 * not there: a module in it that has the name of one of them would have been imported instead (Python/pathconfig.c, _PyPathConfig_ComputeSysPath0()). Then the start
 * is an ordinary one; also where `-m` runs a module that is in the snapshot, about which runpy warns (Lib/runpy.py, _get_module_details()). */
#include FF_LAYOUT

#include "restore.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* By their hashes, in order. The file is that of the module, for a package its __init__.py. */
typedef struct {
    uint64_t hash;
    dev_t device;
    ino_t inode;
} known_module;
static known_module *first_names, *submodules;
static size_t first_count, submodule_count;
static int is_path_read;

static uint64_t hash_of(const char *name, size_t length)
{
    return ff_hash_bytes(FF_HASH_START, name, length);
}

static int compare(const void *a, const void *b)
{
    uint64_t first = ((const known_module *)a)->hash, second = ((const known_module *)b)->hash;
    return (first > second) - (first < second);
}

static known_module *keep(PyObject *pairs, size_t *count, int is_portable)
{
    Py_ssize_t size = PyList_GET_SIZE(pairs);
    known_module *modules = ff_allocate((size_t)(size + 1) * sizeof(*modules), 16);
    for (Py_ssize_t i = 0; modules != NULL && i < size; i++) {
        const char *name, *path;
        struct stat found = {0};
        if (!PyArg_ParseTuple(PyList_GET_ITEM(pairs, i), "sz", &name, &path)) {
            return NULL;
        }
        if (path != NULL && !is_portable) { /* in a release, each copy has files of its own */
            (void)stat(path, &found);
        }
        modules[i] = (known_module){hash_of(name, strlen(name)), found.st_dev, found.st_ino};
    }
    if (modules == NULL) {
        (void)PyErr_NoMemory();
        return NULL;
    }
    *count = (size_t)size;
    qsort(modules, *count, sizeof(*modules), compare);
    return modules;
}

/* While a snapshot is made. Both are lists of names and files: of modules that the first entry may have, and of submodules that are no packages. */
int ff_keep_names(PyObject *firsts, PyObject *others, int is_portable)
{
    is_path_read = ff_request_value("path", NULL) != NULL;
    first_names = keep(firsts, &first_count, is_portable);
    submodules = first_names == NULL ? NULL : keep(others, &submodule_count, is_portable);
    return submodules == NULL ? -1 : 0;
}

static const known_module *find(const known_module *modules, size_t count, const char *name, size_t length)
{
    known_module key = {.hash = hash_of(name, length)};
    return bsearch(&key, modules, count, sizeof(*modules), compare);
}

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), own = strlen(end);
    return length >= own && strcmp(name + length - own, end) == 0;
}

/* Metadata of packages, which imports look for in each directory (Lib/importlib/metadata/__init__.py, pkg_resources). */
static int is_metadata(const char *name)
{
    return ends_with(name, ".dist-info") || ends_with(name, ".egg-info") || ends_with(name, ".egg-link") || ends_with(name, ".egg");
}

/* Whether an entry of the directory is another module than that of its name in the snapshot. */
static int is_other(DIR *directory, const char *name)
{
    size_t length = strcspn(name, ".");
    int is_file = name[length] == '.';
    const known_module *known = find(first_names, first_count, name, length);
    if (known == NULL || (is_file && strcmp(name + length, ".py") != 0 && strcmp(name + length, ".pyc") != 0 && !ends_with(name, ".so"))) {
        return 0;
    }
    static const char *const beginnings[] = {"__init__.py", "__init__.pyc", "__init__.so"};
    struct stat found;
    for (size_t i = 0; i < (is_file ? 1 : sizeof(beginnings) / sizeof(beginnings[0])); i++) {
        char path[NAME_MAX + 16];
        snprintf(path, sizeof(path), is_file ? "%s" : "%s/%s", name, beginnings[i]);
        if (fstatat(dirfd(directory), path, &found, 0) == 0) {
            return found.st_dev != known->device || found.st_ino != known->inode;
        }
    }
    return 0;
}

/* The first entry of sys.path; 0 if there is none. */
static int first_entry(const ff_command_line *line, char *path)
{
    struct stat found;
    if (line->kind != FF_RUN_FILE) {
        strcpy(path, ".");
        return 1;
    }
    if (realpath(line->text, path) == NULL || stat(path, &found) != 0) {
        return 0;
    }
    char *slash = strrchr(path, '/');
    if (!S_ISDIR(found.st_mode) && slash != NULL) {
        slash[slash == path ? 1 : 0] = '\0';
    }
    return 1;
}

/* In a restored process, before anything of it runs: why the start has to be an ordinary one, as start.c names it; NULL if it need not. */
const char *ff_shadowed(const ff_command_line *line)
{
    char path[PATH_MAX];
    if (ff_program.kind != FF_ENTRY_NONE) {
        return NULL;
    }
    if (line->kind == FF_RUN_MODULE && find(submodules, submodule_count, line->text, strlen(line->text)) != NULL) {
        return FF_WHY_RUN;
    }
    DIR *directory = first_entry(line, path) ? opendir(path) : NULL;
    const char *why = NULL;
    for (struct dirent *each; directory != NULL && why == NULL && (each = readdir(directory)) != NULL;) {
        if (is_other(directory, each->d_name) || (is_path_read && is_metadata(each->d_name))) {
            why = FF_WHY_SHADOWED;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return why;
}
