/* Handing out static code: whether this interpreter may have it, and what an image needs done when it is first used. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <stdlib.h>
#include <string.h>

/* Bounds of the section that holds code objects, among others; the linker defines them for sections named like C identifiers. */
extern char __start_ff_written[] __attribute__((weak, visibility("hidden")));
extern char __stop_ff_written[] __attribute__((weak, visibility("hidden")));

static const char *unavailable; /* why static code may not be handed out, or NULL */
static int decided;
static const char *sources_unavailable; /* the same of modules that are found on disk */
static int sources_decided;
static ff_switch wanted;
static int checks_sources;
static uint32_t thawed_count;

/* Images hold what the compiler makes with its default options: others are compiled or read from disk as usual. */
static const char *decide(void)
{
    const PyConfig *config = _Py_GetConfig();
    wanted = ff_read_switch(config);
    if (wanted == FF_OFF) {
        return "switched off";
    }
    if (wanted == FF_MISSPELT) {
        return "switched off by an unknown value of FLASHFREEZE or -X flashfreeze";
    }
    if (config->optimization_level != 0) {
        return "-O asks for other code";
    }
#if FF_CODE_FORM >= 311 /* code knows columns */
    if (!config->code_debug_ranges) {
        return "-X no_debug_ranges asks for other code";
    }
#endif
    return NULL;
}

/* Sources are checked where a build gave the images stamps, unless the user says otherwise: where the stamps cannot be read,
 * nothing says that an image is what its source is. */
static const char *decide_sources(void)
{
    checks_sources = wanted == FF_CHECK || (ff_has_stamps && wanted != FF_ON);
    if (checks_sources && ff_has_stamps) {
        return ff_read_stamps();
    }
    if (checks_sources) {
        ff_read_own_age();
    }
    return NULL;
}

/* Whether sources are looked at before images are trusted. */
int ff_checks_sources(void)
{
    return checks_sources;
}

/* Static objects belong to the first life of the main interpreter. Others run the same bytecode with other interned
 * strings and other versions; after Py_Finalize() the inline caches are stale. */
static void expire(void)
{
    unavailable = "the interpreter was finalised once";
}

/* Hands out no static code from now on: `reason` says why, in a few words. */
void ff_disable(const char *reason)
{
    decided = 1;
    unavailable = reason;
}

/* Whether the images of modules that CPython itself freezes may be used. These are never compared with their sources, with
 * CPython neither. */
static int are_rows_available(void)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        return 0;
    }
    if (!decided) {
        decided = 1;
        unavailable = decide();
        if (unavailable == NULL && Py_AtExit(expire) < 0) {
            unavailable = "no room for an exit function";
        }
    }
    return unavailable == NULL;
}

/* Whether the images of modules that are found on disk may be used. First asked when the interpreter knows its own path. */
int ff_images_available(void)
{
    if (!are_rows_available()) {
        return 0;
    }
    if (!sources_decided) {
        sources_decided = 1;
        sources_unavailable = decide_sources();
    }
    return sources_unavailable == NULL;
}

const char *ff_unavailable_reason(void)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        return "not the main interpreter";
    }
    return ff_images_available() ? NULL : unavailable != NULL ? unavailable : sources_unavailable;
}

/* Interns each group's string and lets all its slots have the result, which may be another object. -1 with an exception, without
 * memory: what was interned stays so, and the rest can be done another time. */
static int intern_strings(const ff_image *image)
{
    for (const ff_slot *slot = FF_FOLLOW(image, const ff_slot, image->strings); *slot != 0; slot++) {
        PyObject **first = FF_FOLLOW(image, PyObject *, *slot);
        PyObject *before = *first;
        ff_intern(first);
        PyObject *interned = *first;
        if (!PyUnicode_CHECK_INTERNED(interned)) {
            PyErr_NoMemory();
            return -1;
        }
        for (slot++; *slot != 0; slot++) {
            if (interned != before) {
                *FF_FOLLOW(image, PyObject *, *slot) = Py_NewRef(interned);
            }
        }
    }
    return 0;
}

