/* Before main(). */
#include FF_LAYOUT

#include "flashfreeze.h"

__attribute__((constructor)) static void begin(void)
{
    ff_populate_start();
    ff_register_with_interpreter();
}
