/* A shared library as it is in its file: read into memory, examined, and its own addresses put in. What its symbols mean is another matter
 * (library-symbols.c). */
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
#else
#define MACHINE EM_AARCH64
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

/* In a process that is not kept only what is used comes from the file. -1 if it has to be read. */
static int map_part(int fd, const ff_library *library, const Elf64_Phdr *part)
{
    char *start = ff_library_address(library, part->p_vaddr), *end = start + part->p_filesz;
    size_t before = (uintptr_t)start % FF_PAGE;
    struct stat found;
    if (part->p_filesz == 0 || part->p_offset % FF_PAGE != before || fstat(fd, &found) != 0 ||
        part->p_filesz > (uint64_t)found.st_size || part->p_offset > (uint64_t)found.st_size - part->p_filesz ||
        mmap(start - before, part->p_filesz + before, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
             (off_t)(part->p_offset - before)) == MAP_FAILED) {
        return -1;
    }
    if (part->p_memsz > part->p_filesz) { /* the last page has more of the file */
        memset(end, 0, (size_t)((char *)FF_PAGE_END(end) - end));
    }
    return 0;
}

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
            library->thread_size = part->p_memsz;
            library->thread_alignment = part->p_align;
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
        if (part->p_type == PT_LOAD && (ff_is_in_region(library->start) || map_part(fd, library, part) < 0) &&
            pread(fd, ff_library_address(library, part->p_vaddr), part->p_filesz, (off_t)part->p_offset) !=
                (ssize_t)part->p_filesz) {
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

static const char *read_dynamic(ff_library *library)
{
    const Elf64_Phdr *part = library->parts, *end = part + library->part_count;
    while (part < end && part->p_type != PT_DYNAMIC) {
        part++;
    }
    const Elf64_Dyn *dynamic = part == end ? NULL : table(library, part->p_vaddr, part->p_memsz);
    if (dynamic == NULL) {
        return "it has no dynamic section";
    }
    library->dynamic = dynamic;
    for (const Elf64_Dyn *each = dynamic; each->d_tag != DT_NULL; each++) {
        uint64_t value = each->d_un.d_val;
        switch (each->d_tag) {
        case DT_SYMTAB: library->symbols = table(library, value, sizeof(Elf64_Sym)); break;
        case DT_STRTAB: library->names = table(library, value, 1); break;
        case DT_GNU_HASH: library->hashes = table(library, value, 4 * sizeof(uint32_t)); break;
        case DT_VERSYM: library->versions = table(library, value, sizeof(Elf64_Half)); break;
        case DT_VERDEF: library->defined_versions = table(library, value, sizeof(Elf64_Verdef)); break;
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
        case DT_FINI_ARRAY: library->end_array = value; break;
        case DT_FINI_ARRAYSZ: library->end_count = value / sizeof(void *); break;
        case DT_SYMBOLIC: library->is_symbolic = 1; break;
        case DT_TEXTREL: return "it writes to its code";
        case DT_FLAGS:
            if ((value & DF_TEXTREL) != 0) {
                return "it writes to its code";
            }
            library->is_symbolic |= (value & DF_SYMBOLIC) != 0;
            break;
        default: break;
        }
    }
    int is_whole = library->symbols != NULL && library->names != NULL && library->hashes != NULL &&
                   (library->init_count == 0 || table(library, library->init_array, library->init_count * sizeof(void *)) != NULL) &&
                   (library->end_count == 0 || table(library, library->end_array, library->end_count * sizeof(void *)) != NULL);
    return is_whole ? NULL : "it has tables that are not known";
}

/* The next text of a kind in the dynamic section, such as the name of a library that this one needs; NULL behind the last one. */
const char *ff_next_text(const ff_library *library, int64_t kind, const Elf64_Dyn **after)
{
    const Elf64_Dyn *each = *after == NULL ? library->dynamic : *after + 1;
    while (each->d_tag != DT_NULL && each->d_tag != kind) {
        each++;
    }
    *after = each;
    return each->d_tag == DT_NULL ? NULL : library->names + each->d_un.d_val;
}

/* The name that others know it by; NULL if it has none. */
const char *ff_library_name(const ff_library *library)
{
    const Elf64_Dyn *after = NULL;
    return ff_next_text(library, DT_SONAME, &after);
}

/* Whether it is an extension module: all of its other symbols are its own affair. */
int ff_is_extension_module(const ff_library *library)
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

/* Reads a library into memory that `take` provides. NULL if nothing in the file itself stands against holding it, else what does. */
const char *ff_read_library(int fd, ff_library *library, char *(*take)(size_t size, size_t alignment))
{
    const char *reason = read_segments(fd, library, take);
    return reason == NULL ? read_dynamic(library) : reason;
}

/* Adds its place to the addresses in it that the linker has left without a symbol (DT_RELR). */
void ff_shift_addresses(const ff_library *library)
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
