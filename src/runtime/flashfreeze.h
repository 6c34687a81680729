/* What generated images, the generated index and the runtime agree on. Include the target's layout file first. */
#ifndef FLASHFREEZE_H
#define FLASHFREEZE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Two address models (docs/architecture.md). In an executable with fixed addresses, objects are variables and point to each
 * other. Where addresses are known only at run time (FF_POSITION_INDEPENDENT), an image has four parts: tables, which begin with its
 * ff_image and are only read; objects that the first use of the module writes; strings that other modules are likely to have, too; the rest
 * of the objects. Everything is named by its part and its offset there, and relocate.c puts pointers in when the module is first imported.
 * Objects are written with the macros of layouts/common.h, the tables below with these: */
#ifdef FF_POSITION_INDEPENDENT
#define FF_LINK(type) uint32_t /* an offset in a part, whose number is in the two highest bits; 0 stands for nothing */
#define FF_PART_SHIFT 30
#define FF_FOLLOW(image, type, link) ((type *)(ff_part_start(image, (link) >> FF_PART_SHIFT) + (link) % (1u << FF_PART_SHIFT)))
#else
#define FF_LINK(type) type *
#define FF_FOLLOW(image, type, link) (link)
#endif

/* Room for a co_filename, written at the module's first use: an ASCII str. Longer or other paths go elsewhere. */
#define FF_PATH_CAPACITY 215

/* A place that holds a pointer to an object. */
typedef FF_LINK(PyObject *) ff_slot;
typedef FF_LINK(PyCodeObject) ff_code;

/* A constant that only a running interpreter can make: made at the module's first use and put into each of `slots` (ended
 * by 0). */
typedef struct {
    int16_t kind;          /* FF_BUILD_…, 0 ends a list */
    int16_t value;         /* of an int; the code point of a str, -1 for an empty one */
    FF_LINK(PyObject) items; /* a tuple: the members of a frozenset (0: none); start, stop and step of a slice */
    FF_LINK(const ff_slot) slots;
} ff_built;
enum {
    FF_BUILD_FROZENSET = 1, /* its order depends on the hash seed */
    FF_BUILD_SLICE,
    /* The interpreter's own objects, where it has no static ones (3.10). */
    FF_BUILD_INT,
    FF_BUILD_STR,
    FF_BUILD_BYTES,
    FF_BUILD_TUPLE /* the empty one */
};

/* The types of the objects in an image that are not code objects. */
enum { FF_KIND_STR, FF_KIND_BYTES, FF_KIND_INT, FF_KIND_FLOAT, FF_KIND_COMPLEX, FF_KIND_TUPLE, FF_KIND_COUNT };

#ifdef FF_POSITION_INDEPENDENT
/* The parts of an image. A word that stands for an object in a part has the part's number in its lowest bits. */
enum { FF_TABLES, FF_WRITTEN, FF_STRINGS, FF_REST, FF_PART_COUNT };
typedef struct {
    int32_t distance; /* from here to the part; not given for tables */
    uint32_t size;
} ff_part;

/* What the part FF_WRITTEN begins with: whether the pointers of the image are those of this process. */
typedef uint64_t ff_state;
#endif

/* The static code of one module. */
typedef struct {
    FF_LINK(const char) name; /* json.decoder */
    FF_LINK(PyCodeObject) toplevel;
    FF_LINK(const ff_code) codes; /* all code objects of the module */
    uint32_t code_count;
    FF_LINK(const ff_slot) strings; /* slots of strings to intern: groups of slots that hold the same string, each ended
                                       by 0; the list is ended by another 0 */
    FF_LINK(const ff_built) built;  /* in the order to build them */
    FF_LINK(PyObject) path;         /* the co_filename to fill in, an FF_ASCII_TYPE(FF_PATH_CAPACITY), or 0 */
    FF_LINK(const char) digest;     /* identifies the code: sha256 of its code unit, hexadecimal */
    FF_LINK(const unsigned char) marshal; /* the same code as marshal bytes, for interpreters that cannot have it static */
    uint32_t marshal_size;                /* 0: not kept, the module is found on disk then */
#ifdef FF_POSITION_INDEPENDENT
    ff_part parts[FF_PART_COUNT];
    FF_LINK(const uint32_t) objects; /* links to the other objects: a list for each kind, each ended by 0 */
#else
    char *written; /* what the first use writes, most of it: one piece */
    uint32_t written_size;
#endif
} ff_image;

