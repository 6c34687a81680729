/* What the files of the import function share. */
#ifndef FLASHFREEZE_IMPORT_H
#define FLASHFREEZE_IMPORT_H

#include "flashfreeze.h"

/* Classes whose behaviour is known as long as nobody changes them. */
enum {
    FF_BUILTIN_IMPORTER,
    FF_FROZEN_IMPORTER,
    FF_PATH_FINDER,
    FF_FILE_FINDER,
    FF_SOURCE_FILE_LOADER,
    FF_MODULE_SPEC,
    FF_CLASS_COUNT
};

/* Names, by the variables that hold them. */
#define FF_IMPORT_NAMES(X) \
    X(_path_importer_cache) X(__path__) X(__spec__) X(find_spec) X(loader) X(_loaders) X(__loader__) X(__package__) \
    X(__file__) X(__cached__) X(__builtins__) X(_initializing) X(_uninitialized_submodules) X(exec_module) X(path) \
    X(_path_mtime) X(_path_cache) X(_cached) X(cached) X(origin) X(submodule_search_locations) \
    X(_thread) X(get_ident)
#define FF_DECLARE_NAME(name) PyObject *name;

/* What the import function holds on to, from its installation on. */
typedef struct {
    ff_class classes[FF_CLASS_COUNT];
    PyObject *is_builtin, *create_builtin, *exec_builtin, *is_frozen; /* functions of _imp */
    PyObject *acquire_lock, *release_lock;                            /* the same: importlib finds under this lock */
    PyObject *load_unlocked;                                          /* importlib._bootstrap._load_unlocked */
    int lists_submodules;                                             /* specs have _uninitialized_submodules */
    struct {
        FF_IMPORT_NAMES(FF_DECLARE_NAME)
    } names;
} ff_import_state;
extern ff_import_state ff_import;

/* What a step of a search came to: an exception; something that only the original can judge; the module is not here; it
 * is here. */
typedef enum { FF_FAILED = -1, FF_UNSURE, FF_ABSENT, FF_FOUND } ff_outcome;

/* A module that is looked for. */
typedef struct {
    PyObject *name;
    ff_text tail;            /* the last part of its name */
    const ff_source *source; /* NULL: it is not frozen */
    PyObject *path;          /* of the parent, or NULL at the top (borrowed) */
    PyObject *folder;        /* where it was found (owned) */
    int is_builtin;          /* it was found among the built-in ones */
    PyObject *spec;          /* it was found by a finder that is not importlib's: what that said (owned) */
    int is_asked_for;        /* such a finder was asked, so nobody may start over */
} ff_wanted;

/* What a module's name says: its parent's name (empty at the top), its own last part, and what is known of the parent. */
typedef struct {
    PyObject *parent, *child;
    PyObject *path; /* the parent's __path__ */
    PyObject *spec; /* the parent's __spec__ */
} ff_family;

/* A module that is being loaded here. */
typedef struct ff_loading ff_loading;

/* The files in the order of flashfreeze.h: the lowest first, each calls functions of those above it only. import.c calls
 * them all. */

/* import/import-state.c */
int ff_is_importlib_unmodified(void);
int ff_is_called_from_importlib(void);
int ff_replace_function(PyObject *module, PyMethodDef *function, PyObject **original);
int ff_remember_importlib(PyObject *bootstrap, PyObject *external);
int ff_remember_import_functions(void);

/* import/import-locks.c */
PyObject *ff_import_owner(void);
int ff_is_loading(PyObject *name);
int ff_is_loaded_here(PyObject *name);
ff_loading *ff_begin_loading(PyObject *name, PyObject *owner);
void ff_finish_loading(ff_loading *ended);
int ff_install_lock_function(PyObject *bootstrap);

/* import/import-parent.c */
ff_outcome ff_import_parent(PyObject *modules, PyObject *name, PyObject *import_function, ff_family *family);
int ff_note_uninitialized(const ff_family *family, int begins);
int ff_bind_to_parent(PyObject *modules, const ff_family *family, PyObject *module);
void ff_clear_family(ff_family *family);

/* import/import-search.c */
ff_outcome ff_search(ff_wanted *wanted);

/* import/import-load.c: _load_unlocked() */
PyObject *ff_load_source(PyObject *modules, const ff_wanted *wanted, PyObject *spec, PyObject *package);
PyObject *ff_load_builtin(PyObject *modules, PyObject *name);

#endif
