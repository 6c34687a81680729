/* Files that imports leave open and that have no state, because they are devices that say the same to everyone: each start opens them again, with the same
 * numbers. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES 16
static struct {
    int fd, flags, is_inherited;
    char path[16];
} devices[DEVICES];
static int device_count;

/* While a snapshot is made: whether it can hold an open file. */
int ff_keep_device(int fd, const char *path)
{
    static const char *const known[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(path, known[i]) == 0 && device_count < DEVICES) {
            int flags = fcntl(fd, F_GETFL), is_inherited = (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
            devices[device_count].fd = fd;
            devices[device_count].flags = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
            devices[device_count].is_inherited = is_inherited;
            strcpy(devices[device_count++].path, path);
            return 1;
        }
    }
    return 0;
}

/* In a restored process. -1 if a number is that of another file here. */
int ff_open_devices(void)
{
    for (int i = 0; i < device_count; i++) {
        if (fcntl(devices[i].fd, F_GETFD) >= 0) {
            return -1;
        }
    }
    for (int i = 0; i < device_count; i++) {
        int wanted = devices[i].fd, fd = open(devices[i].path, devices[i].flags | O_CLOEXEC);
        if (fd >= 0 && fd != wanted && dup3(fd, wanted, O_CLOEXEC) != wanted) {
            close(fd);
            return -1;
        }
        if (fd < 0 || (devices[i].is_inherited && fcntl(wanted, F_SETFD, 0) < 0)) {
            return -1;
        }
        if (fd != wanted) {
            close(fd);
        }
    }
    return 0;
}
