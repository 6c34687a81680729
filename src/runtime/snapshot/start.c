/* The executable's main program: from the snapshot, or as CPython's own (Programs/python.c). */
#include FF_LAYOUT

#include "restore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define REQUEST "FLASHFREEZE_SNAPSHOT" /* names the request of a dump */

static const char *request(void)
{
    return ff_place.size == 0 && getauxval(AT_SECURE) == 0 ? getenv(REQUEST) : NULL;
}

/* Before other constructors allocate. */
__attribute__((constructor(101))) static void begin(void)
{
    if (request() != NULL) {
        ff_begin_region();
    }
}

extern int __real_Py_BytesMain(int, char **);

int __wrap_Py_BytesMain(int argc, char **argv)
{
    const char *path = request();
    if (path != NULL) {
        return ff_make_dump(argc, argv, path);
    }
    const char *reason = ff_restore(argc, argv);
    ff_snapshot_state = reason == NULL ? "restored" : reason;
    if (reason == NULL) {
        ff_begin_restored();
    }
    return reason == NULL ? Py_RunMain() : __real_Py_BytesMain(argc, argv);
}
