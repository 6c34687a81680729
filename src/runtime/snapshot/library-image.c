/* A shared library as it is in its file: read into memory, and examined. A snapshot holds one that needs nothing but the executable and
 * the libraries which the executable itself has (held-libraries.c). */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __x86_64__
#define MACHINE EM_X86_64
#define R_RELATIVE R_X86_64_RELATIVE
#define R_FUNCTION R_X86_64_JUMP_SLOT
#define R_ADDRESS R_X86_64_GLOB_DAT
#define R_WORD R_X86_64_64
#else
#define MACHINE EM_AARCH64
#define R_RELATIVE R_AARCH64_RELATIVE
#define R_FUNCTION R_AARCH64_JUMP_SLOT
#define R_ADDRESS R_AARCH64_GLOB_DAT
#define R_WORD R_AARCH64_ABS64
#endif

#ifndef DT_RELR /* glibc 2.36 */
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

#define ALIGNMENT_LIMIT ((size_t)1 << 16)

char *ff_library_address(const ff_library *library, uint64_t address)
{
    return library->start + (address - library->low);
}

static int is_inside(const ff_library *library, uint64_t address, uint64_t size)
{
    return address >= library->low && address - library->low <= library->size &&
           size <= library->size - (address - library->low);
}

/* ---- The file ---- */

static const char *read_segments(int fd, ff_library *library, char *(*take)(size_t size, size_t alignment))
{
    Elf64_Ehdr header;
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN || header.e_machine != MACHINE ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > FF_LIBRARY_PARTS) {
        return "it is no library of this machine";
    }
    library->part_count = header.e_phnum;
    ssize_t size = (ssize_t)(header.e_phnum * sizeof(Elf64_Phdr));
    if (pread(fd, library->parts, (size_t)size, (off_t)header.e_phoff) != size) {
        return "it is cut off";
    }
    uint64_t low = UINT64_MAX, high = 0, alignment = FF_PAGE;
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type == PT_TLS) {
            return "it has thread-local variables";
        }
        if (part->p_type == PT_GNU_STACK && (part->p_flags & PF_X) != 0) {
            return "it executes its stack";
        }
        if (part->p_type != PT_LOAD) {
            continue;
        }
        if ((part->p_flags & PF_W) != 0 && (part->p_flags & PF_X) != 0) {
            return "it writes to its code";
        }
        if (part->p_memsz > FF_REGION_SIZE / 4 || part->p_vaddr > UINT64_MAX / 2 || part->p_filesz > part->p_memsz) {
            return "it is too large";
        }
        low = part->p_vaddr < low ? part->p_vaddr : low;
        high = part->p_vaddr + part->p_memsz > high ? part->p_vaddr + part->p_memsz : high;
        alignment = part->p_align > alignment ? part->p_align : alignment;
    }
    if (low >= high || high - low > FF_REGION_SIZE / 4) {
        return "it is too large";
    }
    /* Linkers that allow for pages of 2 MB need no more than the system's own size. */
    alignment = alignment > ALIGNMENT_LIMIT || (alignment & (alignment - 1)) != 0 ? ALIGNMENT_LIMIT : alignment;
    library->low = low & ~(alignment - 1);
    library->size = FF_PAGE_END(high - library->low);
    library->start = take(library->size, alignment);
    if (library->start == NULL) {
        return "there is no memory for it";
    }
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type == PT_LOAD && pread(fd, ff_library_address(library, part->p_vaddr), part->p_filesz,
                                             (off_t)part->p_offset) != (ssize_t)part->p_filesz) {
            return "it is cut off";
        }
    }
    return NULL;
}

/* ---- Its dynamic section ---- */

/* A table that an entry of the dynamic section leads to; NULL if it does not lie in the library. */
static void *table(const ff_library *library, uint64_t address, uint64_t size)
{
    return address != 0 && is_inside(library, address, size) ? ff_library_address(library, address) : NULL;
}

