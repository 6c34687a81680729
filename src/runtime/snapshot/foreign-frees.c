/* Libraries that the dynamic linker loads into a restored process call libc's free(). What they free may be of the snapshot: extension modules share tables of C++ (pybind11
 * and nanobind, by a capsule among Python's builtins), and the one that makes a table grow frees what another one has allocated. So their calls go where those of the
 * executable go. */
#include FF_LAYOUT

#include "restore.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#define IS_OF_FUNCTION(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define IS_OF_FUNCTION(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#else
#define IS_OF_FUNCTION(type) 0
#endif

extern void *__real_dlopen(const char *, int), *__real_dlsym(void *, const char *);

#define SEEN 1024
static const void *seen[SEEN]; /* dynamic sections of libraries that were looked at, or are there at the start */
static int seen_count;

/* The executable's own. */
static const struct {
    const char *name;
    void *function;
} FUNCTIONS[] = {{"free", (void *)free}, {"realloc", (void *)realloc}};

static int is_new(const struct link_map *map)
{
    for (int i = 0; i < seen_count; i++) {
        if (seen[i] == map->l_ld) {
            return 0;
        }
    }
    if (seen_count < SEEN) {
        seen[seen_count++] = map->l_ld;
    }
    return 1;
}

static uintptr_t dynamic_value(const struct link_map *map, Elf64_Sxword tag)
{
    for (const ElfW(Dyn) *each = map->l_ld; each->d_tag != DT_NULL; each++) {
        if (each->d_tag == tag) {
            return (uintptr_t)each->d_un.d_ptr;
        }
    }
    return 0;
}

static void lead(const struct link_map *map, Elf64_Sxword table, Elf64_Sxword size)
{
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)dynamic_value(map, DT_SYMTAB);
    const char *names = (const char *)dynamic_value(map, DT_STRTAB);
    const ElfW(Rela) *each = (const ElfW(Rela) *)dynamic_value(map, table), *end = each + dynamic_value(map, size) / sizeof(*each);
    for (; each != NULL && symbols != NULL && names != NULL && each < end; each++) {
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(each->r_info)];
        if (!IS_OF_FUNCTION(ELF64_R_TYPE(each->r_info)) || symbol->st_shndx != SHN_UNDEF) {
            continue;
        }
        for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++) {
            if (strcmp(names + symbol->st_name, FUNCTIONS[i].name) == 0) {
                void **slot = (void **)(map->l_addr + each->r_offset);
                /* It may be read-only by now, and stays writable. */
                if (mprotect((char *)((uintptr_t)slot & ~(uintptr_t)(FF_PAGE - 1)), FF_PAGE, PROT_READ | PROT_WRITE) == 0) {
                    *slot = FUNCTIONS[i].function;
                }
            }
        }
    }
}

static void visit(const struct link_map *map, void (*look)(const struct link_map *))
{
    while (map != NULL && map->l_prev != NULL) {
        map = map->l_prev;
    }
    for (; map != NULL; map = map->l_next) {
        if (is_new(map) && look != NULL) {
            look(map);
        }
    }
}

static void lead_all(const struct link_map *map)
{
    lead(map, DT_JMPREL, DT_PLTRELSZ);
    lead(map, DT_RELA, DT_RELASZ);
}

/* Before the dynamic linker loads one: those that are there have nothing of the snapshot. */
void ff_begin_foreign_frees(void)
{
    if (seen_count == 0 && ff_current_allocation() == FF_AFTER_RESTORE && ff_next_held(NULL) != NULL) {
        visit(__real_dlopen(NULL, RTLD_LAZY), NULL);
    }
}

/* When it has. An allocator that it brings with it is its own. */
void ff_lead_foreign_frees(void *handle)
{
    if (handle != NULL && seen_count > 0 && __real_dlsym(handle, "free") == __real_dlsym(RTLD_DEFAULT, "free")) {
        visit(handle, lead_all);
    }
}
