/* What the files of the import function share. */
#ifndef FLASHFREEZE_IMPORT_H
#define FLASHFREEZE_IMPORT_H

#include "flashfreeze.h"

/* Names, by the variables that hold them. */
#define FF_IMPORT_NAMES(X) \
    X(_path_importer_cache) X(__path__) X(__spec__) X(find_spec) X(loader) X(__loader__) X(__package__) X(__file__) \
    X(__cached__) X(__builtins__) X(_initializing) X(_uninitialized_submodules) X(exec_module) X(_call_with_frames_removed) X(_cached) X(cached) X(origin) \
    X(submodule_search_locations) X(_thread) X(get_ident) X(modules) X(name) X(pop) X(append) X(_find_spec) \
    X(_load_unlocked) X(_init_module_attrs) X(_get_spec) X(_NamespacePath) X(NamespacePath) X(_find_spec_legacy) X(_legacy_get_spec) \
    X(meta_path) X(path) X(path_importer_cache) X(extend) X(get) X(__name__) X(__warningregistry__) X(_imp) X(_set_lazy_attributes)
#define FF_DECLARE_NAME(name) PyObject *name;

/* What the import function holds on to, from its installation on. */
typedef struct {
    PyObject *builtin_importer, *frozen_importer, *path_finder, *module_spec; /* classes of importlib */
    PyObject *is_builtin, *create_builtin, *exec_builtin, *is_frozen;         /* functions of _imp */
    PyObject *acquire_lock, *release_lock;                                    /* the same: importlib finds under this lock */
    PyObject *name_keyword;                                                   /* ("name",) */
    PyObject *find_and_load_unlocked;                                         /* a Python function of importlib */
    PyObject *bootstrap, *external, *sys; /* the names of importlib._bootstrap, ._bootstrap_external and sys */
    PyObject *usual_get_ident;            /* _thread.get_ident, as it was: nobody notices how often it is called */
    struct ff_loading *in_progress;       /* what is being loaded here, the last begun first */
    int lists_submodules;                 /* importlib notes in specs which submodules are being loaded */
    struct {
        FF_IMPORT_NAMES(FF_DECLARE_NAME)
    } names;
} ff_import_state;
extern ff_import_state ff_import;

/* A module that is looked for. */
typedef struct {
    PyObject *name;
    ff_text tail;            /* the last part of its name */
    const ff_source *source; /* NULL: it is not frozen */
    PyObject *path;          /* of the parent, or NULL at the top (borrowed) */
    PyObject *spec;          /* once it is found (owned) */
    enum { FF_BY_OTHERS, FF_AS_SOURCE, FF_AS_BUILTIN } found; /* who made the spec: importlib or others, or we */
    int is_begun;            /* code of others has run for this import: the original may not start over */
    int is_doubtful;         /* the same, since somebody asked whether importlib is unmodified */
} ff_wanted;

/* What a module's name says: its parent's name (empty at the top), its own last part, and what is known of the parent. */
typedef struct {
    PyObject *parent, *child;
    PyObject *path; /* the parent's __path__ */
    PyObject *spec; /* the parent's __spec__ */
} ff_family;

/* Who imports, as importlib knows its threads. */
typedef struct {
    PyObject *ident;     /* NULL: the number of the system's thread */
    PyObject *get_ident; /* the function that was asked for it */
} ff_owner;

/* A module that is being loaded here. */
typedef struct ff_loading {
    PyObject *name;
    ff_owner owner;           /* whoever loads it */
    unsigned long thread;     /* the thread of the system that does */
    PyObject *lock;           /* owned, or NULL */
    struct ff_loading *outer; /* what was begun for the same import before: the loading of a parent */
    int is_parent;            /* it is one that is only locked, for the import of a submodule */
    struct ff_loading *next;
} ff_loading;

/* The files in the order of flashfreeze.h: the lowest first, each calls functions of those above it only. import.c calls
 * them all. */

/* import/import-state.c */
PyObject *ff_read_modules(void);
void ff_note_foreign_code(ff_wanted *wanted);
ff_answer ff_may_import(ff_wanted *wanted);
int ff_is_called_from_importlib(void);
PyObject *ff_call_bootstrap(PyObject *name, PyObject *const *arguments, size_t count);
int ff_replace_function(PyObject *module, PyMethodDef *function, PyObject **original);
int ff_remember_import_state(PyObject *bootstrap, PyObject *external);

/* import/import-owners.c */
PyObject *ff_read_get_ident(void);
void ff_forget_owner(ff_owner *owner);
int ff_ask_owner_of(PyObject *get_ident, ff_owner *owner);
int ff_ask_owner(ff_wanted *wanted, ff_owner *owner);
ff_answer ff_is_owner_usual(void);
PyObject *ff_ident_of(const ff_loading *loading);
ff_loading *ff_find_loading(PyObject *name);
ff_answer ff_is_loaded_here(PyObject *name);
int ff_remember_get_ident(void);

/* import/import-locks.c */
ff_answer ff_is_loading(PyObject *name, int as_parent);
ff_answer ff_begin_loading(ff_wanted *wanted, PyObject *name, ff_owner *owner, ff_loading **begun);
int ff_finish_loading(ff_loading *ended);
int ff_install_lock_function(PyObject *bootstrap);

/* import/import-chain.c */
ff_answer ff_begin_parents(ff_wanted *wanted, ff_loading **begun);

/* import/import-warning.c */
int ff_warn_refused_child(const ff_family *family);
int ff_warn_lazy_attributes(PyObject *name, PyObject *error);

/* import/import-lazy.c */
int ff_has_lazy_submodules(void);
int ff_set_lazy_attributes(PyObject *name, PyObject *module);

/* import/import-parent.c */
ff_answer ff_import_parent(ff_wanted *wanted, PyObject *import_function, ff_family *family, PyObject **module);
int ff_note_uninitialized(const ff_family *family, ff_wanted *wanted, int begins);
int ff_bind_to_parent(const ff_family *family, PyObject *module);
void ff_clear_family(ff_family *family);

/* import/import-path.c: PathFinder.find_spec() */
int ff_acquire_import_lock(void);
void ff_release_import_lock(void);
ff_answer ff_search_path(ff_wanted *wanted);

/* import/import-search.c: _find_spec() */
ff_answer ff_search(ff_wanted *wanted);

/* import/import-load.c: _load_unlocked() */
PyObject *ff_load_found(ff_wanted *wanted);

#endif
