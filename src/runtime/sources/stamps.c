/* Whether a source file is still the one that was frozen. A build leaves a file of stamps beside the executable (or the
 * shared object) that holds the images, and tells the images so: without their stamps, they cannot be trusted. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file: src/pipeline/images/stamp-file.ts writes it. Numbers are those of this machine. A list of identities
 * (ff_identity) of the directories that hold sources follows the header, then a stamp for each source. */
typedef struct {
    char magic[8];
    char index_id[64]; /* which index the stamps belong to */
    uint32_t file_count, folder_count;
    uint32_t has_inodes; /* 0: identities are without inode and change time, for files that will be copied */
    uint32_t unused;
} stamp_header;
typedef struct {
    char code[16];     /* the first digits of the image's digest: stamps of another link are not those of this code */
    uint64_t identity; /* of the source, 0: not known */
    uint64_t hash;     /* of its content, as importlib computes it (PEP 552) */
    uint64_t bytecode; /* identity of its bytecode file, 0: there was none */
    uint32_t folder;   /* index of its directory; that of a package for the package itself */
    uint32_t unused;
} file_stamp;
static const char MAGIC[8] = "FFSTAMP2";

static const stamp_header *header; /* NULL: none */
static const uint64_t *folders;
static const file_stamp *files;
static int64_t built_ns; /* when the images were linked: where no stamps were given, sources have to be older */

/* Reads the stamps beside a file: NULL, or why there are none. */
static const char *read_beside(const char *own_path)
{
    char path[PATH_MAX + 16];
    struct stat status;
    snprintf(path, sizeof(path), "%s.stamps", own_path);
    if (ff_stat(path, &status) < 0) {
        return errno == ENOENT || errno == ENOTDIR ? "the stamps of its sources are missing" : "the stamps of its sources cannot be read";
    }
    size_t size = (size_t)status.st_size;
    if (!S_ISREG(status.st_mode)) {
        return "the stamps of its sources are not a file";
    }
    if (size < sizeof(stamp_header) || size > sizeof(stamp_header) + (sizeof(file_stamp) + 8) * ((size_t)ff_source_count + 1)) {
        return "the stamps of its sources are damaged";
    }
    char *content = malloc(size); /* for the life of the process */
    if (content == NULL) {
        return "no memory for the stamps of its sources";
    }
    const stamp_header *found = (const stamp_header *)content;
    const char *problem = NULL;
    ssize_t length = ff_read_file(path, content, size);
    if (length < 0) {
        problem = "the stamps of its sources cannot be read";
    }
    else if ((size_t)length != size || memcmp(found->magic, MAGIC, sizeof(MAGIC)) != 0) {
        problem = "the stamps of its sources are damaged";
    }
    else if (memcmp(found->index_id, ff_index_id, sizeof(found->index_id)) != 0 || found->file_count != ff_source_count) {
        problem = "the stamps beside it are those of other sources";
    }
    else if (size != sizeof(stamp_header) + sizeof(uint64_t) * found->folder_count + sizeof(file_stamp) * found->file_count) {
        problem = "the stamps of its sources are damaged";
    }
    if (problem != NULL) {
        free(content);
        return problem;
    }
    folders = (const uint64_t *)(found + 1);
    files = (const file_stamp *)(folders + found->folder_count);
    header = found;
    return NULL;
}

/* Looks for the stamps: NULL, or why they cannot be had. */
const char *ff_read_stamps(void)
{
    char path[PATH_MAX];
    const char *problem = NULL;
    for (int way = 0, found; (found = ff_own_path(way, path)) >= 0; way++) {
        const char *missing = found ? read_beside(path) : NULL;
        if (header != NULL) {
            return NULL;
        }
        problem = problem != NULL ? problem : missing;
    }
    return problem != NULL ? problem : "the stamps of its sources cannot be found: its own path is not known";
}

/* For images that were given no stamps: remembers when they were linked. */
void ff_read_own_age(void)
{
    char path[PATH_MAX];
    struct stat status;
    built_ns = INT64_MIN; /* every source is newer */
    for (int way = 0, found; (found = ff_own_path(way, path)) >= 0; way++) {
        if (found && ff_stat(path, &status) == 0) {
            built_ns = ff_mtime_ns(&status);
            return;
        }
    }
}

/* importlib's hash of a file's content; 0 when it cannot be had. */
static int hash_file(const char *path, size_t size, uint64_t *hash)
{
    PyObject *name = PyUnicode_FromString("_imp");
    PyObject *imp = name == NULL ? NULL : PyImport_GetModule(name);
    PyObject *content = imp == NULL ? NULL : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    PyObject *result = NULL;
    if (content != NULL && ff_read_file(path, PyBytes_AS_STRING(content), size) == (ssize_t)size) {
        result = PyObject_CallMethod(imp, "source_hash", "lO", PyImport_GetMagicNumber(), content);
    }
    int has_hash = result != NULL && PyBytes_Check(result) && PyBytes_GET_SIZE(result) == sizeof(*hash);
    if (has_hash) {
        memcpy(hash, PyBytes_AS_STRING(result), sizeof(*hash));
    }
    PyErr_Clear(); /* the source then counts as another one, and importlib meets the same error */
    Py_XDECREF(name);
    Py_XDECREF(imp);
    Py_XDECREF(content);
    Py_XDECREF(result);
    return has_hash;
}

/* A file in the state in which it was frozen; or in another one (a copy, touched, with other permissions), with the same
 * content. */
static int has_frozen_content(const file_stamp *stamp, const char *path)
{
    struct stat status;
    if (ff_stat(path, &status) < 0 || !S_ISREG(status.st_mode)) {
        return 0;
    }
    uint64_t hash;
    return stamp->identity == ff_identity(&status, (int)header->has_inodes) ||
           (hash_file(path, (size_t)status.st_size, &hash) && hash == stamp->hash);
}

/* Whether `path`, the source file of a frozen module, is another file now, or gone, or its bytecode file has other code. */
int ff_is_stale(const ff_source *source, const char *path)
{
    if (header == NULL) {
        struct stat status;
        return ff_stat(path, &status) < 0 || ff_mtime_ns(&status) > built_ns;
    }
    const file_stamp *stamp = &files[source - ff_sources];
    const char *digest = FF_FOLLOW(source->image, const char, source->image->digest);
    return memcmp(stamp->code, digest, sizeof(stamp->code)) != 0 || !has_frozen_content(stamp, path) ||
           ff_has_other_bytecode(path, stamp->bytecode, stamp->hash);
}

/* Whether another file in the directory may have taken the place of the source since it was frozen. */
int ff_is_displaced(const ff_source *source, const char *folder, const char *tail)
{
    if (header == NULL) {
        return 0;
    }
    char package[PATH_MAX];
    struct stat status;
    int length = snprintf(package, sizeof(package), "%s/%s", folder, tail);
    if (length < 0 || (size_t)length >= sizeof(package)) {
        return 1;
    }
    uint32_t index = files[source - ff_sources].folder;
    if (header->has_inodes && index < header->folder_count &&
        ff_stat(source->is_package ? package : folder, &status) == 0 && ff_identity(&status, 1) == folders[index]) {
        return 0; /* nothing came or went */
    }
    return ff_has_rival(folder, tail, source->is_package);
}
