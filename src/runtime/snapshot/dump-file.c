/* The file of a dump: its header, which lists what a start compares and which words keep the value of their process, and the memory. */
#include FF_LAYOUT

#include "restore.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

static char *page, *end;        /* the header, and what follows it */
static char *names, *names_end; /* of variables that C has read */

static ff_snapshot_header *header(void)
{
    return (ff_snapshot_header *)page;
}

ff_snapshot_header *ff_begin_header(void)
{
    page = end = ff_scratch(FF_SCRATCH);
    end += sizeof(ff_snapshot_header);
    return header();
}

/* ---- the environment ---- */

extern char **environ;
extern char *__real_getenv(const char *), *__real_secure_getenv(const char *);

static char **whole; /* all variables, NULL unless `environ` lacks some of them */

static int is_of(const char *variable, const char *name, size_t length)
{
    return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

/* Those that libc reads by itself, and those that Python code reads. */
static int is_kept(const char *variable)
{
    static const char *const begins[] = {"LC_", "LANG", "TZ", "LOCPATH=", "NLSPATH=", "GCONV_PATH="};
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (strncmp(variable, begins[i], strlen(begins[i])) == 0) {
            return 1;
        }
    }
    for (const char *name = NULL; (name = ff_request_value("variable", name)) != NULL;) {
        if (is_of(variable, name, strlen(name))) {
            return 1;
        }
    }
    return 0;
}

/* Before Python starts. It allocates for each variable: with those that nothing reads, memory would be another one in each environment. C code that
 * asks for a variable gets it nevertheless. */
void ff_reduce_environment(void)
{
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **reduced = (char **)ff_scratch((count + 1) * sizeof(*reduced));
    for (size_t i = 0; i < count; i++) {
        if (is_kept(environ[i])) {
            reduced[kept++] = environ[i];
        }
    }
    whole = environ;
    environ = reduced;
}

static char *find_among(char **variables, const char *name)
{
    size_t length = strlen(name);
    for (; *variables != NULL; variables++) {
        if (is_of(*variables, name, length)) {
            return *variables + length + 1;
        }
    }
    return NULL;
}

/* Python code may have set or removed one; what it removes it has read before, so that it was kept. */
static char *find_variable(const char *name)
{
    char *value = find_among(environ, name), *first = value == NULL ? find_among(whole, name) : NULL;
    return first == NULL || is_kept(first - strlen(name) - 1) ? value : first;
}

/* ---- variables that C reads: those that Python code reads the request names ---- */

static void note_name(const char *name)
{
    size_t size = strlen(name) + 1;
    if (names != NULL && size <= (size_t)(names + FF_SCRATCH - names_end)) {
        memcpy(names_end, name, size);
        names_end += size;
    }
}

/* Libraries keep where a value is, which is elsewhere in each process: theirs lie in the region. */
typedef struct kept_value {
    struct kept_value *next;
    char text[];
} kept_value;
static kept_value *kept_values;

static char *value_for(char *value, const void *caller)
{
    if (value == NULL || ff_held_around(caller) == NULL) {
        return value;
    }
    for (kept_value *each = kept_values; each != NULL; each = each->next) {
        if (strcmp(each->text, value) == 0) {
            return each->text;
        }
    }
    size_t size = strlen(value) + 1;
    kept_value *new = ff_allocate(sizeof(*new) + size, 16);
    if (new == NULL) {
        return value;
    }
    memcpy(new->text, value, size);
    new->next = kept_values;
    kept_values = new;
    return new->text;
}

char *__wrap_getenv(const char *name)
{
    note_name(name);
    return whole == NULL ? __real_getenv(name) : value_for(find_variable(name), __builtin_return_address(0));
}

char *__wrap_secure_getenv(const char *name)
{
    note_name(name);
    return whole == NULL ? __real_secure_getenv(name) : value_for(find_variable(name), __builtin_return_address(0));
}

void ff_note_variables(void)
{
    names = names_end = ff_scratch(FF_SCRATCH);
    ff_note_facts();
}

