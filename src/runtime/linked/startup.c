/* What happens before main(): our rows in the tables of frozen modules, and _flashfreeze among the built-in modules. */
#include FF_LAYOUT

#include "flashfreeze.h"

/* Defined in an executable that may go on from a snapshot (runtime/snapshot/start.c). */
extern int ff_is_start_undecided(void) __attribute__((weak));

void ff_register_with_interpreter(void)
{
    ff_install_frozen_rows();
    /* Fails only without memory; then `import _flashfreeze` fails, and nothing else. */
    (void)PyImport_AppendInittab("_flashfreeze", ff_module_init);
}

__attribute__((constructor)) static void begin(void)
{
    if (ff_is_start_undecided == NULL || !ff_is_start_undecided()) {
        ff_register_with_interpreter();
    }
}