static const char *read_dynamic(ff_library *library, const Elf64_Dyn **found)
{
    const Elf64_Phdr *part = library->parts, *end = part + library->part_count;
    while (part < end && part->p_type != PT_DYNAMIC) {
        part++;
    }
    const Elf64_Dyn *dynamic = part == end ? NULL : table(library, part->p_vaddr, part->p_memsz);
    if (dynamic == NULL) {
        return "it has no dynamic section";
    }
    *found = dynamic;
    for (const Elf64_Dyn *each = dynamic; each->d_tag != DT_NULL; each++) {
        uint64_t value = each->d_un.d_val;
        switch (each->d_tag) {
        case DT_SYMTAB: library->symbols = table(library, value, sizeof(Elf64_Sym)); break;
        case DT_STRTAB: library->names = table(library, value, 1); break;
        case DT_GNU_HASH: library->hashes = table(library, value, 4 * sizeof(uint32_t)); break;
        case DT_VERSYM: library->versions = table(library, value, sizeof(Elf64_Half)); break;
        case DT_VERNEED: library->needed_versions = table(library, value, sizeof(Elf64_Verneed)); break;
        case DT_RELA: library->relocations[0] = table(library, value, 0); break;
        case DT_RELASZ: library->relocation_counts[0] = value / sizeof(Elf64_Rela); break;
        case DT_JMPREL: library->relocations[1] = table(library, value, 0); break;
        case DT_PLTRELSZ: library->relocation_counts[1] = value / sizeof(Elf64_Rela); break;
        case DT_RELR: library->relative = table(library, value, 0); break;
        case DT_RELRSZ: library->relative_count = value / sizeof(uint64_t); break;
        case DT_INIT: library->init = value; break;
        case DT_INIT_ARRAY: library->init_array = value; break;
        case DT_INIT_ARRAYSZ: library->init_count = value / sizeof(void *); break;
        case DT_TEXTREL: return "it writes to its code";
        case DT_FLAGS:
            if ((value & DF_TEXTREL) != 0) {
                return "it writes to its code";
            }
            break;
        default: break;
        }
    }
    int is_whole = library->symbols != NULL && library->names != NULL && library->hashes != NULL &&
                   (library->init_count == 0 || table(library, library->init_array, library->init_count * sizeof(void *)) != NULL);
    return is_whole ? NULL : "it has tables that are not known";
}

/* Libraries that the process has, and those that are empty since glibc 2.34. */
static int is_there(const char *name)
{
    static const char *const parts_of_libc[] = {"libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"};
    for (size_t i = 0; i < sizeof(parts_of_libc) / sizeof(parts_of_libc[0]); i++) {
        if (strcmp(name, parts_of_libc[i]) == 0) {
            return 1;
        }
    }
    extern void *__real_dlopen(const char *, int);
    extern int __real_dlclose(void *);
    void *handle = __real_dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != NULL) {
        __real_dlclose(handle);
    }
    return handle != NULL;
}

static char said[256];

static const char *say(const char *format, const char *name)
{
    snprintf(said, sizeof(said), format, name);
    return said;
}

static const char *check_needed(const ff_library *library, const Elf64_Dyn *dynamic)
{
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const char *name = library->names + dynamic->d_un.d_val;
        if (dynamic->d_tag == DT_NEEDED && !is_there(name)) {
            return say("it needs %s", name);
        }
    }
    return NULL;
}

/* ---- Symbols ---- */

static const char *version_of(const ff_library *library, uint32_t symbol)
{
    uint16_t wanted = library->versions == NULL ? 0 : library->versions[symbol] & 0x7fff;
    const char *file = (const char *)library->needed_versions;
    while (wanted > 1 && file != NULL) {
        const Elf64_Verneed *needed = (const Elf64_Verneed *)file;
        const char *each = file + needed->vn_aux;
        for (int i = 0; i < needed->vn_cnt; i++) {
            const Elf64_Vernaux *version = (const Elf64_Vernaux *)each;
            if (version->vna_other == wanted) {
                return library->names + version->vna_name;
            }
            each += version->vna_next;
        }
        file = needed->vn_next == 0 ? NULL : file + needed->vn_next;
    }
    return NULL;
}

/* A symbol that the library defines, as the dynamic linker finds it; NULL if there is none. */
void *ff_find_symbol(const ff_library *library, const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
        hash = hash * 33 + *p;
    }
    const uint32_t *table = library->hashes, buckets = table[0], first = table[1];
    const uint32_t *heads = table + 4 + 2 * table[2], *chain = heads + buckets;
    uint32_t i = buckets == 0 ? 0 : heads[hash % buckets];
    for (; i >= first && i != 0; i++) {
        uint32_t own = chain[i - first];
        const Elf64_Sym *symbol = &library->symbols[i];
        if ((own | 1) == (hash | 1) && strcmp(library->names + symbol->st_name, name) == 0 && symbol->st_shndx != SHN_UNDEF) {
            return ff_library_address(library, symbol->st_value);
        }
        if ((own & 1) != 0) {
            return NULL;
        }
    }
    return NULL;
}

