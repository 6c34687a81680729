/* What happens before main(): our rows in the tables of frozen modules, and _flashfreeze among the built-in modules. */
#include FF_LAYOUT

#include "flashfreeze.h"

void ff_register_with_interpreter(void)
{
    ff_install_frozen_rows();
    /* Fails only without memory; then `import _flashfreeze` fails, and nothing else. */
    (void)PyImport_AppendInittab("_flashfreeze", ff_module_init);
}
