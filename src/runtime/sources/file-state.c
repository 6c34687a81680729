/* What stat() says of a file, without the GIL: a file system that does not answer stops one thread, as with importlib. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int ff_stat(const char *path, struct stat *status)
{
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = stat(path, status);
    Py_END_ALLOW_THREADS
    return result;
}

int64_t ff_mtime_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

/* One number for the state of a file: an equal number means that nobody wrote to it. Without `has_inode`, only what a copy
 * keeps counts. Never 0. src/pipeline/images/file-identity.ts computes the same. */
uint64_t ff_identity(const struct stat *status, int has_inode)
{
    uint64_t hash = mix(mix(0, (uint64_t)status->st_size), (uint64_t)ff_mtime_ns(status));
    if (has_inode) {
        int64_t ctime_ns = (int64_t)status->st_ctim.tv_sec * 1000000000 + status->st_ctim.tv_nsec;
        hash = mix(mix(hash, (uint64_t)status->st_ino), (uint64_t)ctime_ns);
    }
    return hash == 0 ? 1 : hash;
}

static ssize_t read_descriptor(int file, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t part = read(file, buffer + length, size - length);
        if (part < 0 && errno != EINTR) {
            return -1;
        }
        if (part == 0) {
            break;
        }
        length += part < 0 ? 0 : (size_t)part;
    }
    return (ssize_t)length;
}

/* Opens a regular file; -1 with errno, EINVAL for other ones. Never waits for a writer of a FIFO. */
static int open_file(const char *path, struct stat *status)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0 || (fstat(file, status) == 0 && S_ISREG(status->st_mode))) {
        return file;
    }
    close(file);
    errno = EINVAL;
    return -1;
}

static void close_file(int file)
{
    int kept = errno;
    close(file);
    errno = kept;
}

/* Reads up to `size` bytes from the start of a regular file; -1 with errno when that fails. Never maps: a mapped file that
 * somebody truncates kills the process. */
ssize_t ff_read_file(const char *path, char *buffer, size_t size)
{
    ssize_t result = -1;
    Py_BEGIN_ALLOW_THREADS
    struct stat status;
    int file = open_file(path, &status);
    if (file >= 0) {
        result = read_descriptor(file, buffer, size);
        close_file(file);
    }
    Py_END_ALLOW_THREADS
    return result;
}

/* Reads a regular file of at most `limit` bytes into memory of its own; NULL with errno when that fails, EFBIG for a larger one. */
char *ff_load_file(const char *path, size_t limit, size_t *size)
{
    char *content = NULL;
    Py_BEGIN_ALLOW_THREADS
    struct stat status;
    int file = open_file(path, &status);
    if (file >= 0) {
        *size = (size_t)status.st_size;
        errno = EFBIG;
        content = *size > limit ? NULL : malloc(*size + 1); /* 0 bytes are no failure */
        if (content != NULL && read_descriptor(file, content, *size) != (ssize_t)*size) {
            free(content);
            content = NULL;
            errno = EIO;
        }
        close_file(file);
    }
    Py_END_ALLOW_THREADS
    return content;
}
