/* What the symbols of a held library mean. The order is the dynamic linker's: the libraries of the process, then the library that was opened
 * and what it needs, breadth first. Only the executable comes last: it has modules and libraries linked in that other Pythons have not. */
#include FF_LAYOUT

#include "restore.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __x86_64__
#define R_RELATIVE R_X86_64_RELATIVE
#define R_FUNCTION R_X86_64_JUMP_SLOT
#define R_ADDRESS R_X86_64_GLOB_DAT
#define R_WORD R_X86_64_64
#define R_CHOICE R_X86_64_IRELATIVE
#define R_THREAD_MODULE R_X86_64_DTPMOD64
#define R_THREAD_OFFSET R_X86_64_DTPOFF64
#define R_THREAD_DISTANCE R_X86_64_TPOFF64
#else
#define R_RELATIVE R_AARCH64_RELATIVE
#define R_FUNCTION R_AARCH64_JUMP_SLOT
#define R_ADDRESS R_AARCH64_GLOB_DAT
#define R_WORD R_AARCH64_ABS64
#define R_CHOICE R_AARCH64_IRELATIVE
#define R_THREAD_MODULE R_AARCH64_TLS_DTPMOD
#define R_THREAD_OFFSET R_AARCH64_TLS_DTPREL
#define R_THREAD_DISTANCE R_AARCH64_TLS_TPREL
#endif

/* ---- Versions ---- */

static const char *needed_version(const ff_library *library, uint16_t wanted)
{
    const char *file = (const char *)library->needed_versions;
    while (file != NULL) {
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

static const char *defined_version(const ff_library *library, uint16_t wanted)
{
    const char *each = (const char *)library->defined_versions;
    while (each != NULL) {
        const Elf64_Verdef *version = (const Elf64_Verdef *)each;
        if (version->vd_ndx == wanted) {
            return library->names + ((const Elf64_Verdaux *)(each + version->vd_aux))->vda_name;
        }
        each = version->vd_next == 0 ? NULL : each + version->vd_next;
    }
    return NULL;
}

static const char *version_of(const ff_library *library, uint32_t symbol)
{
    uint16_t wanted = library->versions == NULL ? 0 : library->versions[symbol] & 0x7fff;
    if (wanted <= VER_NDX_GLOBAL) {
        return NULL;
    }
    const char *found = needed_version(library, wanted);
    return found == NULL ? defined_version(library, wanted) : found;
}

/* Whether a definition is the one that a reference names (glibc, elf/dl-lookup.c, check_match()). Without a version it is the default. */
static int is_version(const ff_library *library, uint32_t symbol, const char *version)
{
    if (library->versions == NULL || library->defined_versions == NULL) {
        return 1;
    }
    uint16_t own = library->versions[symbol];
    if (version == NULL) {
        return (own & 0x8000) == 0;
    }
    const char *name = defined_version(library, own & 0x7fff);
    return (own & 0x7fff) > VER_NDX_GLOBAL && name != NULL && strcmp(name, version) == 0;
}

/* ---- Definitions ---- */

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
        hash = hash * 33 + *p;
    }
    return hash;
}

/* Most names are another library's: a bit map says so (glibc, elf/dl-lookup.c, do_lookup_x()). */
static int may_define(const uint32_t *table, uint32_t hash)
{
    const uint64_t *map = (const uint64_t *)(table + 4);
    uint64_t word = table[2] == 0 ? UINT64_MAX : map[hash / 64 % table[2]];
    return (word >> hash % 64 & word >> (hash >> table[3]) % 64 & 1) != 0;
}

static const Elf64_Sym *find_hashed(const ff_library *library, const char *name, uint32_t hash, const char *version)
{
    const uint32_t *table = library->hashes, buckets = table[0], first = table[1];
    if (!may_define(table, hash)) {
        return NULL;
    }
    const uint32_t *heads = table + 4 + 2 * table[2], *chain = heads + buckets;
    uint32_t i = buckets == 0 ? 0 : heads[hash % buckets];
    for (; i >= first && i != 0; i++) {
        uint32_t own = chain[i - first];
        const Elf64_Sym *symbol = &library->symbols[i];
        if ((own | 1) == (hash | 1) && strcmp(library->names + symbol->st_name, name) == 0 && symbol->st_shndx != SHN_UNDEF &&
            is_version(library, i, version)) {
            return symbol;
        }
        if ((own & 1) != 0) {
            return NULL;
        }
    }
    return NULL;
}

