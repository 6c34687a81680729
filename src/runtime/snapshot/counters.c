/* Code that ran once or twice during the imports has written its counters: nothing else of its instructions differs from the
 * executable's, and as they were they need no room in the snapshot. Code that the interpreter has specialised stays specialised: it is
 * what a start is likely to run again (Python/specialize.c), but for bodies of modules: these have run, and how often their loops did may be chance. The version of code (3.12 and later) stays, too: functions that are
 * made of it later get it, and calls to functions without a version are never specialised (Objects/funcobject.c). */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if FF_SNAPSHOT_STATE >= 311
#include "internal/pycore_code.h"

/* The executable's writable segment, as it is in the file. */
typedef struct {
    uintptr_t address;
    size_t size;
    off_t offset;
    const char *bytes;
} file_segment;

static int find_segment(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *argument)
{
    file_segment *segment = argument; /* the executable comes first */
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0) {
            uintptr_t behind = part->p_vaddr % FF_PAGE;
            *segment = (file_segment){object->dlpi_addr + part->p_vaddr - behind, part->p_filesz + behind,
                                      (off_t)(part->p_offset - behind), NULL};
        }
    }
    return 1;
}

/* Whether nothing but counters differs. */
static int is_unspecialised(const PyCodeObject *code, const _Py_CODEUNIT *now, const _Py_CODEUNIT *original)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(code); i += 1 + _PyOpcode_Caches[_PyOpcode_Deopt[FF_OPCODE(original[i])]]) {
        int before = FF_OPCODE(original[i]), after = FF_OPCODE(now[i]);
        if ((after != before && !FF_IS_FIRST_RUN(after, before)) || FF_OPARG(now[i]) != FF_OPARG(original[i])) {
            return 0;
        }
    }
    return 1;
}

static void reset(PyCodeObject *code, void *argument)
{
    const file_segment *segment = argument;
    uintptr_t place = (uintptr_t)code - segment->address;
    size_t size = (size_t)Py_SIZE(code) * sizeof(_Py_CODEUNIT);
    if (place >= segment->size || sizeof(PyCodeObject) + size > segment->size - place) {
        return;
    }
    const PyCodeObject *original = (const PyCodeObject *)(segment->bytes + place);
    if (FF_IS_MONITORED(code) || FF_IS_COMPILED(code)) {
        return;
    }
    int is_body = PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
    if (Py_SIZE(original) == Py_SIZE(code) &&
        (is_body ||
         is_unspecialised(code, (_Py_CODEUNIT *)code->co_code_adaptive, (const _Py_CODEUNIT *)original->co_code_adaptive))) {
        memcpy(code->co_code_adaptive, original->co_code_adaptive, size);
#if FF_SNAPSHOT_STATE == 311
        code->co_warmup = original->co_warmup; /* Include/cpython/code.h */
#endif
    }
}

/* Before a dump. Does nothing if the file cannot be read: then the snapshot is larger. */
void ff_reset_counters(void)
{
    file_segment segment = {0, 0, 0, NULL};
    dl_iterate_phdr(find_segment, &segment);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, segment.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, segment.offset);
    if (bytes != MAP_FAILED) {
        segment.bytes = bytes;
        ff_write_earlier(bytes, segment.address, segment.size);
        ff_visit_code(reset, &segment);
        munmap(bytes, segment.size);
    }
    if (fd >= 0) {
        close(fd);
    }
}

#else

static void reset(PyCodeObject *code, void *Py_UNUSED(argument))
{
    if (code->co_opcache_map == NULL) { /* Include/cpython/code.h: so far its calls were only counted */
        code->co_opcache_flag = 0;
    }
}

void ff_reset_counters(void)
{
    ff_visit_code(reset, NULL);
}

#endif
