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

/* What is wrong with the content of a file of stamps, or NULL. */
static const char *find_damage(const stamp_header *found, size_t size)
{
    if (size < sizeof(*found) || memcmp(found->magic, MAGIC, sizeof(MAGIC)) != 0) {
        return "the stamps of its sources are damaged";
    }
    if (memcmp(found->index_id, ff_index_id, sizeof(found->index_id)) != 0 || found->file_count != ff_source_count) {
        return "the stamps beside it are those of other sources";
    }
    if (size != sizeof(*found) + sizeof(uint64_t) * found->folder_count + sizeof(file_stamp) * found->file_count) {
        return "the stamps of its sources are damaged";
    }
    return NULL;
}

static const char *explain_failure(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "the stamps of its sources are missing";
    case EINVAL:
        return "the stamps of its sources are not a file";
    case EFBIG:
        return "the stamps of its sources are damaged";
    default:
        return "the stamps of its sources cannot be read";
    }
}

/* Reads the stamps beside a file: NULL, or why there are none. */
static const char *read_beside(const char *own_path)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s.stamps", own_path);
    size_t limit = sizeof(stamp_header) + (sizeof(uint64_t) + sizeof(file_stamp)) * ((size_t)ff_source_count + 1), size;
    char *content = ff_load_file(path, limit, &size); /* for the life of the process */
    if (content == NULL) {
        return explain_failure(errno);
    }
    const char *damage = find_damage((const stamp_header *)content, size);
    if (damage != NULL) {
        free(content);
        return damage;
    }
    header = (const stamp_header *)content;
    folders = (const uint64_t *)(header + 1);
    files = (const file_stamp *)(folders + header->folder_count);
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

/* Gives importlib's hash of a file's content. FF_NO: it cannot be read. */
static ff_answer hash_file(const char *path, size_t size, uint64_t *hash)
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
    Py_XDECREF(name);
    Py_XDECREF(imp);
    Py_XDECREF(content);
    Py_XDECREF(result);
    return ff_forgive(has_hash ? FF_YES : FF_NO);
}

/* A file in the state in which it was frozen; or in another one (a copy, touched, with other permissions), with the same
 * content. */
static ff_answer has_frozen_content(const file_stamp *stamp, const char *path)
{
    struct stat status;
    if (ff_stat(path, &status) < 0 || !S_ISREG(status.st_mode)) {
        return FF_NO;
    }
    if (stamp->identity == ff_identity(&status, (int)header->has_inodes)) {
        return FF_YES;
    }
    uint64_t hash;
    ff_answer has_hash = hash_file(path, (size_t)status.st_size, &hash);
    return has_hash == FF_YES && hash != stamp->hash ? FF_NO : has_hash;
}

/* Whether `path`, the source file of a frozen module, is another file now, or gone, or its bytecode file has other code. */
ff_answer ff_is_stale(const ff_source *source, const char *path)
{
    if (header == NULL) {
        struct stat status;
        return ff_stat(path, &status) < 0 || ff_mtime_ns(&status) > built_ns ? FF_YES : FF_NO;
    }
    const file_stamp *stamp = &files[source - ff_sources];
    const char *digest = FF_FOLLOW(source->image, const char, source->image->digest);
    if (memcmp(stamp->code, digest, sizeof(stamp->code)) != 0) {
        return FF_YES;
    }
    ff_answer is_same = has_frozen_content(stamp, path);
    return is_same == FF_YES ? ff_has_other_bytecode(path, stamp->bytecode, stamp->hash) : ff_failed_or(is_same, FF_YES);
}

/* Whether another file in the directory may have taken the place of the source since it was frozen. */
ff_answer ff_is_displaced(const ff_source *source, ff_text folder, ff_text tail)
{
    if (header == NULL) {
        return FF_NO;
    }
    char path[PATH_MAX];
    struct stat status;
    const ff_text parts[] = {folder, FF_LITERAL("/"), tail};
    if (!ff_join_path(path, parts, source->is_package ? 3 : 1)) {
        return FF_YES;
    }
    uint32_t index = files[source - ff_sources].folder;
    if (header->has_inodes && index < header->folder_count && ff_stat(path, &status) == 0 &&
        ff_identity(&status, 1) == folders[index]) {
        return FF_NO; /* nothing came or went */
    }
    return ff_has_rival(folder, tail, source->is_package);
}
