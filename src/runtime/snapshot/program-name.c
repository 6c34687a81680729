/* The path of the executable as a program (--entry). */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>
#include <sys/auxv.h>

/* As the kernel names a script that it starts through its first line. */
const char *ff_program_name(char **argv)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    return path == NULL || strcmp(path, "/proc/self/exe") == 0 ? argv[0] : path;
}
