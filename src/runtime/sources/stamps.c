/* Whether a source file is still the one that was frozen: FLASHFREEZE=check, and the default where a build left a file of
 * stamps beside the executable (or the shared object) that holds the images. */
#define _GNU_SOURCE
#include FF_LAYOUT

#include "flashfreeze.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: src/pipeline/images/source-stamps.ts writes it. Numbers are those of this machine. */
typedef struct {
    char magic[8];
    char index_id[64]; /* which index the stamps belong to */
    uint64_t count;
    struct {
        int64_t size;     /* bytes, -1: unknown */
        int64_t mtime_ns; /* since the epoch */
    } files[];
} stamp_file;
static const char MAGIC[8] = "FFSTAMP1";

static const stamp_file *stamps; /* NULL: none */
static int64_t built_ns;         /* when the images were linked: for lack of stamps, sources have to be older */

static int64_t mtime_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* The path of the file that this code is in; 0 when that cannot be told. */
static int own_path(char *path, size_t size)
{
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1((void *)own_path, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL) {
        return 0;
    }
    if (map->l_name[0] != '\0') {
        return (size_t)snprintf(path, size, "%s", map->l_name) < size;
    }
    ssize_t length = readlink("/proc/self/exe", path, size - 1); /* the main program has no name */
    if (length <= 0) {
        return 0;
    }
    path[length] = '\0';
    return 1;
}

static int are_ours(const stamp_file *file, size_t size)
{
    return size >= sizeof(stamp_file) && memcmp(file->magic, MAGIC, sizeof(MAGIC)) == 0 &&
           strncmp(file->index_id, ff_index_id, sizeof(file->index_id)) == 0 && file->count == ff_source_count &&
           size == sizeof(stamp_file) + file->count * sizeof(file->files[0]);
}

/* Looks for stamps. Whether there are any: then sources are checked unless the user says otherwise. */
int ff_read_stamps(void)
{
    char path[PATH_MAX + 16];
    struct stat status;
    if (!own_path(path, PATH_MAX) || stat(path, &status) < 0) {
        return 0;
    }
    built_ns = mtime_ns(&status);
    strcat(path, ".stamps");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    if (fstat(file, &status) == 0 && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (map != MAP_FAILED && are_ours(map, size)) {
            stamps = map;
        }
        else if (map != MAP_FAILED) {
            munmap(map, size);
        }
    }
    close(file);
    return stamps != NULL;
}

/* Whether `path`, the source file of a frozen module, is another file now, or gone. */
int ff_is_stale(const ff_source *source, const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        return 1;
    }
    if (stamps == NULL) {
        return mtime_ns(&status) > built_ns;
    }
    size_t index = (size_t)(source - ff_sources);
    return stamps->files[index].size != (int64_t)status.st_size || stamps->files[index].mtime_ns != mtime_ns(&status);
}