/* Before anything else interns a string: that of the image is the one which everybody has, and no tuple has to be written. */
int ff_intern_first(void)
{
    for (uint32_t i = 0; i < ff_frozen_row_count; i++) {
        if (intern_strings(ff_frozen_rows[i].image) < 0) {
            return -1;
        }
    }
    for (uint32_t i = 0; i < ff_source_count; i++) {
        if (intern_strings(ff_sources[i].image) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyCodeObject *code_at(const ff_image *image, uint32_t index)
{
    const ff_code *codes = FF_FOLLOW(image, const ff_code, image->codes);
    return FF_FOLLOW(image, PyCodeObject, codes[index]);
}

/* Function versions tell specialised calls apart, so no two code objects may share one. */
static void give_versions(const ff_image *image)
{
    uint32_t version = ff_reserve_versions(image->code_count);
    if (version != 0) {
        for (uint32_t i = 0; i < image->code_count; i++) {
            FF_SET_VERSION(code_at(image, i), version + i);
        }
    }
}

typedef FF_ASCII_TYPE(FF_PATH_CAPACITY) path_buffer;

/* Makes `path` the co_filename of all code of the image. The code objects point at a str with room in it: writing that
 * touches one place, not every code object. A path that does not fit is put into each of them. */
static void set_path(const ff_image *image, PyObject *path)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(path);
    if (PyUnicode_IS_ASCII(path) && length <= FF_PATH_CAPACITY) {
        path_buffer *buffer = (path_buffer *)FF_FOLLOW(image, PyObject, image->path);
        memcpy(buffer->data, PyUnicode_1BYTE_DATA(path), (size_t)length + 1);
        buffer->object.length = length;
        return;
    }
    for (uint32_t i = 0; i < image->code_count; i++) {
        code_at(image, i)->co_filename = Py_NewRef(path);
    }
}

/* Images that were used, as a set of addresses: a bit in the image would make its page dirty. */
typedef struct {
    const ff_image *image;
    PyObject *path; /* owned, or NULL */
} used_image;
static used_image *used;
static size_t used_mask;

static used_image *find_used(const ff_image *image)
{
    size_t i = ((uintptr_t)image >> 4) & used_mask;
    while (used[i].image != NULL && used[i].image != image) {
        i = (i + 1) & used_mask;
    }
    return &used[i];
}

/* Makes room for one more. The table is at most half full, and grows with what is used: one for all that is frozen would be
 * sparse, and each entry cost a page. -1 with an exception. */
static int make_room(void)
{
    used_image *old = used;
    size_t old_size = old == NULL ? 0 : used_mask + 1;
    if (2 * ((size_t)thawed_count + 1) <= old_size) {
        return 0;
    }
    size_t size = old == NULL ? 128 : 2 * old_size;
    used_image *larger = calloc(size, sizeof(used_image));
    if (larger == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    used = larger;
    used_mask = size - 1;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].image != NULL) {
            *find_used(old[i].image) = old[i];
        }
    }
    free(old);
    return 0;
}

/* Whether the code that was handed out for `given` is still that of `path`: _imp._fix_co_filename() writes to code. */
static int has_path(const ff_image *image, PyObject *given, PyObject *path)
{
    PyObject *filename = FF_FOLLOW(image, PyCodeObject, image->toplevel)->co_filename;
    return (filename == FF_FOLLOW(image, PyObject, image->path) || filename == given) && PyUnicode_Compare(path, given) == 0;
}

/* Brings an image into the state in which the interpreter has its code objects. May be done twice. -1 with an exception. */
static int prepare(const ff_image *image)
{
#ifdef FF_POSITION_INDEPENDENT
    ff_relocate(image);
#else
    ff_populate_image(image);
#endif
    return intern_strings(image) < 0 || ff_build_constants(image) < 0 ? -1 : 0;
}

/* Gives the module's code object (a new reference). FF_UNSURE: it cannot be had, and the caller loads the module the ordinary
 * way. `path`, a str, becomes co_filename; once given it stays, and other paths are refused. */
ff_answer ff_thaw(const ff_image *image, PyObject *path, PyObject **code)
{
    *code = NULL;
    if (!(path == NULL ? are_rows_available() : ff_images_available() && PyUnicode_CheckExact(path))) {
        return FF_UNSURE;
    }
    if (make_room() < 0 || (find_used(image)->image == NULL && prepare(image) < 0) || make_room() < 0) {
        return FF_FAILED;
    }
    /* Looked for again, and made room again: building a constant may run a collection, that any code, and another thread. */
    used_image *entry = find_used(image);
    if (entry->image == NULL) {
        give_versions(image);
        if (image->path != 0) {
            set_path(image, path);
        }
        entry->image = image;
        entry->path = Py_XNewRef(path);
        thawed_count++;
    }
    else if (path != NULL && !has_path(image, entry->path, path)) {
        return FF_UNSURE;
    }
    *code = Py_NewRef((PyObject *)FF_FOLLOW(image, PyCodeObject, image->toplevel));
    return FF_YES;
}

int ff_is_static(PyObject *code)
{
    return PyCode_Check(code) && (char *)code >= __start_ff_written && (char *)code < __stop_ff_written;
}

/* Whether code of the image was handed out. */
int ff_is_thawed(const ff_image *image)
{
    return used != NULL && find_used(image)->image != NULL;
}

uint32_t ff_thawed_count(void)
{
    return thawed_count;
}

/* Calls `visit` with all code of images that were used. */
void ff_visit_code(void (*visit)(PyCodeObject *code, void *argument), void *argument)
{
    for (size_t i = 0; used != NULL && i <= used_mask; i++) {
        for (uint32_t k = 0; used[i].image != NULL && k < used[i].image->code_count; k++) {
            visit(code_at(used[i].image, k), argument);
        }
    }
}
