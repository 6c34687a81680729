/* Getting between the interpreter and importlib. */
#include FF_LAYOUT

#include "flashfreeze.h"

/* Called when the path-based importer is in place, and whenever zipimport is loaded again. Returns -1 with an exception
 * when the interpreter is not as we know it. */
int ff_install_import_hooks(void)
{
    static int installed;
    if (installed) {
        return 0;
    }
    installed = 1;
    PyObject *external = PyImport_AddModule("_frozen_importlib_external");
    PyObject *bootstrap = PyImport_AddModule("_frozen_importlib");
    if (external == NULL || bootstrap == NULL || ff_remember_file_finder(bootstrap, external) < 0) {
        return -1;
    }
    if (ff_remember_folders() < 0 || ff_install_finder_methods(external) < 0 || ff_install_import_function(bootstrap, external) < 0 ||
        ff_remember_importlib(bootstrap, external) < 0) {
        return -1;
    }
    return ff_install_snippets() < 0 ? -1 : ff_install_fast_exit();
}