#ifdef FF_POSITION_INDEPENDENT
static inline char *ff_part_start(const ff_image *image, uint32_t part)
{
    return part == FF_TABLES ? (char *)image : (char *)&image->parts[part] + image->parts[part].distance;
}
#endif

static inline const char *ff_image_name(const ff_image *image)
{
    return FF_FOLLOW(image, const char, image->name);
}

/* A module that CPython itself has in its tables of frozen modules, by the name of the row there. */
typedef struct {
    const char *name; /* _frozen_importlib */
    const ff_image *image;
} ff_frozen_row;

/* A module that is found on disk. */
typedef struct {
    const char *key; /* its place below its root, without suffix: json/decoder, json for json/__init__.py */
    const ff_image *image;
    uint16_t root; /* index into ff_roots */
    uint8_t is_package;
} ff_source;

/* A regular expression that was compiled beforehand. */
typedef struct {
    uint32_t text, length;      /* in ff_expression_text: UTF-8, or bytes; the names of its groups follow, each ended by a nul */
    uint32_t code, code_length; /* in ff_expression_code; the numbers of the named groups follow */
    uint32_t flags, all_flags;  /* as asked for; with those that it sets itself */
    uint32_t groups, names;     /* how many there are */
    uint32_t is_bytes;
} ff_expression;

/* Source text that was compiled beforehand. In ff_snippet_text lie, one after the other, the text and its co_filename, both
 * UTF-8, and marshal bytes of the code. */
typedef struct {
    uint32_t text; /* where it begins */
    uint32_t length, filename_length, code_length;
    uint32_t flags;         /* of the __future__ features that hold for it */
    uint32_t is_expression; /* mode "eval", else "exec" */
} ff_snippet;

/* A folder of sys.path that holds frozen modules. NULL stands for the standard library, wherever it is; what does not begin
 * with a slash lies below the folder that FLASHFREEZE_ROOT names when the interpreter starts. */
typedef const char *ff_root;

/* The index: every module of this interpreter (generated). */
extern const ff_frozen_row ff_frozen_rows[];
extern const uint32_t ff_frozen_row_count;
extern const ff_source ff_sources[];
extern const uint32_t ff_source_count;
extern const uint32_t ff_source_buckets[]; /* open addressing by ff_hash(key): index + 1 into ff_sources, or 0 */
extern const uint32_t ff_source_bucket_mask;
extern const ff_root ff_roots[];
extern const uint32_t ff_root_count;
extern const ff_expression ff_expressions[];
extern const uint32_t ff_expression_count;
extern const uint32_t ff_expression_buckets[]; /* as above; a row's hash is in expression-calls.c, find() */
extern const uint32_t ff_expression_bucket_mask;
extern const char ff_expression_text[];
extern const uint32_t ff_expression_code[];
extern const ff_snippet ff_snippets[];
extern const uint32_t ff_snippet_count;
extern const uint32_t ff_snippet_buckets[]; /* as above, by ff_hash(text) */
extern const uint32_t ff_snippet_bucket_mask;
extern const char ff_snippet_text[];
extern const int ff_frozen_first;        /* a frozen module wins over files that come earlier on sys.path */
extern const int ff_rests_collector;     /* collector.c */
extern const int ff_exits_fast;          /* fast-exit.c */
extern const ff_image *const ff_getpath; /* the code that computes sys.path at start, or NULL */
extern const char *const ff_build_info;  /* JSON: what made this interpreter */
extern const int ff_has_stamps;          /* stamps.c: the build writes stamps of the sources */
extern const char *const ff_index_id;    /* sha256 of what the index says of sources, hexadecimal */
extern const char *const ff_target;      /* sys.version of the interpreter that this was made for, or NULL: any */
extern const wchar_t *const ff_original_path; /* moved-python.c: the path to start by, or NULL: its own */

