/* What returned calls have left below the frames of the stack that imports run on: numbers of this process, and addresses of its libraries. Compiled code copies
 * structures with parts that nobody has written, which have what the stack had there, and so would differ in two dumps. It is cleared every now and then; allocations
 * count when, so that it happens in the same places of each process. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>

#define CLEARED ((size_t)8 << 10)
#define OWN_FRAMES 1024 /* of this function and memset() */

void ff_clear_stack(void)
{
    char *end = (char *)__builtin_frame_address(0) - OWN_FRAMES;
    if (end - CLEARED > FF_IMPORT_STACK && end < FF_IMPORT_STACK + FF_IMPORT_STACK_SIZE) {
        memset(end - CLEARED, 0, CLEARED);
    }
}