/* A symbol that the library defines; NULL if there is none. */
const Elf64_Sym *ff_find_symbol(const ff_library *library, const char *name, const char *version)
{
    return find_hashed(library, name, hash_of(name), version);
}

/* What a symbol means: an address in the process, or a symbol of a library that is held; neither if it is weak and nowhere. With both, calls of the
 * symbol are sent to the address. */
typedef struct {
    char *address;
    const ff_library *library;
    const Elf64_Sym *symbol;
} meaning;

static meaning find_in_scope(const ff_scope *scope, const char *name, const char *version)
{
    uint32_t hash = hash_of(name);
    for (int i = 0; i < scope->count; i++) {
        const Elf64_Sym *symbol = find_hashed(scope->libraries[i], name, hash, version);
        if (symbol != NULL) {
            return (meaning){NULL, scope->libraries[i], symbol};
        }
    }
    return (meaning){NULL, NULL, NULL};
}

/* Whether a library defines a function, although the one that the runtime stands for is another's. A second OpenSSL calls its own: what its generators have
 * drawn differs in two dumps. */
int ff_is_second(const ff_library *library, const char *name)
{
    const Elf64_Sym *own = ff_find_symbol(library, name, NULL);
    void *real = ff_find_real(name);
    return own != NULL && real != NULL && real != ff_library_address(library, own->st_value);
}

static meaning find_meaning(const ff_library *library, uint32_t number, const ff_scope *scope)
{
    const Elf64_Sym *own = &library->symbols[number];
    int is_defined = own->st_shndx != SHN_UNDEF, visibility = ELF64_ST_VISIBILITY(own->st_other);
    if (is_defined && (library->is_symbolic || ELF64_ST_BIND(own->st_info) == STB_LOCAL || visibility != STV_DEFAULT ||
                       ELF64_ST_TYPE(own->st_info) == STT_TLS)) {
        return (meaning){NULL, library, own};
    }
    const char *name = library->names + own->st_name, *version = version_of(library, number);
    /* Most names are of C++: nothing of libc is, and no library of an executable without libstdc++. */
    if (name[0] == '_' && name[1] == 'Z' && !ff_has_first_cxx()) {
        meaning found = find_in_scope(scope, name, version);
        if (found.symbol != NULL) {
            return found;
        }
    }
    char *sent = ff_find_sent(name);
    if (sent != NULL) {
        return (meaning){sent, NULL, NULL};
    }
    char *there = ff_find_global(name, version);
    if (there != NULL && !ff_is_in_executable(there)) {
        return (meaning){there, NULL, NULL};
    }
    meaning found = find_in_scope(scope, name, version);
    if (found.symbol != NULL) {
        found.address = ff_is_second(found.library, name) ? NULL : ff_find_sent_of_library(name, found.library == library);
        return found;
    }
    return (meaning){there, NULL, NULL};
}

/* Relocations name the same symbols again and again: what those of one library mean, by their numbers. */
typedef struct {
    const ff_library *library;
    const ff_scope *scope;
    meaning *found;
    unsigned char *is_found;
    size_t count;
} known_symbols;

/* Without memory for it, each one is looked for anew. */
static known_symbols begin_symbols(const ff_library *library, const ff_scope *scope)
{
    known_symbols known = {.library = library, .scope = scope};
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; library->relocations[k] != NULL && i < library->relocation_counts[k]; i++) {
            size_t number = ELF64_R_SYM(library->relocations[k][i].r_info);
            known.count = number >= known.count ? number + 1 : known.count;
        }
    }
    void *p = mmap(NULL, known.count * (sizeof(meaning) + 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        known.count = 0;
    }
    else {
        known.found = p;
        known.is_found = (unsigned char *)(known.found + known.count);
    }
    return known;
}

static void end_symbols(const known_symbols *known)
{
    if (known->count > 0) {
        munmap(known->found, known->count * (sizeof(meaning) + 1));
    }
}