/* FNV-1a, 32 bits: the generator computes the same (src/codegen/tables/hash-table.ts). */
static inline uint32_t ff_hash(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash;
}

/* An exception that waits until other work is done. */
#if FF_HAS_RAISED_EXCEPTION
typedef PyObject *ff_exception;
#else
typedef struct {
    PyObject *type, *value, *traceback;
} ff_exception;
#endif

/* Takes the exception that is on its way, if there is one. */
static inline ff_exception ff_take_exception(void)
{
#if FF_HAS_RAISED_EXCEPTION
    return PyErr_GetRaisedException();
#else
    ff_exception taken;
    PyErr_Fetch(&taken.type, &taken.value, &taken.traceback);
    return taken;
#endif
}

static inline int ff_is_exception(ff_exception taken)
{
#if FF_HAS_RAISED_EXCEPTION
    return taken != NULL;
#else
    return taken.type != NULL;
#endif
}

/* Has it go on, in the place of any other. */
static inline void ff_restore_exception(ff_exception taken)
{
#if FF_HAS_RAISED_EXCEPTION
    PyErr_SetRaisedException(taken);
#else
    PyErr_Restore(taken.type, taken.value, taken.traceback);
#endif
}

/* Has an exception go on that waited: it is the context of one that was raised meanwhile. */
static inline void ff_chain_exception(ff_exception waited)
{
    if (!ff_is_exception(waited)) {
        return;
    }
    if (PyErr_Occurred() == NULL) {
        ff_restore_exception(waited);
        return;
    }
#if FF_HAS_RAISED_EXCEPTION
    PyObject *raised = PyErr_GetRaisedException();
    PyException_SetContext(raised, waited);
    PyErr_SetRaisedException(raised);
#else
    /* As _PyErr_ChainExceptions() of 3.11 (Python/errors.c), which later versions deprecate. */
    ff_exception raised = ff_take_exception();
    PyErr_NormalizeException(&raised.type, &raised.value, &raised.traceback);
    PyErr_NormalizeException(&waited.type, &waited.value, &waited.traceback);
    if (waited.traceback != NULL) {
        PyException_SetTraceback(waited.value, waited.traceback);
    }
    PyException_SetContext(raised.value, waited.value);
    Py_DECREF(waited.type);
    Py_XDECREF(waited.traceback);
    ff_restore_exception(raised);
#endif
}

/* Handles the exception that is on its way as `except` does: sys.exc_info() gives it, and it is the context of what is raised until
 * ff_end_handling(). In between, it is on the stack of those that are handled (as a generator's is, Objects/genobject.c). */
static inline void ff_begin_handling(_PyErr_StackItem *handled)
{
    PyThreadState *thread = PyThreadState_Get();
    ff_exception raised = ff_take_exception();
#if FF_HAS_RAISED_EXCEPTION
    *handled = (_PyErr_StackItem){.exc_value = raised, .previous_item = thread->exc_info};
#else
    PyErr_NormalizeException(&raised.type, &raised.value, &raised.traceback);
    if (raised.traceback != NULL) {
        PyException_SetTraceback(raised.value, raised.traceback);
    }
    *handled = (_PyErr_StackItem){.exc_value = raised.value, .previous_item = thread->exc_info};
#if FF_HANDLES_THREE_PARTS
    handled->exc_type = raised.type;
    handled->exc_traceback = raised.traceback;
#else
    Py_DECREF(raised.type);
    Py_XDECREF(raised.traceback);
#endif
#endif
    thread->exc_info = handled;
}

static inline void ff_end_handling(_PyErr_StackItem *handled)
{
    PyThreadState_Get()->exc_info = handled->previous_item;
    Py_CLEAR(handled->exc_value);
#if FF_HANDLES_THREE_PARTS
    Py_CLEAR(handled->exc_type);
    Py_CLEAR(handled->exc_traceback);
#endif
}

