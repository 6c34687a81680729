/* The module _flashfreeze as an extension module: images for an interpreter that was not changed. It is loaded when the
 * path-based importer is in place (by a .pth file, or by sitecustomize), and serves what is imported from then on. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <string.h>

/* The images were compiled against the headers of one interpreter, and point into its data. */
static int is_target(void)
{
    return ff_target == NULL || strcmp(Py_GetVersion(), ff_target) == 0;
}

PyMODINIT_FUNC PyInit__flashfreeze(void);

PyMODINIT_FUNC PyInit__flashfreeze(void)
{
    if (!is_target()) {
        ff_disable("made for another build of Python");
    }
    else if (ff_images_available() && ff_install_import_hooks() < 0) {
        return NULL;
    }
    return ff_module_init();
}
