/* Where the dynamic linker finds a library that another one needs (ld.so(8)). What it looks at on the way is noted, as are files that libraries map: a start
 * compares it. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct searched_path {
    struct searched_path *next;
    char path[];
} searched_path;

static searched_path *searched;

void ff_note_file(const char *path)
{
    for (const searched_path *each = searched; each != NULL; each = each->next) {
        if (strcmp(each->path, path) == 0) {
            return;
        }
    }
    searched_path *new = ff_current_allocation() == FF_IN_REGION ? ff_allocate(sizeof(*new) + strlen(path) + 1, 16) : NULL;
    if (new != NULL) {
        strcpy(new->path, path);
        new->next = searched;
        searched = new;
    }
}

void ff_visit_searched(ff_visitor visit, void *argument)
{
    for (const searched_path *each = searched; each != NULL; each = each->next) {
        visit(each->path, NULL, 0, argument);
    }
}

/* ---- Directories that a library names ---- */

/* Puts in where the library lies; it has no place if the executable itself asks. 0 if a word in it is another one on each machine. */
static int expand(const char *folder, size_t length, const char *beside, char *path)
{
    size_t size = 0, origin = beside == NULL ? 0 : (size_t)(strrchr(beside, '/') - beside);
    for (size_t i = 0; i < length;) {
        size_t word = strncmp(folder + i, "$ORIGIN", 7) == 0 ? 7 : strncmp(folder + i, "${ORIGIN}", 9) == 0 ? 9 : 0;
        if ((word == 0 && folder[i] == '$') || (word != 0 && beside == NULL)) {
            return 0;
        }
        const char *text = word != 0 ? beside : folder + i;
        size_t part = word != 0 ? origin : 1;
        if (i + word > length || size + part >= PATH_MAX) {
            return 0;
        }
        memcpy(path + size, text, part);
        size += part;
        i += word != 0 ? word : 1;
    }
    path[size] = '\0';
    return *path == '/';
}

/* 1 if it is in one of these directories, 0 if not, -1 if that cannot be told. */
static int find_in_folders(const char *folders, const char *name, const char *beside, char *path)
{
    while (folders != NULL && *folders != '\0') {
        size_t length = strcspn(folders, ":;");
        char folder[PATH_MAX];
        if (!expand(folders, length, beside, folder)) {
            return -1;
        }
        struct stat found;
        if (snprintf(path, PATH_MAX, "%s/glibc-hwcaps", folder) >= PATH_MAX || stat(path, &found) == 0) {
            return -1; /* one for each kind of processor */
        }
        if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
            return -1;
        }
        ff_note_file(path);
        if (access(path, R_OK) == 0) {
            return 1;
        }
        folders += length + (folders[length] != '\0');
    }
    return 0;
}

/* ---- The system's list (glibc, sysdeps/generic/dl-cache.h) ---- */

#define SEARCH_CACHE "/etc/ld.so.cache"
#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#ifdef __x86_64__
#define CACHE_KIND 0x0303
#else
#define CACHE_KIND 0x0a03
#endif

typedef struct {
    char magic[20];
    uint32_t count, text_size;
    uint8_t flags, unused[3];
    uint32_t more, none[3];
} cache_header;

typedef struct {
    int32_t kind;
    uint32_t name, path; /* from the header's start */
    uint32_t system;
    uint64_t processor;
} cache_entry;

static int is_text(const char *list, size_t size, size_t start)
{
    return start < size && memchr(list + start, '\0', size - start) != NULL;
}

/* As find_in_folders(). */
static int find_in_list(const char *list, size_t size, const char *name, char *path)
{
    const cache_header *header = (const cache_header *)list;
    if (size < sizeof(*header) + 1 || memcmp(header->magic, CACHE_MAGIC, sizeof(header->magic)) != 0 ||
        header->count > (size - sizeof(*header)) / sizeof(cache_entry)) {
        return -1;
    }
    const cache_entry *entries = (const cache_entry *)(header + 1);
    int count = 0;
    for (uint32_t i = 0; i < header->count; i++) {
        const cache_entry *each = &entries[i];
        if (each->kind != CACHE_KIND || !is_text(list, size, each->name) || !is_text(list, size, each->path) ||
            strcmp(list + each->name, name) != 0) {
            continue;
        }
        if (each->processor != 0 || ++count > 1 || strlen(list + each->path) >= PATH_MAX) {
            return -1;
        }
        strcpy(path, list + each->path);
    }
    return count;
}

static int find_in_cache(const char *name, char *path)
{
    ff_note_file(SEARCH_CACHE);
    int fd = open(SEARCH_CACHE, O_RDONLY | O_CLOEXEC);
    struct stat found;
    int status = 0;
    if (fd >= 0 && fstat(fd, &found) == 0 && found.st_size > 0) {
        size_t size = (size_t)found.st_size;
        const char *list = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (list != MAP_FAILED) {
            status = find_in_list(list, size, name, path);
            munmap((void *)(uintptr_t)list, size);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* ---- All of them ---- */

/* The old kind of directories: those of all libraries that led here count. */
static int find_in_early_folders(const char *name, const ff_library *needing, char *path)
{
    int status = 0;
    for (; needing != NULL && status == 0; needing = needing->needed_by) {
        const Elf64_Dyn *after = NULL;
        status = find_in_folders(ff_next_text(needing, DT_RPATH, &after), name, needing->path, path);
    }
    return status;
}

/* The directories that the executable names, of either kind. */
static const char *own_folders(void)
{
    const char *texts = NULL;
    uint64_t at = 0;
    for (const Elf64_Dyn *each = _DYNAMIC; each->d_tag != DT_NULL; each++) {
        if (each->d_tag == DT_STRTAB) {
            texts = (const char *)(uintptr_t)each->d_un.d_ptr;
        }
        else if (each->d_tag == DT_RUNPATH || each->d_tag == DT_RPATH) {
            at = each->d_un.d_val;
        }
    }
    return at == 0 ? NULL : texts + at;
}

/* Finds what `needing` needs, or the executable itself if that is NULL; `path` has room for PATH_MAX bytes. 0 if it is not found, or if that depends on more than
 * is compared. */
int ff_search_library(const char *name, const ff_library *needing, char *path)
{
    const Elf64_Dyn *after = NULL;
    const char *folders = needing == NULL ? own_folders() : ff_next_text(needing, DT_RUNPATH, &after);
    const char *beside = needing == NULL ? NULL : needing->path;
    int status = strchr(name, '/') != NULL ? -1 : 0;
    if (status == 0 && folders == NULL) {
        status = find_in_early_folders(name, needing, path);
    }
    if (status == 0) {
        status = find_in_folders(getenv("LD_LIBRARY_PATH"), name, beside, path);
    }
    if (status == 0) {
        status = find_in_folders(folders, name, beside, path);
    }
    if (status == 0) {
        status = find_in_cache(name, path);
    }
    return status == 1;
}