/* A statement that must not lose the exception that is on its way. */
#define FF_KEEPING_EXCEPTION(statement) \
    do { \
        ff_exception taken_ = ff_take_exception(); \
        statement; \
        ff_restore_exception(taken_); \
    } while (0)

/* A str as UTF-8. */
typedef struct {
    const char *data;
    size_t length;
} ff_text;

/* What the user says of the images. */
typedef enum { FF_UNSET, FF_OFF, FF_ON, FF_CHECK, FF_MISSPELT } ff_switch;

#define FF_LITERAL(literal) ((ff_text){literal, sizeof(literal) - 1})

/* What a question came to, for every function that may not be able to answer: an exception; no; yes; without an exception,
 * that only the original can tell. */
typedef enum { FF_FAILED = -1, FF_NO, FF_YES, FF_UNSURE } ff_answer;

/* `other` in the place of an answer that is no exception. */
static inline ff_answer ff_failed_or(ff_answer answer, ff_answer other)
{
    return answer == FF_FAILED ? FF_FAILED : other;
}

/* The answer to a question that raised an exception which means nothing else than that: such an exception goes. What is no
 * matter of the question stays (no memory, an interrupt): FF_FAILED then. */
static inline ff_answer ff_forgive(ff_answer answer)
{
    if (PyErr_Occurred() == NULL) {
        return answer;
    }
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return FF_FAILED;
    }
    PyErr_Clear();
    return answer;
}

/* What a FileFinder holds: all of it owned, as long as the finder looks for modules as those of importlib do. */
typedef struct {
    PyObject *path, *loaders, *listed, *entries; /* its path, _loaders, _path_mtime and _path_cache */
} ff_finder;

/* Namespaces as they were when they were remembered. */
typedef struct ff_binding ff_binding;
typedef struct ff_namespace ff_namespace;
typedef struct ff_function ff_function;
typedef struct ff_cell ff_cell;
typedef struct ff_container ff_container;
typedef struct {
    ff_namespace *namespaces;
    ff_binding *bindings;     /* their names and values */
    ff_function *functions;   /* the functions among these */
    ff_cell *cells;           /* variables around these */
    ff_container *containers; /* lists, dictionaries and sets among all of these */
    size_t namespace_count, binding_count, function_count, cell_count, container_count;
    int is_foreign;    /* somebody had changed them before */
    int have_versions; /* all functions, when they were compared */
} ff_memory;

/* What the files of the runtime define, the lowest first: a file calls functions of those above its own part only, never
 * of those below. The import function, a file of several, has its part in import.h. */

/* populate.c: pages that the first use of an image writes. */
void ff_populate(const void *start, size_t size);
void ff_populate_image(const ff_image *image);

/* relocate.c: pointers of an image in the position-independent model. */
#ifdef FF_POSITION_INDEPENDENT
/* What all pointers of images depend on, for the rest of an interpreter has its place relative to _PyRuntime. */
typedef struct {
    uintptr_t objects, runtime, code_type, kind_types[FF_KIND_COUNT], constants[FF_CONSTANT_COUNT];
} ff_addresses;
/* Where the objects of all images lie. */
typedef struct {
    char *start, *stop;
} ff_span;
ff_span ff_objects(void);
ff_addresses ff_addresses_for(uintptr_t objects);
void ff_write_pointers(const ff_image *image, ptrdiff_t copy, ptrdiff_t displacement);
void ff_relocate(const ff_image *image);

/* fix-addresses.c: pointers that are in the file already. */
PyObject *ff_fix_addresses(char *copy, size_t size, uintptr_t base);
#endif

/* start-pages.c: pages that every start writes. */
void ff_populate_start(void);

/* built.c: constants that only a running interpreter can make. */
int ff_build_constants(const ff_image *image);

/* sources/own-path.c: where this code lies. */
int ff_own_path(int way, char *path);

