/* How many processors there are, which libraries ask for when they are loaded: a snapshot is one for this number then (facts.c). */
#include FF_LAYOUT

#include "restore.h"

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static int were_asked;

void ff_note_processors(void)
{
    were_asked = 1;
}

int ff_were_processors_asked(void)
{
    return were_asked;
}

long __wrap_sysconf(int name)
{
    if (name == _SC_NPROCESSORS_CONF || name == _SC_NPROCESSORS_ONLN) {
        ff_note_processors();
    }
    return sysconf(name);
}

int __wrap_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    ff_note_processors();
    return sched_getaffinity(process, size, set);
}

int __wrap_get_nprocs(void)
{
    ff_note_processors();
    return get_nprocs();
}

int __wrap_get_nprocs_conf(void)
{
    ff_note_processors();
    return get_nprocs_conf();
}