/* ---- the header ---- */

static void append(const void *bytes, size_t size)
{
    if (size > (size_t)(page + FF_SCRATCH - end)) {
        ff_stop_dump("the list of files is too long");
    }
    memcpy(end, bytes, size);
    end += size;
}

static uint64_t place(void)
{
    return (uint64_t)(end - page);
}

void ff_append_path(const char *path)
{
    header()->path_offset = place();
    append(path, strlen(path) + 1);
}

static void align(void)
{
    end = (char *)(((uintptr_t)end + 15) & ~(uintptr_t)15);
}

static void append_variable(const char *name)
{
    /* FLASHFREEZE and the PYTHON variables are compared in another way (start-conditions.c). */
    if (strncmp(name, "PYTHON", 6) == 0 || strncmp(name, "FLASHFREEZE", 11) == 0) {
        return;
    }
    const char *value = find_variable(name);
    if (*name != '\0' && strchr(name, '=') == NULL) {
        append(name, strlen(name));
        if (value != NULL) {
            append("=", 1);
            append(value, strlen(value));
        }
        append("", 1);
    }
}

/* Those that the request names, and those that C has read. C reads those of the locale when Python starts: its kind is compared. */
void ff_append_variables(void)
{
    header()->variable_offset = place();
    for (const char *name = NULL; (name = ff_request_value("variable", name)) != NULL;) {
        append_variable(name);
    }
    for (const char *name = names; name < names_end; name += strlen(name) + 1) {
        if (strncmp(name, "LC_", 3) != 0 && strncmp(name, "LANG", 4) != 0) {
            append_variable(name);
        }
    }
    append("", 1);
    names = NULL;
}

static void append_fact(const char *name, char **argv)
{
    char text[FF_FACT_SIZE];
    if (ff_read_fact(name, text, argv) == 0) {
        append(name, strlen(name) + 1);
        append(text, strlen(text) + 1);
    }
}

void ff_append_facts(char **argv)
{
    header()->fact_offset = place();
    for (const char *name = NULL; (name = ff_request_value("fact", name)) != NULL;) {
        append_fact(name, argv);
    }
    ff_visit_noted_facts(append_fact, argv);
    append("", 1);
}

static void append_state(ff_file_state *state)
{
    if (header()->portable) {
        ff_make_portable(state);
    }
    append(state, sizeof(*state));
    header()->file_count++;
}

/* Each path is behind a letter: `?` if the file was only examined. */
void ff_append_files(const char *paths, size_t size)
{
    align();
    header()->file_offset = place();
    ff_file_state state;
    for (const char *path = paths; path < paths + size; path += strlen(path) + 1) {
        (void)(*path == '?' ? ff_examined_state_of(path + 1, &state) : ff_file_state_of(path + 1, &state));
        append_state(&state);
    }
    header()->file_text_offset = place();
    for (const char *path = paths; path < paths + size; path += strlen(path) + 1) {
        append(path + 1, strlen(path));
    }
}

