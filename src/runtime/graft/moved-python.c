/* A copy of the executable of a Python that was moved, which lies elsewhere. Such a Python was configured for another directory, and
 * finds its library only from the path of its executable (Modules/getpath.py). So the copy starts by the path of the original, and
 * `sys.executable` is set right once there is a `sys`. `sys._base_executable` stays: virtual environments are made of the original. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path by which this program was started; empty if it starts by its own. */
static char started_as[PATH_MAX];
/* The virtual environment that this program is in, if it starts by the path of the original there, too; else empty. */
static char environment[PATH_MAX];

/* The first word of the command line: a constructor has it as an argument in glibc, and not in musl. */
static int read_program_name(char *name, size_t size)
{
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    ssize_t length = read(file, name, size);
    close(file);
    return length > 0 && name[0] != '\0' && memchr(name, '\0', (size_t)length) != NULL;
}

/* Whether all of it had room. */
static int join(char *path, size_t size, const char *folder, size_t length, const char *name)
{
    int written = snprintf(path, size, "%.*s%s%s", (int)length, folder, length == 0 || folder[length - 1] == '/' ? "" : "/", name);
    return written > 0 && (size_t)written < size;
}

static int is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

static int is_same_folder(const char *one, const char *other)
{
    struct stat first, second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static int join_here(char *path, size_t size, const char *name)
{
    char here[PATH_MAX];
    while (strncmp(name, "./", 2) == 0) {
        name += 2;
    }
    return getcwd(here, sizeof(here)) != NULL && join(path, size, here, strlen(here), name);
}

/* As getpath computes `executable`: a path is taken from the current directory, a name is searched on PATH. */
static int find_executable(const char *name, char *path, size_t size)
{
    if (name[0] == '/') {
        return join(path, size, "", 0, name);
    }
    if (strchr(name, '/') != NULL) {
        return join_here(path, size, name);
    }
    for (const char *folder = getenv("PATH"); folder != NULL && *folder != '\0';) {
        char found[PATH_MAX];
        size_t length = strcspn(folder, ":");
        if (join(found, sizeof(found), folder, length, name) && is_program(found)) {
            return found[0] == '/' ? join(path, size, "", 0, found) : join_here(path, size, found);
        }
        folder += length + (folder[length] == ':');
    }
    return 0;
}

/* The length of the path of a file's directory. */
static size_t length_of_folder(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    return length;
}

/* The value of a line `home = value`, which is changed; NULL if it is another line. */
static char *read_home(char *line)
{
    static const char key[] = "home";
    line += strspn(line, " \t");
    if (strncasecmp(line, key, sizeof(key) - 1) != 0) {
        return NULL;
    }
    line += sizeof(key) - 1;
    line += strspn(line, " \t");
    if (*line != '=') {
        return NULL;
    }
    line += 1 + strspn(line + 1, " \t");
    for (char *end = line + strlen(line); end > line && strchr(" \t\r", end[-1]) != NULL;) {
        *--end = '\0';
    }
    return line;
}

/* The value of `home` in the text of a pyvenv.cfg, which is changed; NULL if there is none. */
static char *find_home(char *text)
{
    char *rest = text, *home = NULL;
    while (home == NULL && rest != NULL) {
        char *line = strsep(&rest, "\n");
        home = read_home(line);
    }
    return home;
}

/* Whether a directory is a virtual environment. If it was made of this copy, `home` is the copy's own directory, where no library is. */
static ff_answer is_environment(const char *folder, size_t length, int *is_of_copy)
{
    char path[PATH_MAX], text[8192], own[PATH_MAX];
    if (!join(path, sizeof(path), folder, length, "pyvenv.cfg")) {
        return FF_NO;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return FF_NO;
    }
    ssize_t size = read(file, text, sizeof(text) - 1);
    close(file);
    text[size < 0 ? 0 : size] = '\0';
    const char *home = find_home(text);
    ssize_t end = readlink("/proc/self/exe", own, sizeof(own));
    if (home != NULL && end > 0 && end < (ssize_t)sizeof(own)) {
        own[length_of_folder(own, (size_t)end)] = '\0';
        *is_of_copy = is_same_folder(home, own);
    }
    return FF_YES;
}

/* A virtual environment's file is in the directory above that of its executable, or in that directory. */
static void find_environment(const char *executable, int *is_of_copy)
{
    size_t own = length_of_folder(executable, strlen(executable));
    size_t above = length_of_folder(executable, own);
    size_t length = is_environment(executable, above, is_of_copy) == FF_YES ? above : own;
    if (length == above || is_environment(executable, own, is_of_copy) == FF_YES) {
        memcpy(environment, executable, length);
        environment[length] = '\0';
    }
}

/* A file beside an executable that has all of its sys.path. */
static int has_path_file(const char *executable)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof(path), "%s._pth", executable) < (int)sizeof(path) && access(path, R_OK) == 0;
}

/* Before the interpreter starts. Where the executable is unknown, it starts by its own name, as it would without this. So it does where a
 * file says where its library is, also that of a virtual environment that names the directory of the original. */
void ff_start_as_original(void)
{
    char name[PATH_MAX];
    if (ff_original_path == NULL || !read_program_name(name, sizeof(name)) ||
        !find_executable(name, started_as, sizeof(started_as))) {
        return;
    }
    int is_of_copy = 0;
    find_environment(started_as, &is_of_copy);
    if ((environment[0] != '\0' && !is_of_copy) || has_path_file(started_as)) {
        started_as[0] = '\0';
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    Py_SetProgramName(ff_original_path);
#pragma GCC diagnostic pop
}

static int set_path(const char *name, const char *value)
{
    PyObject *path = PyUnicode_DecodeFSDefault(value);
    int done = path == NULL ? -1 : PySys_SetObject(name, path);
    Py_XDECREF(path);
    return done;
}

/* For each interpreter, before it imports anything. -1 with an exception without memory. */
int ff_restore_executable(void)
{
    if (started_as[0] == '\0') {
        return 0;
    }
    /* What getpath does not see, because it starts with the path of the original. */
    if (FF_PREFIX_OF_ENVIRONMENT && environment[0] != '\0' &&
        (set_path("prefix", environment) < 0 || set_path("exec_prefix", environment) < 0)) {
        return -1;
    }
    return set_path("executable", started_as);
}
