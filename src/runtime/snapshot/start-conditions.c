/* What a start has to have in common with the process that was dumped. What is compared here decided what the imports did, or
 * what their memory means. Each answer is why the start is an ordinary one, NULL if it need not be. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

/* ---- Code: the executable and the libraries ---- */

typedef struct {
    ff_common *common;
    uint64_t hash;
    int count;
} found_objects;

static int add_object(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *argument)
{
    found_objects *found = argument;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_NOTE) {
            continue;
        }
        const char *note = (const char *)(object->dlpi_addr + part->p_vaddr), *end = note + part->p_memsz;
        while (note + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *header = (const ElfW(Nhdr) *)note;
            const char *name = note + sizeof(*header), *content = name + ((header->n_namesz + 3) & ~3u);
            if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
                if (found->count == 0) {
                    size_t size = header->n_descsz;
                    memcpy(found->common->build_id, content, size < 32 ? size : 32);
                }
                found->hash = ff_hash_bytes(found->hash, content, header->n_descsz);
            }
            note = content + ((header->n_descsz + 3) & ~3u);
        }
    }
    found->count++;
    found->hash = ff_hash_bytes(found->hash, &found->count, sizeof(found->count)); /* also those without a build id */
    return 0;
}

/* ---- The processor: libraries choose code by its features, and remember what they chose ---- */

#ifdef __x86_64__
/* glibc has asked the processor already (sys/platform/x86.h, since 2.33); asking it costs a trap in a virtual machine. */
extern const unsigned int *__x86_get_cpuid_feature_leaf(unsigned int) __attribute__((weak));
#define LEAVES 9
#define WORDS_OF_LEAF 8 /* struct cpuid_feature: four words of what there is, four of what is usable */
#endif

static uint64_t hash_processor(void)
{
    uint64_t hash = FF_HASH_START;
#ifdef __x86_64__
    if (__x86_get_cpuid_feature_leaf != NULL) {
        for (unsigned int leaf = 0; leaf < LEAVES; leaf++) {
            const unsigned int *words = __x86_get_cpuid_feature_leaf(leaf);
            for (int i = 0; i < WORDS_OF_LEAF; i++) {
                /* The second word of leaf 1 has the number of the processor that asked (its initial APIC id). */
                unsigned int word = leaf == 0 && i % 4 == 1 ? 0 : words[i];
                hash = ff_hash_bytes(hash, &word, sizeof(word));
            }
        }
        return hash;
    }
    static const unsigned int leaves[][2] = {{1, 0}, {7, 0}, {7, 1}, {0xd, 1}, {0x80000001, 0}, {0x19, 0}, {0x14, 0}};
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        unsigned int words[4] = {0, 0, 0, 0};
        __get_cpuid_count(leaves[i][0], leaves[i][1], &words[0], &words[1], &words[2], &words[3]);
        if (i == 0) {
            words[1] = 0;
        }
        hash = ff_hash_bytes(hash, words, sizeof(words));
    }
#endif
    return hash;
}

/* ---- The locale: it decides encodings (Python/preconfig.c) ---- */

static uint64_t read_locale(void)
{
    const char *name = setlocale(LC_CTYPE, "");
    if (name == NULL) {
        return FF_LOCALE_OTHER;
    }
    if (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0) {
        const char *all = getenv("LC_ALL");
        return all == NULL || *all == '\0' ? FF_LOCALE_COERCED : FF_LOCALE_C;
    }
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? FF_LOCALE_UTF8 : FF_LOCALE_OTHER;
}

/* ---- All that is compared as bytes ---- */

const char *ff_read_common(ff_common *common)
{
    memset(common, 0, sizeof(*common));
    if (getauxval(AT_SECURE) != 0) {
        return "the process has more rights than its user";
    }
    common->locale = read_locale();
    if (common->locale == FF_LOCALE_OTHER) {
        return "the locale's encoding is not UTF-8";
    }
    found_objects found = {common, FF_HASH_START, 0};
    dl_iterate_phdr(add_object, &found);
    memcpy(common->libraries, &found.hash, sizeof(found.hash));
    uint64_t processor = hash_processor();
    memcpy(common->processor, &processor, sizeof(processor));
    common->page_size = getauxval(AT_PAGESZ);
    common->hwcap = getauxval(AT_HWCAP);
    common->hwcap2 = getauxval(AT_HWCAP2);
    common->uid = getauxval(AT_UID);
    common->euid = getauxval(AT_EUID);
    common->gid = getauxval(AT_GID);
    common->egid = getauxval(AT_EGID);
    return NULL;
}

static const char *compare_common(const ff_common *old, int is_portable)
{
    ff_common new;
    const char *reason = ff_read_common(&new);
    if (reason != NULL) {
        return reason;
    }
    if (memcmp(new.build_id, old->build_id, sizeof(new.build_id)) != 0) {
        return "it is of another executable";
    }
    if (memcmp(new.libraries, old->libraries, sizeof(new.libraries)) != 0) {
        return "other libraries are loaded";
    }
    if (memcmp(new.processor, old->processor, sizeof(new.processor)) != 0 || new.hwcap != old->hwcap ||
        new.hwcap2 != old->hwcap2) {
        return "the processor has other features";
    }
    if (new.page_size != old->page_size) {
        return "pages have another size";
    }
    if (!is_portable && (new.uid != old->uid || new.euid != old->euid || new.gid != old->gid || new.egid != old->egid)) {
        return "it was made by another user";
    }
    return new.locale == old->locale ? NULL : "the locale is of another kind";
}

