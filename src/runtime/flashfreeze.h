/* What generated images, the generated index and the runtime agree on. Include the target's layout file first. */
#ifndef FLASHFREEZE_H
#define FLASHFREEZE_H

#include <stddef.h>
#include <stdint.h>

/* Data lies in sections by how it is used, so that pages that are only read stay clean (docs/architecture.md):
 * code objects and their inline caches are written when they run; shared strings when they are hashed and interned;
 * tuples where an interned string lives elsewhere; the rest is hardly ever written. */
#define FF_IN(section_) __attribute__((section(#section_)))
#define FF_IN_CODE FF_IN(ff_code)
#define FF_IN_TUPLE FF_IN(ff_tuple)
#define FF_IN_TEXT FF_IN(ff_text)
#define FF_IN_DATA FF_IN(ff_data)
#define FF_IN_PATH FF_IN(ff_path)

/* A string that several modules may use, defined in each of them under a name made from its content: the linker keeps
 * one (a section group, which GCC lets us name through the section attribute; other compilers get a private copy). */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define FF_SHARED(symbol) \
    __attribute__((visibility("hidden"), section("ff_string,\"awG\",@progbits," #symbol ",comdat#")))
#else
#define FF_SHARED(symbol) static FF_IN(ff_string)
#endif

/* Room for a co_filename, written at the module's first use: an ASCII str. Longer or other paths go elsewhere. */
#define FF_PATH_CAPACITY 215

/* A frozenset constant: built from `items` at the module's first use (its order depends on the hash seed) and put into
 * each of `slots` (ended by NULL). */
typedef struct {
    PyObject *items;
    PyObject **const *slots;
} ff_frozenset;

/* The static code of one module. */
typedef struct {
    const char *name; /* json.decoder */
    PyCodeObject *toplevel;
    PyCodeObject *const *codes; /* all code objects of the module */
    uint32_t code_count;
    PyObject **const *strings; /* slots of strings to intern: groups of slots that hold the same string, each ended by
                                  NULL; the list is ended by another NULL */
    const ff_frozenset *frozensets; /* in the order to build them, ended by {NULL, NULL} */
    PyObject *path;                 /* the co_filename to fill in, an FF_ASCII_TYPE(FF_PATH_CAPACITY), or NULL */
    const char *digest;             /* sha256 of the code unit, hexadecimal */
    const unsigned char *marshal;   /* the same code as marshal bytes, for interpreters that cannot have it static */
    Py_ssize_t marshal_size;        /* 0: not kept, the module is found on disk then */
} ff_image;

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

/* A folder of sys.path that holds frozen modules. NULL stands for the standard library, wherever it is. */
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
extern const ff_image *const ff_getpath; /* the code that computes sys.path at start, or NULL */
extern const char *const ff_build_info;  /* JSON: what made this interpreter */

/* FNV-1a, 32 bits: the generator computes the same (src/codegen/index-table.ts). */
static inline uint32_t ff_hash(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash;
}

/* images.c: handing out static code. */
int ff_images_available(void);
const char *ff_unavailable_reason(void);
PyObject *ff_thaw(const ff_image *image, PyObject *path);
int ff_is_static(PyObject *code);
uint32_t ff_thawed_count(void);

/* frozen.c: modules that CPython freezes itself. */
void ff_install_frozen_rows(void);

/* finder.c: modules that are found on disk. */
int ff_install_import_hooks(void);
PyObject *ff_source_path(const ff_source *source);

/* module.c: the module _flashfreeze. */
PyObject *ff_module_init(void);

#endif