static meaning find_known(const known_symbols *known, uint32_t number)
{
    if (number >= known->count) {
        return find_meaning(known->library, number, known->scope);
    }
    if (!known->is_found[number]) {
        known->found[number] = find_meaning(known->library, number, known->scope);
        known->is_found[number] = 1;
    }
    return known->found[number];
}

/* ---- Whether they can be held ---- */

static char said[512];

static const char *say(const char *format, const char *name)
{
    snprintf(said, sizeof(said), format, name);
    return said;
}

static int is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}
#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof(names[0]))

/* What a library leaves with libc or the dynamic linker, which a snapshot does not hold; and what asks them for the library. */
static int is_refused(const char *name)
{
    static const char *const refused[] = {"on_exit", "at_quick_exit", "__cxa_at_quick_exit", "pthread_atfork", "dladdr1", "dlvsym",
                                          "dlmopen", "tss_create", "thrd_create"};
    return IS_ONE_OF(name, refused);
}

/* Functions that look for a frame of the stack among all libraries: those of a held libgcc_s find held ones (dynamic-linker.c). */
static int is_unwinding(const char *name)
{
    static const char *const unwinding[] = {"__gxx_personality_v0", "__gcc_personality_v0", "_Unwind_Resume", "_Unwind_RaiseException",
                                            "_Unwind_Backtrace", "_Unwind_ForcedUnwind", "_Unwind_Resume_or_Rethrow", "_Unwind_Find_FDE"};
    return IS_ONE_OF(name, unwinding);
}

static int is_inside(const ff_library *library, uint64_t address)
{
    return address >= library->low && address - library->low <= library->size - sizeof(void *);
}

static const char *check_relocation(const known_symbols *known, const Elf64_Rela *each)
{
    const ff_library *library = known->library;
    static const uint64_t types[] = {R_RELATIVE, R_FUNCTION, R_ADDRESS, R_WORD, R_CHOICE, R_THREAD_MODULE, R_THREAD_OFFSET, R_THREAD_DISTANCE};
    uint64_t type = ELF64_R_TYPE(each->r_info);
    int is_known = 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        is_known |= type == types[i];
    }
    if (!is_known) {
        return "it has relocations that are not known";
    }
    if (!is_inside(library, each->r_offset)) {
        return "it is cut off";
    }
    uint32_t number = (uint32_t)ELF64_R_SYM(each->r_info);
    if (number == 0) {
        return NULL;
    }
    const Elf64_Sym *symbol = &library->symbols[number];
    const char *name = library->names + symbol->st_name;
    meaning found = find_known(known, number);
    if (symbol->st_shndx == SHN_UNDEF && is_refused(name)) {
        return say("it calls %s()", name);
    }
    if (found.symbol == NULL && is_unwinding(name)) {
        return say("it calls %s()", name);
    }
    int is_of_libc = type == R_THREAD_DISTANCE && found.address != NULL && ff_is_in_own_block(found.address);
    if (found.symbol == NULL && (type == R_THREAD_MODULE || type == R_THREAD_OFFSET || (type == R_THREAD_DISTANCE && !is_of_libc))) {
        return say("the thread-local variable %s is another library's", name);
    }
    if (type == R_THREAD_DISTANCE && !is_of_libc && found.library->thread_size > 0 && !ff_needs_thread_room(found.library)) {
        return say("it reaches the thread-local variable %s of another library", name);
    }
    if (found.symbol == NULL && found.address == NULL && ELF64_ST_BIND(symbol->st_info) != STB_WEAK) {
        return say("%s is defined nowhere", name);
    }
    return NULL;
}

/* NULL if all that the relocations of a library name can be had, else what cannot. */
const char *ff_check_symbols(const ff_library *library, const ff_scope *scope)
{
    known_symbols known = begin_symbols(library, scope);
    const char *reason = NULL;
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < library->relocation_counts[k] && reason == NULL; i++) {
            reason = library->relocations[k] == NULL ? "it is cut off" : check_relocation(&known, &library->relocations[k][i]);
        }
    }
    end_symbols(&known);
    return reason;
}

