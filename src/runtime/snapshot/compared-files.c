/* The files that a start compares: sources of what was imported, the directories of sys.path, and what imports have read or examined. */
#include FF_LAYOUT

#include "restore.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The names in a directory, in any order, without what imports themselves add to it. */
static uint64_t hash_names(const char *path)
{
    DIR *directory = opendir(path);
    uint64_t sum = 0;
    for (struct dirent *each; directory != NULL && (each = readdir(directory)) != NULL;) {
        if (each->d_name[0] != '.' && strcmp(each->d_name, "__pycache__") != 0) {
            sum += ff_hash_bytes(FF_HASH_START, each->d_name, strlen(each->d_name));
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return sum;
}

#define LARGEST (16 << 20) /* bytes of a file that is read at a start */
#define PIECE 4096         /* words; a multiple of the number of sums */

/* 0 of a file that cannot be read, or has none. */
static uint64_t sum_content(int folder, const char *name)
{
    uint64_t words[PIECE];
    ff_sums sums = FF_NO_SUMS;
    size_t filled;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    do {
        ssize_t size = 0;
        for (filled = 0; fd >= 0 && filled < sizeof(words) && (size = read(fd, (char *)words + filled, sizeof(words) - filled)) > 0;) {
            filled += (size_t)size;
        }
        if (fd < 0 || size < 0) {
            break;
        }
        memset((char *)words + filled, 0, -filled % sizeof(*words));
        ff_add_words(&sums, words, (filled + sizeof(*words) - 1) / sizeof(*words));
    } while (filled == sizeof(words));
    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 ? 0 : ff_whole_sum(&sums);
}

static void add_content(const char *path, ff_file_state *state)
{
    if (S_ISREG(state->mode) && state->size > 0 && state->size <= LARGEST) {
        state->content = sum_content(AT_FDCWD, path);
    }
}

/* The names and the content are left out, which need more time: the rest decides as long as it is the same. */
static int read_state(int folder, const char *name, ff_file_state *state)
{
    struct stat found;
    memset(state, 0, sizeof(*state));
    if (fstatat(folder, name, &found, 0) != 0) {
        return -1;
    }
    *state = (ff_file_state){.device = found.st_dev,
                             .inode = found.st_ino,
                             .mode = found.st_mode,
                             .size = S_ISDIR(found.st_mode) ? 0 : (uint64_t)found.st_size,
                             .mtime_seconds = found.st_mtim.tv_sec,
                             .mtime_nanoseconds = found.st_mtim.tv_nsec,
                             .ctime_seconds = S_ISDIR(found.st_mode) ? 0 : found.st_ctim.tv_sec,
                             .ctime_nanoseconds = S_ISDIR(found.st_mode) ? 0 : found.st_ctim.tv_nsec};
    return 0;
}

int ff_file_state_of(const char *path, ff_file_state *state)
{
    int status = read_state(AT_FDCWD, path, state);
    if (S_ISDIR(state->mode)) {
        state->size = hash_names(path);
    }
    add_content(path, state);
    return status;
}

/* Of a file that was examined: of a directory, only what it is. */
static void leave_examined(ff_file_state *state)
{
    if (S_ISDIR(state->mode)) {
        *state = (ff_file_state){.device = state->device, .inode = state->inode, .mode = state->mode | FF_ONLY_EXAMINED};
    }
}

int ff_examined_state_of(const char *path, ff_file_state *state)
{
    int status = read_state(AT_FDCWD, path, state);
    leave_examined(state);
    add_content(path, state);
    return status;
}

/* What an archive keeps of a file: its kind, size and time, and the names in a directory. */
void ff_make_portable(ff_file_state *state)
{
    uint64_t examined = state->mode & FF_ONLY_EXAMINED;
    int is_folder = S_ISDIR(state->mode & S_IFMT); /* its time is that of the unpacking */
    *state = (ff_file_state){.mode = (state->mode & S_IFMT) | examined,
                             .size = state->size,
                             .mtime_seconds = is_folder ? 0 : state->mtime_seconds,
                             .mtime_nanoseconds = is_folder ? 0 : state->mtime_nanoseconds};
}

/* Files of one directory follow each other: their directory is looked up once, which takes longer than the rest. */
typedef struct {
    const char *name; /* of the path that the directory is a part of */
    size_t length;
    int fd;
} near_folder;

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

static int is_in_folder(const char *path, const char *folder, size_t length)
{
    return folder_length(path) == length && memcmp(path, folder, length) == 0;
}

/* Where to look for a file, and by which name. `next` is the path that follows, NULL behind the last one. */
static const char *enter_folder(near_folder *last, const char *path, const char *next)
{
    size_t length = folder_length(path);
    if (last->fd >= 0 && !is_in_folder(path, last->name, last->length)) {
        close(last->fd);
        last->fd = -1;
    }
    if (last->fd < 0 && length > 0 && length < PATH_MAX && next != NULL && is_in_folder(next, path, length)) {
        char name[PATH_MAX];
        memcpy(name, path, length);
        name[length] = '\0';
        *last = (near_folder){path, length, open(name, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    }
    return last->fd < 0 ? path : path + length + 1;
}

static const char *compare_file(const ff_file_state *state, int folder, const char *name, const char *path, int is_portable)
{
    ff_file_state now;
    int status = read_state(folder, name, &now);
    if ((state->mode & FF_ONLY_EXAMINED) != 0) {
        leave_examined(&now);
    }
    else if (status == 0 && S_ISDIR(now.mode)) { /* all zero for a file that is not there */
        /* A directory of bytecode files that is new changes the time. */
        int is_same = now.mtime_seconds == state->mtime_seconds && now.mtime_nanoseconds == state->mtime_nanoseconds;
        now.size = is_same ? state->size : hash_names(path);
        now.mtime_seconds = state->mtime_seconds;
        now.mtime_nanoseconds = state->mtime_nanoseconds;
    }
    if (is_portable) {
        ff_make_portable(&now);
    }
    now.content = state->content;
    if (status == 0 && memcmp(&now, state, offsetof(ff_file_state, ctime_seconds)) == 0 && memcmp(&now, state, sizeof(now)) != 0 &&
        state->content != 0 && sum_content(folder, name) == state->content) {
        return NULL; /* it got a link, other rights of access and back, or was moved and moved back */
    }
    return memcmp(&now, state, sizeof(now)) == 0 ? NULL : "a file that imports read has changed";
}

const char *ff_compare_files(const ff_file_state *states, const char *path, uint64_t count, int is_portable)
{
    near_folder folder = {NULL, 0, -1};
    const char *reason = NULL;
    for (uint64_t i = 0; i < count && reason == NULL; i++) {
        const char *next = path + strlen(path) + 1, *name = enter_folder(&folder, path, i + 1 < count ? next : NULL);
        reason = compare_file(&states[i], name == path ? AT_FDCWD : folder.fd, name, path, is_portable);
        path = next;
    }
    if (folder.fd >= 0) {
        close(folder.fd);
    }
    return reason;
}

/* A release is made for nobody's home: its user may have no packages there (Lib/site.py, addusersitepackages()). */
const char *ff_find_user_packages(void)
{
    char path[PATH_MAX];
    struct stat found;
    const char *home = getenv("HOME");
    if (home == NULL || *home == '\0') {
        return "HOME is not set";
    }
    int length = snprintf(path, sizeof(path), "%s/.local/lib/python%d.%d/site-packages", home, PY_MAJOR_VERSION, PY_MINOR_VERSION);
    if (length < 0 || (size_t)length >= sizeof(path) || (stat(path, &found) == 0 && S_ISDIR(found.st_mode))) {
        return "the user has packages of their own";
    }
    return NULL;
}