/* sources/file-state.c: what the file system says of a file. */
int ff_stat(const char *path, struct stat *status);
int64_t ff_mtime_ns(const struct stat *status);
uint64_t ff_identity(const struct stat *status, int has_inode);
ssize_t ff_read_file(const char *path, char *buffer, size_t size);
char *ff_load_file(const char *path, size_t limit, size_t *size);

/* text.c: Python strings as C has them. */
ff_answer ff_read_text(PyObject *object, ff_text *result);
ff_text ff_strip_slashes(ff_text folder);
int ff_join_path(char *path, const ff_text *parts, size_t count);
int ff_is_text(const char *string, const char *data, size_t length);

/* sources/bytecode.c: bytecode files that take the place of a source. */
ff_answer ff_read_bytecode_suffix(ff_text *result);
ff_answer ff_has_other_bytecode(const char *source, uint64_t identity, uint64_t source_hash);

/* sources/rivals.c: other files that take the place of a source. */
ff_answer ff_has_rival(ff_text folder, ff_text tail, int is_package);

/* sources/stamps.c: sources that are not what was frozen. */
const char *ff_read_stamps(void);
void ff_read_own_age(void);
ff_answer ff_is_stale(const ff_source *source, const char *path);
ff_answer ff_is_displaced(const ff_source *source, ff_text folder, ff_text tail);

/* switch.c: what the user says. */
ff_switch ff_read_switch(const PyConfig *config);
int ff_wants_fast_exit(const PyConfig *config);

/* images.c: handing out static code. */
int ff_images_available(void);
const char *ff_unavailable_reason(void);
ff_answer ff_thaw(const ff_image *image, PyObject *path, PyObject **code);
int ff_intern_first(void);
int ff_is_static(PyObject *code);
int ff_is_thawed(const ff_image *image);
uint32_t ff_thawed_count(void);
void ff_visit_code(void (*visit)(PyCodeObject *code, void *argument), void *argument);
void ff_disable(const char *reason);
int ff_checks_sources(void);

/* sources/sources.c: the table of modules that are found on disk. */
int ff_remember_folders(void);
const ff_source *ff_find_source(ff_text path, ff_text tail);
const ff_source *ff_find_module(ff_text name);
int ff_read_root(const ff_source *source, ff_text *folder);
PyObject *ff_source_path(const ff_source *source);

/* import/observers.c: who would notice. */
int ff_is_traced(const PyInterpreterState *interpreter);
int ff_is_import_observed(void);
int ff_is_audited(void);

/* import/container-contents.c: whether lists, dictionaries and sets hold what they held. */
void *ff_make_room(void *array, size_t count, size_t element_size);
int ff_remember_container(ff_memory *memory, PyObject *object);
ff_answer ff_are_containers_unmodified(const ff_memory *memory);

/* import/functions.c: whether functions do what they did. */
int ff_remember_functions(ff_memory *memory, PyObject *value, const char *filename);
void ff_accept_vectorcall(ff_memory *memory, PyObject *object);
ff_answer ff_are_functions_unmodified(ff_memory *memory);
int ff_are_functions_static(const ff_memory *memory);

/* import/namespaces.c: whether modules and classes are as they were. */
int ff_remember_class(ff_memory *memory, PyTypeObject *type, const char *filename);
int ff_remember_module(ff_memory *memory, PyObject *dict, const char *filename);
int ff_remember_contents(ff_memory *memory, PyObject *dict);
int ff_remember_names(ff_memory *memory, PyObject *dict, const char *names);
int ff_remember_builtins(ff_memory *memory, const char *names);
ff_answer ff_is_unmodified(ff_memory *memory);

/* import/instances.c: attributes of instances. */
ff_answer ff_read_instance(PyObject *instance, PyObject *const *names, Py_ssize_t count, PyObject **dict);

/* collector.c: the garbage collector while a frozen module is imported. */
void ff_begin_import(void);
void ff_end_import(void);

/* prepared/expression-calls.c: regular expressions that were compiled beforehand. */
int ff_install_expressions(void);
uint32_t ff_used_expression_count(void);
PyObject *ff_list_expressions(void);