/* What a library leaves with libc or the dynamic linker, which a snapshot does not hold; and what asks them for the library. */
static int is_refused(const char *name)
{
    static const char *const refused[] = {
        "__cxa_atexit", "__cxa_thread_atexit_impl", "on_exit", "at_quick_exit", "__register_atfork", "pthread_atfork",
        "dl_iterate_phdr", "dladdr", "dladdr1", "_dl_find_object", "__tls_get_addr", "tss_create", "thrd_create",
        "__gxx_personality_v0", "rust_eh_personality", "_Unwind_Resume", "_Unwind_RaiseException", "_Unwind_Backtrace"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(name, refused[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *check_relocation(const ff_library *library, const Elf64_Rela *each)
{
    uint64_t type = ELF64_R_TYPE(each->r_info);
    if (type != R_RELATIVE && type != R_FUNCTION && type != R_ADDRESS && type != R_WORD) {
        return "it has relocations that are not known";
    }
    if (!is_inside(library, each->r_offset, sizeof(void *))) {
        return "it is cut off";
    }
    uint32_t number = (uint32_t)ELF64_R_SYM(each->r_info);
    const Elf64_Sym *symbol = &library->symbols[number];
    if (type == R_RELATIVE || number == 0) {
        return NULL;
    }
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC) {
        return "it chooses functions by the processor";
    }
    const char *name = library->names + symbol->st_name;
    if (symbol->st_shndx != SHN_UNDEF) {
        return NULL;
    }
    if (is_refused(name)) {
        return say("it calls %s()", name);
    }
    if (ELF64_ST_BIND(symbol->st_info) != STB_WEAK && ff_find_global(name, version_of(library, number)) == NULL) {
        return say("%s is defined nowhere", name);
    }
    return NULL;
}

static const char *check_relocations(const ff_library *library)
{
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < library->relocation_counts[k]; i++) {
            const char *reason = library->relocations[k] == NULL ? "it is cut off"
                                                                 : check_relocation(library, &library->relocations[k][i]);
            if (reason != NULL) {
                return reason;
            }
        }
    }
    return NULL;
}

/* Whether it is an extension module: all of its other symbols are its own affair. */
static int has_init_function(const ff_library *library)
{
    const uint32_t *table = library->hashes, buckets = table[0], first = table[1];
    const uint32_t *heads = table + 4 + 2 * table[2], *chain = heads + buckets;
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        for (uint32_t i = heads[bucket]; i >= first && i != 0; i++) {
            if (strncmp(library->names + library->symbols[i].st_name, "PyInit", 6) == 0) {
                return 1;
            }
            if ((chain[i - first] & 1) != 0) {
                break;
            }
        }
    }
    return 0;
}

/* Reads a library into memory that `take` provides. NULL if a snapshot can hold it, else why it cannot. */
const char *ff_read_library(int fd, ff_library *library, char *(*take)(size_t size, size_t alignment))
{
    const Elf64_Dyn *dynamic = NULL;
    const char *reason = read_segments(fd, library, take);
    if (reason == NULL) {
        reason = read_dynamic(library, &dynamic);
    }
    if (reason == NULL && !has_init_function(library)) {
        reason = "it is no extension module";
    }
    if (reason == NULL) {
        reason = check_needed(library, dynamic);
    }
    return reason == NULL ? check_relocations(library) : reason;
}

static void relocate_relative(const ff_library *library)
{
    uint64_t shift = (uint64_t)(uintptr_t)library->start - library->low, *place = NULL;
    for (uint64_t i = 0; i < library->relative_count; i++) {
        uint64_t entry = library->relative[i];
        if ((entry & 1) == 0) { /* an address; a bit map of those that follow comes next (DT_RELR) */
            place = (uint64_t *)ff_library_address(library, entry);
            *place++ += shift;
            continue;
        }
        for (int bit = 1; bit < 64; bit++) {
            if ((entry >> bit & 1) != 0) {
                place[bit - 1] += shift;
            }
        }
        place += 63;
    }
}

/* Puts the addresses in. `bind` gets each word that is another one in each process. */
void ff_relocate_library(const ff_library *library, void (*bind)(void **place, const char *name, const char *version, int64_t addend))
{
    relocate_relative(library);
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < library->relocation_counts[k]; i++) {
            const Elf64_Rela *each = &library->relocations[k][i];
            uint32_t number = (uint32_t)ELF64_R_SYM(each->r_info);
            const Elf64_Sym *symbol = &library->symbols[number];
            void **place = (void **)ff_library_address(library, each->r_offset);
            int64_t addend = each->r_addend;
            if (number == 0) {
                *place = ff_library_address(library, (uint64_t)addend);
            }
            else if (symbol->st_shndx == SHN_ABS) {
                *place = (void *)(uintptr_t)(symbol->st_value + (uint64_t)addend);
            }
            else if (symbol->st_shndx != SHN_UNDEF) {
                *place = ff_library_address(library, symbol->st_value) + addend;
            }
            else {
                bind(place, library->names + symbol->st_name, version_of(library, number), addend);
            }
        }
    }
}
