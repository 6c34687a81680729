/* Before main(). In a file of its own, so that the linker can send the call elsewhere (runtime/snapshot/start.c). */
#include FF_LAYOUT

#include "flashfreeze.h"

__attribute__((constructor)) static void begin(void)
{
    ff_register_with_interpreter();
}
