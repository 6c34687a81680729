/* The table of everything in importlib that the import here takes for granted, and the one check whether it is still so:
 * tools replace functions, classes and methods of it now and then, and are to see what they would see without frozen modules. */
#include FF_LAYOUT

#include "flashfreeze.h"

/* How the co_filename of importlib's own functions begins. */
#define ORIGINAL "<frozen importlib._bootstrap"

static ff_memory importlib;

/* What its two modules use of others, by the names under which the second has these. A name that a version of Python does not
 * have is passed over. */
static const struct {
    const char *module, *names;
} helpers[] = {
    {"_imp", "is_builtin is_frozen find_frozen create_builtin exec_builtin acquire_lock release_lock _fix_co_filename "
             "_set_lazy_attributes"},
    {"_io", "open_code open FileIO"},
    {"marshal", "loads"},
    {"_os", "stat listdir getcwd fspath"},
#if FF_AUDITS_IN_PYTHON
    {"sys", "audit"},
#endif
};

/* Built-in functions and classes that both call on the way of an import. Not print() and open(), which programs replace: those
 * are called with -v only, or not at all. */
static const char builtins[] = "compile exec getattr hasattr hash int isinstance len list memoryview reversed set setattr str super "
                               "tuple type AttributeError FileNotFoundError ImportError KeyError ModuleNotFoundError OSError";

/* Classes, with everything in them and their bases. */
static const char *const bootstrap_classes[] = {"BuiltinImporter",    "FrozenImporter", "ModuleSpec",
                                                "_ModuleLockManager", "_ModuleLock",    "_HierarchicalLockManager",
                                                "_ImportLockContext"};
static const char *const external_classes[] = {"PathFinder", "FileFinder", "SourceFileLoader"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whether everything of the table is as it was remembered. */
ff_answer ff_is_importlib_unmodified(void)
{
    return ff_is_unmodified(&importlib);
}

static int remember_classes(PyObject *module, const char *const *names, size_t count)
{
    PyObject *dict = PyModule_GetDict(module);
    for (size_t i = 0; i < count; i++) {
        PyObject *class = PyDict_GetItemString(dict, names[i]); /* borrowed */
        if (class != NULL && PyType_Check(class) &&
            ff_remember_class(&importlib, (PyTypeObject *)class, ORIGINAL) < 0) {
            return -1;
        }
    }
    return 0;
}

static int remember_helpers(PyObject *external)
{
    for (size_t i = 0; i < COUNT(helpers); i++) {
        PyObject *module = PyDict_GetItemString(PyModule_GetDict(external), helpers[i].module); /* borrowed */
        if (module != NULL && PyModule_Check(module) &&
            ff_remember_names(&importlib, PyModule_GetDict(module), helpers[i].names) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Called when all our functions are in place. -1 with an exception. */
int ff_remember_importlib(PyObject *bootstrap, PyObject *external)
{
    return ff_remember_module(&importlib, PyModule_GetDict(bootstrap), ORIGINAL) < 0 ||
                   ff_remember_module(&importlib, PyModule_GetDict(external), ORIGINAL) < 0 ||
                   remember_helpers(external) < 0 ||
                   remember_classes(bootstrap, bootstrap_classes, COUNT(bootstrap_classes)) < 0 ||
                   remember_classes(external, external_classes, COUNT(external_classes)) < 0 ||
                   ff_remember_builtins(&importlib, builtins) < 0
               ? -1
               : 0;
}