/* Whether its code knows how far its thread-local variables are from the thread's pointer. */
int ff_needs_thread_room(const ff_library *library)
{
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < library->relocation_counts[k]; i++) {
            if (ELF64_R_TYPE(library->relocations[k][i].r_info) == R_THREAD_DISTANCE) {
                return 1;
            }
        }
    }
    return 0;
}

/* ---- Putting addresses in ---- */

static char *choose(const char *resolver)
{
    typedef char *(*function)(uint64_t);
    return ((function)(uintptr_t)resolver)(ff_hardware());
}

static int is_chosen(const Elf64_Sym *symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
}

/* Where a symbol of a held library leads. */
char *ff_symbol_address(const ff_library *library, const Elf64_Sym *symbol)
{
    if (symbol->st_shndx == SHN_ABS) {
        return (char *)(uintptr_t)symbol->st_value;
    }
    if (ELF64_ST_TYPE(symbol->st_info) == STT_TLS && library->thread_block != 0) {
        return ff_thread_variable(library, symbol->st_value);
    }
    char *found = ff_library_address(library, symbol->st_value);
    return is_chosen(symbol) ? choose(found) : found;
}

/* What a relocation without a symbol, or with one of a held library, puts in. */
static char *value_of(const ff_library *library, uint64_t type, const Elf64_Sym *symbol, int64_t addend)
{
    int64_t value = symbol == NULL ? 0 : (int64_t)symbol->st_value;
    int has_blocks = library->thread_block != 0;
    switch (type) {
    case R_THREAD_MODULE: return has_blocks ? (char *)(uintptr_t)library : (char *)(uintptr_t)FF_THREAD_MODULE;
    case R_THREAD_OFFSET: return (char *)(uintptr_t)((has_blocks ? 0 : ff_thread_offset(library->thread_room)) + value + addend);
    case R_THREAD_DISTANCE: return (char *)(uintptr_t)(ff_thread_distance(library->thread_room) + value + addend);
    case R_CHOICE: return choose(ff_library_address(library, (uint64_t)addend));
    default: return symbol == NULL ? ff_library_address(library, (uint64_t)addend) : ff_symbol_address(library, symbol) + addend;
    }
}

/* Whether it is one of those. */
static int put(const known_symbols *known, const Elf64_Rela *each, int are_choices)
{
    const ff_library *library = known->library;
    uint64_t type = ELF64_R_TYPE(each->r_info);
    uint32_t number = (uint32_t)ELF64_R_SYM(each->r_info);
    char **place = (char **)ff_library_address(library, each->r_offset);
    meaning found = {NULL, library, NULL};
    if (number != 0) {
        found = find_known(known, number);
    }
    int is_choice = type == R_CHOICE || (found.symbol != NULL && found.address == NULL && is_chosen(found.symbol));
    if (is_choice != are_choices) {
        return 0;
    }
    const char *name = library->names + library->symbols[number].st_name;
    if (found.symbol != NULL && found.address != NULL) {
        ff_name_real(name, ff_symbol_address(found.library, found.symbol));
    }
    if (type == R_THREAD_MODULE && number == 0 && library->thread_block == 0) {
        place[1] += ff_thread_offset(library->thread_room); /* the linker has put the offset in the library's own block there */
    }
    if (found.library != NULL && found.address == NULL) {
        *place = value_of(found.library, type, found.symbol, each->r_addend);
        return 1;
    }
    if (type == R_THREAD_DISTANCE) { /* of a variable of libc, such as errno */
        *place = (char *)(uintptr_t)(found.address - ff_thread_pointer() + each->r_addend);
        return 1;
    }
    *place = found.address == NULL ? NULL : ff_fixed_call(found.address) + each->r_addend;
    return 1;
}

/* Puts the addresses in that `are_choices` says: those that the processor decides, by functions of the library (ifunc), or all others. Whether there are
 * any of the other kind. */
int ff_put_addresses(const ff_library *library, const ff_scope *scope, int are_choices)
{
    int are_left = 0;
    known_symbols known = begin_symbols(library, scope);
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < library->relocation_counts[k]; i++) {
            are_left |= !put(&known, &library->relocations[k][i], are_choices);
        }
    }
    end_symbols(&known);
    return are_left;
}