/* prepared/snippet-calls.c: source text that was compiled beforehand. */
int ff_install_snippets(void);
uint32_t ff_used_snippet_count(void);
PyObject *ff_list_snippets(void);

/* import/dependencies.c: all of importlib that is taken for granted. */
ff_answer ff_is_importlib_unmodified(void);
int ff_remember_importlib(PyObject *bootstrap, PyObject *external);

/* import/import-frames.c: the limit of recursion. */
/* The flags and the parameters of C functions that take the place of Python functions: METH_FASTCALL | METH_KEYWORDS. Bytecode that 3.11
 * has specialised counts no call of such a function (Python/ceval.c, PRECALL_BUILTIN_FAST_WITH_KEYWORDS), but any call of one
 * that asks for its class, too. */
#if FF_COUNTS_RECURSION == 311
#define FF_CALL_FLAGS (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)
#define FF_CALL_PARAMETERS(self) \
    PyObject *self, PyTypeObject *Py_UNUSED(class), PyObject *const *arguments, Py_ssize_t count, PyObject *keywords
#else
#define FF_CALL_FLAGS (METH_FASTCALL | METH_KEYWORDS)
#define FF_CALL_PARAMETERS(self) PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords
#endif
int ff_enter_frames(int count);
void ff_leave_frames(int count);
int ff_has_room_for_frames(int count);
PyObject *ff_call_instead(PyObject *function, PyObject *const *arguments, size_t count, PyObject *keywords);

/* import/file-specs.c: finders and specs of source files. */
int ff_read_loader(PyObject *entry, PyObject **suffix, PyObject **loader);
ff_answer ff_read_finder(PyObject *finder, ff_finder *read);
void ff_clear_finder(ff_finder *read);
ff_answer ff_is_found(const ff_source *source, ff_text folder, ff_text tail);
ff_answer ff_is_bytecode_path_usual(void);
ff_answer ff_is_current(const ff_source *source, ff_text folder, ff_text tail);
PyObject *ff_make_spec(PyObject *fullname, PyObject *directory, const char *tail, int is_package, int is_loading);
int ff_remember_file_finder(PyObject *bootstrap, PyObject *external);

/* import/import-….c: the steps of import.c (import.h). */

/* import/import.c: the whole import of a frozen module. */
int ff_install_import_function(PyObject *bootstrap, PyObject *external);
int ff_is_spec_for_loading(PyObject *fullname);

/* import/finder.c: frozen modules for those who ask importlib's finders and loaders. */
int ff_install_finder_methods(PyObject *external);

/* fast-exit.c: the end of a process that takes nothing apart. */
int ff_install_fast_exit(void);

/* import/import-hooks.c: what is installed when, in an interpreter that starts. */
int ff_install_import_hooks(void);

/* graft/moved-python.c: the copy of the executable of a Python that was moved. */
void ff_start_as_original(void);
int ff_restore_executable(void);

/* linked/frozen.c: modules that CPython freezes itself. */
void ff_install_frozen_rows(void);

/* module.c: the module _flashfreeze. linked/startup.c and overlay/extension-module.c give it to the interpreter. */
PyObject *ff_module_init(void);
extern const char *ff_snapshot_state; /* "restored", or why the start was an ordinary one; NULL without snapshots */
/* For imports while a snapshot is made, and the recording of them. */
typedef struct {
    const char *(*reason_to_leave_out)(const char *path); /* why a snapshot cannot hold a library; NULL if it can */
    PyObject *(*settings)(void);                          /* text: lines of a name, a tab, and a value */
    void (*mark_point)(void);                             /* where a module's body begins, and where it ends */
} ff_snapshot_rules;
extern const ff_snapshot_rules *ff_rules; /* NULL without snapshots */

/* linked/startup.c: both of what happens before main(). */
void ff_register_with_interpreter(void);

/* snapshot/….c: a start from memory (snapshot/restore.h). */

#endif
