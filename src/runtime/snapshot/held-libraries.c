/* Extension modules in shared libraries that a snapshot holds. The dynamic linker would put one at another place in each process, and
 * would send its calls of libc's allocator past the region. So it is loaded here, as a part of the region: its code and its data are in
 * the snapshot, and a start needs its file only to see that it has not changed. What points to libc is filled in anew. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char __executable_start[], _end[];

/* A word that points to a library which is not held. */
typedef struct {
    void **place, *value;
    const char *name, *version;
    int64_t addend;
} binding;

typedef struct held_library {
    struct held_library *next;
    dev_t device;
    ino_t inode;
    const char *path;
    binding *bindings;
    size_t binding_count;
    ff_library image;
} held_library;

static held_library *held;
static held_library *bound; /* whose relocations are being applied */

static int is_in_executable(const void *p)
{
    return (const char *)p >= __executable_start && (const char *)p < _end;
}

static void bind_word(void **place, const char *name, const char *version, int64_t addend)
{
    char *found = ff_find_global(name, version);
    *place = found == NULL ? NULL : found + addend;
    if (found != NULL && !is_in_executable(found)) {
        bound->bindings[bound->binding_count++] = (binding){place, *place, name, version, addend};
    }
}

/* ---- Loading ---- */

static char *take_region(size_t size, size_t alignment)
{
    return ff_allocate(size, alignment);
}

static char *take_mapping(size_t size, size_t Py_UNUSED(alignment))
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* NULL if a snapshot can hold a library, else why it cannot. */
const char *ff_can_hold(const char *path)
{
    ff_library image;
    memset(&image, 0, sizeof(image));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *reason = fd < 0 ? "it cannot be read" : ff_read_library(fd, &image, take_mapping);
    if (fd >= 0) {
        close(fd);
    }
    if (image.start != NULL) {
        munmap(image.start, image.size);
    }
    return reason;
}

/* Code is read and executed; everything else stays writable. */
static int protect(const ff_library *image)
{
    for (int i = 0; i < image->part_count; i++) {
        const Elf64_Phdr *part = &image->parts[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            char *start = ff_library_address(image, part->p_vaddr), *from = (char *)((uintptr_t)start & ~(uintptr_t)(FF_PAGE - 1));
            if (mprotect(from, (size_t)((char *)FF_PAGE_END(start + part->p_memsz) - from), PROT_READ | PROT_EXEC) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static void construct(const ff_library *image)
{
    typedef void (*constructor)(int, char **, char **);
    static char *no_arguments[] = {NULL};
    if (image->init != 0) {
        ((constructor)(uintptr_t)ff_library_address(image, image->init))(0, no_arguments, environ);
    }
    const uintptr_t *functions = (const uintptr_t *)ff_library_address(image, image->init_array);
    for (uint64_t i = 0; i < image->init_count; i++) {
        if (functions[i] != 0 && functions[i] != UINTPTR_MAX) {
            ((constructor)functions[i])(0, no_arguments, environ);
        }
    }
}

static held_library *load(int fd, const char *path, const struct stat *found)
{
    held_library *library = ff_allocate(sizeof(*library), 16);
    if (library == NULL || ff_read_library(fd, &library->image, take_region) != NULL) {
        return NULL; /* what it has taken stays: the proof shows that it is nothing */
    }
    const ff_library *image = &library->image;
    size_t count = image->relocation_counts[0] + image->relocation_counts[1];
    library->bindings = ff_allocate(count * sizeof(binding), 16);
    library->path = strdup(path);
    if (library->bindings == NULL || library->path == NULL) {
        return NULL;
    }
    library->device = found->st_dev;
    library->inode = found->st_ino;
    bound = library;
    ff_relocate_library(image, bind_word);
    bound = NULL;
    if (protect(image) < 0) {
        return NULL;
    }
    library->next = held;
    held = library;
    construct(image);
    return library;
}

/* A handle for dlsym(); NULL where the dynamic linker has to load it. */
void *ff_hold_library(const char *path)
{
    if ((held == NULL && ff_current_allocation() != FF_IN_REGION) || strchr(path, '/') == NULL) {
        return NULL;
    }
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    held_library *each = fd < 0 || fstat(fd, &found) != 0 ? NULL : held;
    while (each != NULL && (each->device != found.st_dev || each->inode != found.st_ino)) {
        each = each->next;
    }
    if (each == NULL && fd >= 0 && ff_current_allocation() == FF_IN_REGION) {
        each = load(fd, path, &found);
    }
    if (fd >= 0) {
        close(fd);
    }
    return each;
}

static const held_library *library_of(const void *handle)
{
    const held_library *each = held;
    while (each != NULL && each != handle) {
        each = each->next;
    }
    return each;
}

int ff_is_held(const void *handle)
{
    return handle != NULL && library_of(handle) != NULL;
}

void *ff_find_in_held(const void *handle, const char *name)
{
    return ff_find_symbol(&library_of(handle)->image, name);
}

/* ---- Saving and restoring ---- */

/* Before a dump, when nothing of them runs any more. A word that the library itself has written is its own. */
void ff_unbind_libraries(void)
{
    for (held_library *each = held; each != NULL; each = each->next) {
        for (size_t i = 0; i < each->binding_count; i++) {
            binding *word = &each->bindings[i];
            if (*word->place != word->value) {
                word->name = NULL;
            }
            else {
                *word->place = NULL;
            }
            word->value = NULL;
        }
    }
}

/* In a restored process, before anything of them runs. -1 if they cannot run here. */
int ff_bind_libraries(void)
{
    for (held_library *each = held; each != NULL; each = each->next) {
        for (size_t i = 0; i < each->binding_count; i++) {
            const binding *word = &each->bindings[i];
            char *found = word->name == NULL ? NULL : ff_find_global(word->name, word->version);
            if (found != NULL) {
                *word->place = found + word->addend;
            }
            else if (word->name != NULL) {
                return -1;
            }
        }
        if (protect(&each->image) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Whether an address lies in one of the standard library's extension modules: in the directory that getpath.py gives them. */
int ff_is_in_standard_library(const void *p)
{
    for (const held_library *each = held; each != NULL; each = each->next) {
        if ((const char *)p >= each->image.start && (const char *)p < each->image.start + each->image.size) {
            return strstr(each->path, "/lib-dynload/") != NULL;
        }
    }
    return 0;
}

/* Visits where they lie; the latest one comes first. */
void ff_visit_libraries(void (*visit)(const char *path, const void *start, size_t size, void *argument), void *argument)
{
    for (const held_library *each = held; each != NULL; each = each->next) {
        visit(each->path, each->image.start, each->image.size, argument);
    }
}
