/* What imports may not leave behind: a snapshot cannot hold it. Most of it the recording has found before, with the module that did it
 * (src/cpython/interpreter/scripts/record_imports.py). */
#include FF_LAYOUT

#include "restore.h"

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    char locale[256], folder[4096];
    struct sigaction signals[NSIG];
    ff_settings settings;
    char was_open[4096]; /* descriptors that this process has inherited */
} earlier;

/* Before the imports. */
void ff_remember_process(void)
{
    snprintf(earlier.locale, sizeof(earlier.locale), "%s", setlocale(LC_ALL, NULL));
    if (getcwd(earlier.folder, sizeof(earlier.folder)) == NULL) {
        *earlier.folder = '\0';
    }
    for (int signal = 1; signal < NSIG; signal++) {
        sigaction(signal, NULL, &earlier.signals[signal]);
    }
    ff_read_settings(&earlier.settings);
    for (int fd = 0; fd < (int)sizeof(earlier.was_open); fd++) {
        earlier.was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    }
}

void ff_check_process(void)
{
    char folder[4096] = "";
    if (getcwd(folder, sizeof(folder)) == NULL || strcmp(folder, earlier.folder) != 0) {
        ff_stop_dump("an import changes the working directory");
    }
    ff_keep_locale(earlier.locale);
    ff_keep_signal_stack();
    for (int signal = 1; signal < NSIG; signal++) {
        if (ff_keep_handler(signal, &earlier.signals[signal]) < 0) {
            ff_stop_dump("an import sets a handler of signal %d", signal);
        }
    }
    ff_settings settings;
    ff_read_settings(&settings);
    const char *changed = ff_changed_setting(&earlier.settings, &settings);
    if (changed != NULL) {
        ff_stop_dump("an import changes the process itself (%s)", changed);
    }
    int status;
    if (waitpid(-1, &status, WNOHANG) >= 0) {
        ff_stop_dump("an import leaves a child process");
    }
    DIR *folders = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *each; folders != NULL && (each = readdir(folders)) != NULL;) {
        count += each->d_name[0] != '.';
    }
    if (folders == NULL || count != 1) {
        ff_stop_dump("an import leaves threads running (%d)", count - 1);
    }
    closedir(folders);
    folders = opendir("/proc/self/fd");
    for (struct dirent *each; folders != NULL && (each = readdir(folders)) != NULL;) {
        int fd = atoi(each->d_name);
        int is_own = fd == dirfd(folders) || (fd < (int)sizeof(earlier.was_open) && earlier.was_open[fd]);
        if (each->d_name[0] != '.' && !is_own) {
            char path[64], target[4096];
            snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
            ssize_t length = readlink(path, target, sizeof(target) - 1);
            target[length < 0 ? 0 : length] = '\0';
            if (!ff_keep_device(fd, target)) {
                ff_stop_dump("an import leaves %s open", target);
            }
        }
    }
    closedir(folders);
    if (ff_thread_key_count() > FF_KEYS) {
        ff_stop_dump("there are more than %d keys of thread-local values", FF_KEYS);
    }
}

PyObject *ff_environment(void)
{
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *found = posix == NULL ? NULL : PyObject_GetAttrString(posix, "environ");
    Py_XDECREF(posix);
    if (found == NULL) {
        ff_stop_with_exception("there is no environment");
    }
    return found;
}

void ff_forget_process(void)
{
    memset(&earlier, 0, sizeof(earlier));
}
