/* What belongs to a process beside its memory and its files. Where an import changes it, the process of a start would not have it. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <fenv.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* proc(5), /proc/pid/status */
static const struct {
    const char *key, *name;
} STATUS[] = {
    {"Name:", "the name of the process"},
    {"Umask:", "the umask"},
    {"Uid:", "the user"},
    {"Gid:", "the group"},
    {"Groups:", "the groups"},
    {"CapEff:", "the capabilities"},
    {"NoNewPrivs:", "that programs get no new privileges"},
    {"Seccomp:", "the filter of system calls"},
    {"Cpus_allowed:", "the processors that are used"},
};
/* The same, /proc/pid/stat: the number of a field. */
static const struct {
    int field;
    const char *name;
} STAT[] = {{5, "the process group"}, {6, "the session"}, {19, "the nice value"}, {40, "the priority"}, {41, "the scheduling"}};
/* The same, /proc/pid/limits: so wide is the column of names. */
#define LIMIT_NAME 26

static const char *read_text(const char *path, char *buffer, size_t size)
{
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t count; fd >= 0 && length < size - 1 && (count = read(fd, buffer + length, size - 1 - length)) > 0;) {
        length += (size_t)count;
    }
    if (fd >= 0) {
        close(fd);
    }
    buffer[length] = '\0';
    return buffer;
}

/* One line: a name, and up to the end of its line, or of `length`, a value. */
static void put(ff_settings *to, const char *name, int name_length, const char *value, size_t length)
{
    size_t room = sizeof(to->text) - to->length;
    int count = snprintf(to->text + to->length, room, "%.*s\t%.*s\n", name_length, name, (int)length, value);
    to->length += count < 0 || (size_t)count >= room ? 0 : (size_t)count;
}

static void put_named(ff_settings *to, const char *name, const char *value, size_t length)
{
    put(to, name, (int)strlen(name), value, length);
}

void ff_read_settings(ff_settings *settings)
{
    char buffer[8192];
    *settings = (ff_settings){0};
    const char *text = read_text("/proc/self/status", buffer, sizeof(buffer));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        for (size_t i = 0; i < Py_ARRAY_LENGTH(STATUS); i++) {
            size_t length = strlen(STATUS[i].key);
            if (strncmp(line, STATUS[i].key, length) == 0) {
                put_named(settings, STATUS[i].name, line + length, strcspn(line + length, "\n"));
            }
        }
    }
    text = strrchr(read_text("/proc/self/stat", buffer, sizeof(buffer)), ')'); /* the name may hold anything */
    for (int field = 2; text != NULL && *text != '\0'; field++) {
        size_t length = strcspn(text, " \n");
        for (size_t i = 0; i < Py_ARRAY_LENGTH(STAT); i++) {
            if (STAT[i].field == field) {
                put_named(settings, STAT[i].name, text, length);
            }
        }
        text += length + (text[length] != '\0');
    }
    text = read_text("/proc/self/limits", buffer, sizeof(buffer));
    for (const char *line = text + strcspn(text, "\n"); *line == '\n'; line += strcspn(line, "\n")) {
        line++;
        size_t length = strcspn(line, "\n");
        if (length > LIMIT_NAME) {
            int name = LIMIT_NAME;
            while (name > 0 && line[name - 1] == ' ') {
                name--;
            }
            put(settings, line, name, line + LIMIT_NAME, length - LIMIT_NAME);
        }
    }
    for (int timer = ITIMER_REAL; timer <= ITIMER_PROF; timer++) {
        struct itimerval now;
        int runs = getitimer(timer, &now) == 0 && (now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0);
        put_named(settings, "a timer", runs ? "runs" : "", 4);
    }
#ifdef __x86_64__
    fenv_t floating;
    if (fegetenv(&floating) == 0) { /* without the flags that computations set (sysdeps/x86/fpu/bits/fenv.h) */
        char value[32];
        int length = snprintf(value, sizeof(value), "%x %x", floating.__control_word, floating.__mxcsr & ~0x3fu);
        put_named(settings, "how floating-point numbers are rounded", value, (size_t)length);
    }
#endif
}

PyObject *ff_settings_text(void)
{
    ff_settings settings;
    ff_read_settings(&settings);
    return PyUnicode_DecodeFSDefaultAndSize(settings.text, (Py_ssize_t)settings.length);
}

const char *ff_changed_setting(const ff_settings *before, const ff_settings *now)
{
    const char *one = before->text, *other = now->text;
    while (*one != '\0' || *other != '\0') {
        size_t length = strcspn(one, "\n"), others = strcspn(other, "\n");
        if (length != others || memcmp(one, other, length) != 0) {
            static char name[64];
            snprintf(name, sizeof(name), "%.*s", (int)strcspn(other, "\t\n"), other);
            return name;
        }
        one += length + (one[length] != '\0');
        other += others + (other[others] != '\0');
    }
    return NULL;
}