/* What the dynamic linker has filled in: pointers into libraries, and variables of libraries that were copied. */
static void append_ranges(void)
{
    const Elf64_Rela *relocations[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const Elf64_Sym *symbols = NULL;
    for (const Elf64_Dyn *each = _DYNAMIC; each->d_tag != DT_NULL; each++) {
        switch (each->d_tag) {
        case DT_RELA: relocations[0] = (const Elf64_Rela *)each->d_un.d_ptr; break;
        case DT_RELASZ: sizes[0] = each->d_un.d_val; break;
        case DT_JMPREL: relocations[1] = (const Elf64_Rela *)each->d_un.d_ptr; break;
        case DT_PLTRELSZ: sizes[1] = each->d_un.d_val; break;
        case DT_SYMTAB: symbols = (const Elf64_Sym *)each->d_un.d_ptr; break;
        default: break;
        }
    }
    align();
    header()->range_offset = place();
    for (int table = 0; table < 2; table++) {
        for (size_t i = 0; i < sizes[table] / sizeof(Elf64_Rela); i++) {
            const Elf64_Rela *each = &relocations[table][i];
            ff_range range = {each->r_offset, sizeof(void *)};
#ifdef __x86_64__
            if (ELF64_R_TYPE(each->r_info) == R_X86_64_COPY) {
                range.size = symbols[ELF64_R_SYM(each->r_info)].st_size;
            }
#else
            if (ELF64_R_TYPE(each->r_info) == R_AARCH64_COPY) {
                range.size = symbols[ELF64_R_SYM(each->r_info)].st_size;
            }
#endif
            if (range.address >= header()->data && range.address < header()->data + header()->data_size) {
                append(&range, sizeof(range));
                header()->range_count++;
            }
        }
    }
}

static void append_objects(void)
{
    ff_range objects[FF_OBJECTS];
    header()->object_count = (uint64_t)ff_list_objects(objects);
    align();
    header()->object_offset = place();
    append(objects, header()->object_count * sizeof(ff_range));
}

/* ---- the file ---- */

static void write_all(int fd, const void *bytes, size_t size)
{
    for (const char *p = bytes; size > 0;) {
        ssize_t done = write(fd, p, size);
        if (done < 0) {
            ff_stop_dump("cannot write the snapshot: %s", strerror(errno));
        }
        p += done;
        size -= (size_t)done;
    }
}

static const char zeros[FF_PAGE];

/* Most of the region is zero: it becomes a hole in the file. */
static void write_used(int fd, const char *bytes, size_t size)
{
    size_t hole = 0;
    for (size_t page = 0; page < size; page += FF_PAGE) {
        if (memcmp(bytes + page, zeros, FF_PAGE) == 0) {
            hole += FF_PAGE;
        }
        else if (hole != 0 && lseek(fd, (off_t)hole, SEEK_CUR) < 0) {
            ff_stop_dump("cannot write the snapshot: %s", strerror(errno));
        }
        else {
            hole = 0;
            write_all(fd, bytes + page, FF_PAGE);
        }
    }
}

static int create(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        ff_stop_dump("cannot write %s: %s", path, strerror(errno));
    }
    return fd;
}

static void close_written(int fd)
{
    if (close(fd) != 0) {
        ff_stop_dump("cannot write the snapshot: %s", strerror(errno));
    }
}

void ff_write_record(const char *path)
{
    size_t size;
    const unsigned char *bytes = ff_record(&size);
    int fd = create(path);
    write_all(fd, bytes, size);
    close_written(fd);
}

/* The last that the process does. */
void ff_write_dump(const char *path)
{
    ff_own_memory memory = ff_find_memory();
    memcpy(header()->magic, FF_SNAPSHOT_MAGIC, sizeof(header()->magic));
    header()->data = (uint64_t)(uintptr_t)memory.data;
    header()->data_size = (uint64_t)(memory.data_end - memory.data);
    header()->region = (uint64_t)(uintptr_t)FF_REGION;
    header()->region_size = (uint64_t)(ff_finish_region(&header()->allocation_count) - FF_REGION);
    append_ranges();
    append_objects();
    align();
    header()->tls_offset = place();
    header()->tls_size = memory.tls_size;
    append(memory.tls, memory.tls_size);
    ff_snapshot_header *own = header();
    size_t size = (size_t)(end - page);
    page = end = names = names_end = NULL; /* addresses of this process */
    whole = NULL;
    own->header_size = FF_PAGE_END(size);
    own->data_offset = own->header_size;
    own->region_offset = own->data_offset + own->data_size;
    own->size = own->region_offset + own->region_size;
    int fd = create(path);
    write_all(fd, own, size);
    write_all(fd, zeros, own->header_size - size);
    write_all(fd, memory.data, own->data_size);
    write_used(fd, FF_REGION, own->region_size);
    if (ftruncate(fd, (off_t)own->size) != 0) {
        ff_stop_dump("cannot write the snapshot: %s", strerror(errno));
    }
    close_written(fd);
}
