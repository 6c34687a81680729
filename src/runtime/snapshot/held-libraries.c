/* Extension modules in shared libraries that a snapshot holds, and the libraries that they need. The dynamic linker would put one at another
 * place in each process, and would send its calls of libc's allocator past the region. So it is loaded here, as a part of the region: its code and
 * its data are in the snapshot, and a start needs its file only to see that it has not changed. What points to libc is moved as all such words are (move-words.c). */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct held_library {
    struct held_library *next;
    dev_t device;
    ino_t inode;
    int is_constructed;
    ff_library image;
} held_library;

static held_library *held;

/* ---- Reading a library and all that it needs ---- */

/* Breadth first. Those that are held already are among them. */
typedef struct {
    held_library *libraries[FF_SCOPE];
    int count;
    char reason[512];
} closure;

static char *take(size_t size, size_t alignment)
{
    if (ff_current_allocation() == FF_IN_REGION) {
        return ff_allocate(size, alignment);
    }
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int is_in_list(const held_library *library)
{
    const held_library *each = held;
    while (each != NULL && each != library) {
        each = each->next;
    }
    return each != NULL;
}

/* What the region has given stays: the proof shows that it is nothing. */
static void discard(closure *all)
{
    for (int i = 0; i < all->count; i++) {
        held_library *each = all->libraries[i];
        if (is_in_list(each)) {
            continue;
        }
        if (each->image.start != NULL && !ff_is_in_region(each->image.start)) {
            munmap(each->image.start, each->image.size);
        }
        free((void *)(uintptr_t)each->image.path);
        free(each);
    }
    all->count = 0;
}

static int has_name(const held_library *library, const char *name)
{
    const char *own = ff_library_name(&library->image);
    return own != NULL && strcmp(own, name) == 0;
}

static held_library *find_held(const struct stat *found)
{
    held_library *each = held;
    while (each != NULL && (each->device != found->st_dev || each->inode != found->st_ino)) {
        each = each->next;
    }
    return each;
}

static held_library *find_held_name(const char *name)
{
    held_library *each = held;
    while (each != NULL && !has_name(each, name)) {
        each = each->next;
    }
    return each;
}

/* The reason why not, which lies in the closure; NULL if it is there now. */
static const char *add_file(closure *all, int fd, const char *path, const ff_library *needed_by)
{
    struct stat found;
    if (fd < 0 || fstat(fd, &found) != 0) {
        return "it cannot be read";
    }
    held_library *library = find_held(&found);
    for (int i = 0; i < all->count; i++) {
        if (all->libraries[i]->device == found.st_dev && all->libraries[i]->inode == found.st_ino) {
            return NULL;
        }
    }
    if (all->count == FF_SCOPE) {
        return "it needs too many libraries";
    }
    if (library != NULL) {
        all->libraries[all->count++] = library;
        return NULL;
    }
    library = calloc(1, sizeof(*library));
    char *own_path = library == NULL ? NULL : strdup(path);
    if (own_path == NULL) {
        free(library);
        return "there is no memory for it";
    }
    all->libraries[all->count++] = library;
    library->device = found.st_dev;
    library->inode = found.st_ino;
    library->image.path = own_path;
    library->image.needed_by = needed_by;
    return ff_read_library(fd, &library->image, take);
}

static int has_file_name(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *name)
{
    const char *slash = strrchr(object->dlpi_name, '/');
    return slash != NULL && strcmp(slash + 1, name) == 0;
}

static const char *add_needed(closure *all, const char *name, const ff_library *needed_by)
{
    for (int i = 0; i < all->count; i++) {
        if (has_name(all->libraries[i], name)) {
            return NULL;
        }
    }
    if (ff_is_there_at_start(name)) {
        return NULL;
    }
    held_library *library = find_held_name(name);
    if (library != NULL && all->count < FF_SCOPE) {
        all->libraries[all->count++] = library;
        return NULL;
    }
    /* What needs it was loaded by the dynamic linker, too, because it cannot be held. */
    if (ff_current_allocation() == FF_AFTER_RESTORE && dl_iterate_phdr(has_file_name, (void *)(uintptr_t)name) != 0) {
        return "the dynamic linker has loaded it";
    }
    char path[PATH_MAX];
    if (!ff_search_library(name, needed_by, path)) {
        return "it is not found, or for each kind of processor another one is";
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *reason = add_file(all, fd, path, needed_by);
    if (fd >= 0) {
        close(fd);
    }
    return reason;
}

static const char *add_all_needed(closure *all)
{
    for (int i = 0; i < all->count; i++) {
        const ff_library *image = &all->libraries[i]->image;
        const Elf64_Dyn *after = NULL;
        for (const char *name; (name = ff_next_text(image, DT_NEEDED, &after)) != NULL;) {
            const char *reason = add_needed(all, name, image);
            if (reason != NULL) {
                snprintf(all->reason, sizeof(all->reason), "it needs %s: %s", name, reason);
                return all->reason;
            }
        }
    }
    return NULL;
}

static ff_scope scope_of(const closure *all)
{
    ff_scope scope = {.count = all->count};
    for (int i = 0; i < all->count; i++) {
        scope.libraries[i] = &all->libraries[i]->image;
    }
    return scope;
}

static const char *check_library(const ff_library *library, const ff_scope *scope)
{
    if (library->thread_size > 0 && ff_needs_thread_room(library) && !ff_has_thread_room(library)) {
        return "it has too many thread-local variables";
    }
    if (ff_is_second(library, "ffi_closure_alloc")) {
        return "it is a second libffi, whose callbacks cannot be seen";
    }
    return ff_check_symbols(library, scope);
}

/* Reads an extension module, or what else is opened, and all that it needs. NULL if that is all there, else why not. */
static const char *read_closure(closure *all, int fd, const char *path)
{
    const char *reason = add_file(all, fd, path, NULL);
    return reason == NULL ? add_all_needed(all) : reason;
}

/* NULL if they can be held together, else why not. */
static const char *check_closure(closure *all)
{
    const char *reason = NULL;
    ff_scope scope = scope_of(all);
    for (int i = 0; i < all->count && reason == NULL; i++) {
        if (is_in_list(all->libraries[i])) {
            continue;
        }
        const ff_library *image = &all->libraries[i]->image;
        reason = check_library(image, &scope);
        if (reason != NULL && i > 0) {
            const char *name = strrchr(image->path, '/');
            snprintf(all->reason, sizeof(all->reason), "it needs %s: %s", name == NULL ? image->path : name + 1, reason);
            reason = all->reason;
        }
    }
    return reason;
}

/* The file of a library that is opened by its name or its path. -1 if there is none, or if more would have to be compared. */
static int find_file(const char **path, const ff_library *needed_by)
{
    static char found[PATH_MAX];
    if (strchr(*path, '/') == NULL) {
        if (!ff_search_library(*path, needed_by, found)) {
            return -1;
        }
        *path = found;
    }
    return open(*path, O_RDONLY | O_CLOEXEC);
}

/* NULL if a snapshot can hold a library, or if each process has it, else why it cannot. */
const char *ff_can_hold(const char *path)
{
    static closure all;
    if (strchr(path, '/') == NULL && ff_is_there_at_start(path)) {
        return NULL;
    }
    int fd = find_file(&path, NULL);
    const char *reason = read_closure(&all, fd, path);
    reason = reason == NULL ? check_closure(&all) : reason;
    if (fd >= 0) {
        close(fd);
    }
    discard(&all);
    return reason;
}

/* ---- Loading ---- */

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

/* After those of what it needs. */
static void construct_all(const closure *all, held_library *library)
{
    if (library->is_constructed) {
        return;
    }
    library->is_constructed = 1; /* libraries may need each other */
    const Elf64_Dyn *after = NULL;
    for (const char *name; (name = ff_next_text(&library->image, DT_NEEDED, &after)) != NULL;) {
        for (int i = 0; i < all->count; i++) {
            if (has_name(all->libraries[i], name)) {
                construct_all(all, all->libraries[i]);
            }
        }
    }
    ff_end_library(&library->image);
    construct(&library->image);
}

/* Puts in the addresses of libraries that have been read. -1 without memory. */
static int relocate(held_library *const *libraries, int count, const ff_scope *scope)
{
    int have_choices[FF_SCOPE];
    for (int i = 0; i < count; i++) {
        ff_library *image = &libraries[i]->image;
        if (image->thread_size > 0 && (ff_needs_thread_room(image) ? ff_take_thread_room(image) : ff_take_thread_block(image)) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        ff_library *image = &libraries[i]->image;
        ff_shift_addresses(image);
        have_choices[i] = ff_put_addresses(image, scope, 0);
        if (protect(image) < 0 || ff_begin_thread_values(image) < 0) {
            return -1;
        }
    }
    /* Functions that choose others run when everything else is there. */
    for (int i = 0; i < count; i++) {
        if (have_choices[i]) {
            (void)ff_put_addresses(&libraries[i]->image, scope, 1);
        }
    }
    return 0;
}

/* NULL if the dynamic linker has to load it. */
static held_library *load(int fd, const char *path)
{
    closure all = {.count = 0};
    held_library *new[FF_SCOPE];
    int count = 0;
    const char *reason = read_closure(&all, fd, path);
    for (int i = 0; i < all.count; i++) {
        if (!is_in_list(all.libraries[i])) {
            new[count++] = all.libraries[i];
        }
    }
    ff_scope scope = scope_of(&all);
    /* In a restored process, the dynamic linker loads whatever does not need a library that is here already: two of one would not know each other. */
    int is_wanted = ff_current_allocation() == FF_IN_REGION || count < all.count;
    if (reason != NULL || !is_wanted || check_closure(&all) != NULL || relocate(new, count, &scope) < 0) {
        discard(&all);
        return NULL;
    }
    for (int i = count; i > 0; i--) {
        new[i - 1]->next = held;
        held = new[i - 1];
    }
    construct_all(&all, all.libraries[0]);
    return all.libraries[0];
}

/* A handle for dlsym(); NULL where the dynamic linker has to load it. */
void *ff_hold_library(const char *path, int mode, const void *caller)
{
    ff_allocation allocation = ff_current_allocation();
    if (allocation == FF_FROM_LIBC || (held == NULL && allocation != FF_IN_REGION)) {
        return NULL;
    }
    held_library *library = strchr(path, '/') == NULL ? find_held_name(path) : NULL;
    if (library == NULL && (strchr(path, '/') != NULL || !ff_is_there_at_start(path))) {
        struct stat found;
        int fd = find_file(&path, ff_held_around(caller));
        if (fd >= 0 && fstat(fd, &found) == 0) {
            library = find_held(&found);
            library = library == NULL && (mode & RTLD_NOLOAD) == 0 ? load(fd, path) : library;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return library == NULL ? NULL : &library->image;
}

/* ---- What is held ---- */

const ff_library *ff_next_held(const ff_library *after)
{
    const held_library *each = held;
    while (after != NULL && each != NULL && &each->image != after) {
        each = each->next;
    }
    each = after == NULL || each == NULL ? each : each->next;
    return each == NULL ? NULL : &each->image;
}

/* The library of a handle; NULL if it is the dynamic linker's. */
const ff_library *ff_held_image(const void *handle)
{
    const ff_library *each = NULL;
    while ((each = ff_next_held(each)) != NULL && each != handle) {
    }
    return each;
}

/* The library that an address lies in. */
const ff_library *ff_held_around(const void *p)
{
    const ff_library *each = NULL;
    while ((each = ff_next_held(each)) != NULL && ((const char *)p < each->start || (const char *)p >= each->start + each->size)) {
    }
    return each;
}

/* A library and what it needs, breadth first. */
static ff_scope scope_around(const ff_library *library)
{
    ff_scope scope = {{library}, 1};
    for (int i = 0; i < scope.count; i++) {
        const Elf64_Dyn *after = NULL;
        for (const char *name; (name = ff_next_text(scope.libraries[i], DT_NEEDED, &after)) != NULL;) {
            const held_library *needed = find_held_name(name);
            int is_new = needed != NULL && scope.count < FF_SCOPE;
            for (int k = 0; k < scope.count && is_new; k++) {
                is_new = scope.libraries[k] != &needed->image;
            }
            if (is_new) {
                scope.libraries[scope.count++] = &needed->image;
            }
        }
    }
    return scope;
}

/* What dlsym() finds in a library and what it needs, or in those of them behind one. */
void *ff_find_in_held(const ff_library *library, const char *name, const ff_library *after)
{
    ff_scope scope = scope_around(library);
    int is_behind = after == NULL;
    for (int i = 0; i < scope.count; i++) {
        const Elf64_Sym *symbol = is_behind ? ff_find_symbol(scope.libraries[i], name, NULL) : NULL;
        if (symbol != NULL) {
            return ff_symbol_address(scope.libraries[i], symbol);
        }
        is_behind |= scope.libraries[i] == after;
    }
    return NULL;
}

/* A function of the held library that another one belongs to. */
void *ff_find_beside(const void *p, const char *name)
{
    const ff_library *library = ff_held_around(p);
    const Elf64_Sym *symbol = library == NULL ? NULL : ff_find_symbol(library, name, NULL);
    return symbol == NULL ? NULL : ff_symbol_address(library, symbol);
}

/* ---- Restoring ---- */

/* In a restored process, before anything of them runs. -1 if they cannot run here. */
int ff_begin_libraries(void)
{
    for (const held_library *each = held; each != NULL; each = each->next) {
        if (protect(&each->image) < 0 || ff_give_thread_values(&each->image) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Whether an address lies in one of the standard library's extension modules: in the directory that getpath.py gives them. */
int ff_is_in_standard_library(const void *p)
{
    const ff_library *library = ff_held_around(p);
    return library != NULL && strstr(library->path, "/lib-dynload/") != NULL;
}

/* Visits where they lie, and files that were looked for without being there, which have no address. What an extension module needs is visited with
 * the path of the module, too. The latest one comes first. */
void ff_visit_libraries(ff_visitor visit, void *argument)
{
    for (const ff_library *each = NULL; (each = ff_next_held(each)) != NULL;) {
        visit(each->path, each->start, each->size, argument);
        ff_scope scope = scope_around(each);
        for (int i = 1; i < scope.count && ff_is_extension_module(each); i++) {
            visit(each->path, scope.libraries[i]->start, scope.libraries[i]->size, argument);
        }
    }
    ff_visit_searched(visit, argument);
}