/* ---- Environment variables ---- */

extern char **environ;

static const char *compare_variables(const char *pairs)
{
    for (char **each = environ; *each != NULL; each++) {
        const char *value = strchr(*each, '=');
        if (value != NULL && value[1] != '\0') {
            if (strncmp(*each, "PYTHON", 6) == 0) {
                return "a variable PYTHON... is set";
            }
            if (strncmp(*each, "FLASHFREEZE=", 12) == 0) {
                return "FLASHFREEZE is set";
            }
        }
    }
    while (*pairs != '\0') { /* NAME=value, or NAME for one that was not set */
        const char *equals = strchr(pairs, '=');
        size_t length = equals == NULL ? strlen(pairs) : (size_t)(equals - pairs);
        const char *value = NULL;
        for (char **each = environ; *each != NULL; each++) {
            if (strncmp(*each, pairs, length) == 0 && (*each)[length] == '=') {
                value = *each + length + 1;
                break;
            }
        }
        if (equals == NULL ? value != NULL : value == NULL || strcmp(value, equals + 1) != 0) {
            return "an environment variable that imports read has another value";
        }
        pairs += strlen(pairs) + 1;
    }
    return NULL;
}

/* ---- How it was called: sys.executable, and a virtual environment, depend on it (Modules/getpath.py) ---- */

static int is_executable(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & 0111) != 0;
}

static const char *compare_path(const char *name, const char *path)
{
    static const char other[] = "it was made for another path of the executable";
    char found[PATH_MAX];
    if (name == NULL || *name == '\0') {
        return other;
    }
    if (*name == '/') {
        return strcmp(name, path) == 0 ? NULL : other;
    }
    if (strchr(name, '/') != NULL) {
        char folder[PATH_MAX];
        if (strncmp(name, "./", 2) == 0) {
            name += 2;
        }
        if (getcwd(folder, sizeof(folder)) == NULL || *folder != '/') {
            return other;
        }
        int length = snprintf(found, sizeof(found), "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
        return length > 0 && (size_t)length < sizeof(found) && strcmp(found, path) == 0 ? NULL : other;
    }
    const char *folders = getenv("PATH");
    while (folders != NULL && *folders != '\0') {
        const char *end = strchrnul(folders, ':');
        int size = (int)(end - folders);
        const char *slash = size > 0 && end[-1] != '/' ? "/" : "";
        int length = snprintf(found, sizeof(found), "%.*s%s%s", size, folders, slash, name);
        if (length > 0 && (size_t)length < sizeof(found) && is_executable(found)) {
            return strcmp(found, path) == 0 ? NULL : other;
        }
        folders = *end == '\0' ? end : end + 1;
    }
    return other;
}

/* ---- Signals: the module signal takes what it finds for the dispositions at start ---- */

static uint64_t bit_of(int signal)
{
    return (uint64_t)1 << (signal - 1);
}

/* A line of /proc/self/status: a set of signals, in hexadecimal digits. Returns whether it is there. */
static int read_signals(const char *status, const char *name, uint64_t *signals)
{
    const char *line = strstr(status, name);
    *signals |= line == NULL ? 0 : strtoull(line + strlen(name), NULL, 16);
    return line != NULL;
}

/* All that are not at their default: with one file, because asking for each of them takes a call of the system. */
static uint64_t changed_signals(void)
{
    char status[FF_PAGE];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
    if (fd >= 0) {
        close(fd);
    }
    status[size < 0 ? 0 : size] = '\0';
    uint64_t signals = 0;
    if (read_signals(status, "\nSigIgn:", &signals) && read_signals(status, "\nSigCgt:", &signals)) {
        return signals;
    }
    signals = 0; /* as where a process is in a thousand groups, which are in the file, too */
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
            signals |= bit_of(signal);
        }
    }
    return signals;
}

static const char *compare_signals(void)
{
    /* The first two are renewed at each start, the others libc's own (nptl, internal-signals.h). */
    uint64_t known = bit_of(SIGPIPE) | bit_of(SIGXFSZ) | bit_of(32) | bit_of(33);
    return (changed_signals() & ~known) == 0 ? NULL : "a signal is ignored";
}

const char *ff_compare(const ff_snapshot_header *header, char **argv)
{
    const char *base = (const char *)header;
    int is_portable = header->portable != 0;
    const char *reason = compare_common(&header->common, is_portable);
    if (reason == NULL) {
        reason = compare_variables(base + header->variable_offset);
    }
    if (reason == NULL && ff_program.kind == FF_ENTRY_NONE) {
        reason = compare_path(argv[0], base + header->path_offset);
    }
    if (reason == NULL) {
        reason = compare_signals();
    }
    if (reason == NULL) {
        reason = ff_compare_facts(base + header->fact_offset, argv);
    }
    if (reason == NULL) {
        reason = ff_compare_files((const ff_file_state *)(base + header->file_offset), base + header->file_text_offset,
                               header->file_count, is_portable);
    }
    if (reason == NULL && is_portable) {
        reason = ff_find_user_packages();
    }
    return reason;
}
