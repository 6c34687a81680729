/* What imports can read of a process besides variables and files. The recording names what they have read
 * (src/cpython/interpreter/scripts/record_imports.py); only that is compared at a start. */
#include FF_LAYOUT

#include "restore.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_cwd(char *text, size_t size, char **Py_UNUSED(argv))
{
    if (getcwd(text, size) == NULL) {
        *text = '\0';
    }
}

static void read_host(char *text, size_t size, char **Py_UNUSED(argv))
{
    struct utsname name;
    if (uname(&name) == 0) {
        snprintf(text, size, "%s %s %s %s %s", name.sysname, name.nodename, name.release, name.version, name.machine);
    }
}

static void read_cpus(char *text, size_t size, char **Py_UNUSED(argv))
{
    cpu_set_t set;
    int usable = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
    snprintf(text, size, "%d of %ld", usable, sysconf(_SC_NPROCESSORS_ONLN));
}

static void read_terminals(char *text, size_t size, char **Py_UNUSED(argv))
{
    size_t length = 0;
    for (int fd = 0; fd < 3; fd++) {
        struct winsize window;
        if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &window) == 0) {
            length += (size_t)snprintf(text + length, size - length, "%d %d,", window.ws_col, window.ws_row);
        }
        else {
            length += (size_t)snprintf(text + length, size - length, "-,");
        }
    }
}

/* ---- Streams: C code asks what they are, too, as sys.stdout.isatty() does ---- */

extern int __real_isatty(int);
static int is_noting, were_streams_asked;

int __wrap_isatty(int fd)
{
    were_streams_asked |= is_noting && fd >= 0 && fd < 3;
    return __real_isatty(fd);
}

/* What libraries remember of a standard stream is of no use in another process (libgfortran, its device and inode): it is a pipe of no name. */
int __wrap_fstat(int fd, struct stat *found)
{
    if (ff_current_allocation() != FF_IN_REGION || fd < 0 || fd > 2) {
        return fstat(fd, found);
    }
    *found = (struct stat){.st_mode = S_IFIFO | 0600, .st_nlink = 1, .st_blksize = (blksize_t)FF_PAGE};
    return 0;
}

/* As programs call it that were compiled for a glibc before 2.33. */
int __wrap___fxstat(int Py_UNUSED(version), int fd, struct stat *found)
{
    return __wrap_fstat(fd, found);
}

void ff_note_facts(void)
{
    is_noting = 1;
    were_streams_asked = 0;
}

/* Those that C code has asked for. */
void ff_visit_noted_facts(void (*visit)(const char *name, char **argv), char **argv)
{
    is_noting = 0;
    if (were_streams_asked) {
        visit("streams", argv);
    }
    if (ff_were_processors_asked()) {
        visit("cpus", argv);
    }
}

static void read_streams(char *text, size_t Py_UNUSED(size), char **Py_UNUSED(argv))
{
    for (int fd = 0; fd < 3; fd++) {
        text[fd] = __real_isatty(fd) ? 't' : '-';
    }
    text[3] = '\0';
}

/* ---- Variables that urllib.request looks for by the end of their names (getproxies_environment()). Values may be secret: only a hash is
 * kept. ---- */

extern char **environ;

static void read_proxies(char *text, size_t size, char **Py_UNUSED(argv))
{
    uint64_t hash = FF_HASH_START;
    for (char **each = environ; *each != NULL; each++) {
        const char *equals = strchr(*each, '=');
        if (equals != NULL && equals - *each > 5 && strncasecmp(equals - 6, "_proxy", 6) == 0) {
            hash = ff_hash_bytes(hash, *each, strlen(*each) + 1);
        }
    }
    snprintf(text, size, "%llx", (unsigned long long)hash);
}

/* Variables whose names begin in one way, which modules look for by that: the same. */
#define VARIABLES "variables "

static void read_variables(const char *prefix, char *text, size_t size)
{
    uint64_t hash = FF_HASH_START;
    size_t length = strlen(prefix);
    for (char **each = environ; *each != NULL; each++) {
        if (strncmp(*each, prefix, length) == 0) {
            hash += ff_hash_bytes(FF_HASH_START, *each, strlen(*each) + 1); /* in any order */
        }
    }
    snprintf(text, size, "%llx", (unsigned long long)hash);
}

static void read_program(char *text, size_t size, char **argv)
{
    snprintf(text, size, "%s", ff_program_name(argv));
}

static const struct {
    const char *name, *differs;
    void (*read)(char *text, size_t size, char **argv);
} facts[] = {{"cwd", "imports read the working directory, which is another one", read_cwd},
             {"host", "imports read the name of the host, which is another one", read_host},
             {"cpus", "imports read the number of processors, which is another one", read_cpus},
             {"terminals", "imports read what the standard streams are, which is something else", read_terminals},
             {"streams", "imports read whether standard streams are terminals, which is another answer", read_streams},
             {"proxies", "imports read the variables of proxies, which have other values", read_proxies},
             {"program", "imports read the name of the program, which is another one", read_program}};

/* The value of a fact, shorter than FF_FACT_SIZE; -1 if there is none of this name. */
int ff_read_fact(const char *name, char *text, char **argv)
{
    if (strncmp(name, VARIABLES, strlen(VARIABLES)) == 0) {
        read_variables(name + strlen(VARIABLES), text, FF_FACT_SIZE);
        return 0;
    }
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (strcmp(facts[i].name, name) == 0) {
            *text = '\0';
            facts[i].read(text, FF_FACT_SIZE, argv);
            return 0;
        }
    }
    return -1;
}

/* `pairs`: a name and a value, each ended by a nul, and an empty name at the end. */
const char *ff_compare_facts(const char *pairs, char **argv)
{
    char text[FF_FACT_SIZE];
    while (*pairs != '\0') {
        const char *value = pairs + strlen(pairs) + 1;
        if (ff_read_fact(pairs, text, argv) < 0) {
            return "it is of another version";
        }
        if (strcmp(text, value) != 0 && strncmp(pairs, VARIABLES, strlen(VARIABLES)) == 0) {
            return "an environment variable that imports read has another value";
        }
        if (strcmp(text, value) != 0) {
            for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
                if (strcmp(facts[i].name, pairs) == 0) {
                    return facts[i].differs;
                }
            }
        }
        pairs = value + strlen(value) + 1;
    }
    return NULL;
}
