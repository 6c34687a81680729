/* A snapshot: what the executable's memory was after its imports, in the same executable (docs/snapshots.md).
 *
 * At build time the executable runs the imports with all of its allocations in the region, at an address of its own, and
 * writes its memory to a file (dump.c). Flashfreeze proves two such dumps equal and appends one to the executable. A start
 * compares its surroundings with those of the dump (start-conditions.c), maps the memory (restore.c), mends what belongs to a process
 * (process-state.c, streams.c), and goes on as if it had been forked. Otherwise it starts as if there were no snapshot. */
#ifndef FLASHFREEZE_SNAPSHOT_H
#define FLASHFREEZE_SNAPSHOT_H

#include "../flashfreeze.h"

#include <elf.h>
#include <pthread.h>

#define FF_PAGE ((size_t)4096)
#define FF_PAGE_END(address) (((uintptr_t)(address) + FF_PAGE - 1) & ~(uintptr_t)(FF_PAGE - 1))

/* The region: far from where the kernel puts anything in 47 bits of addresses, above the heap and below the libraries. */
#define FF_REGION ((char *)0x100000000000)
#define FF_REGION_SIZE ((size_t)1 << 32)

/* Of functions that replace some of CPython's C API: exported, so that its names can lead shared libraries to them (src/hosts/link). */
#define FF_PUBLIC __attribute__((visibility("default")))

/* Who serves allocations of libpython and of the libraries linked in. */
typedef enum {
    FF_FROM_LIBC,     /* an ordinary start */
    FF_IN_REGION,     /* while a snapshot is made: the region */
    FF_AFTER_RESTORE, /* libc again; blocks of the region are not used a second time */
} ff_allocation;

/* A range of the executable's data that keeps the value of its process: the dynamic linker fills it in. */
typedef struct {
    uint64_t address, size;
} ff_range;

/* A file that the start compares: of the imports' sources, the directories of sys.path, and what imports have read or examined. */
#define FF_ONLY_EXAMINED ((uint64_t)1 << 32) /* in `mode`, of a directory whose names nobody has read */
typedef struct {
    uint64_t device, inode, mode;
    uint64_t size; /* of a directory: a hash of the names in it */
    int64_t mtime_seconds, mtime_nanoseconds, ctime_seconds, ctime_nanoseconds;
    uint64_t content; /* a sum of its bytes; 0 of a directory, and of a file that is too large to be read at a start */
} ff_file_state;

#define FF_KEYS 64
typedef struct {
    uint32_t number;
    uint32_t is_live;
    void (*destructor)(void *);
    const void *value; /* of the main thread, when the snapshot was made */
} ff_thread_key;

/* What a start has to have in common with the process that was dumped: compared as bytes. */
typedef struct {
    uint8_t build_id[32];      /* of the executable */
    uint8_t libraries[8];      /* a hash of the build ids of all that the dynamic linker loaded, in its order */
    uint8_t processor[8];      /* a hash of its features */
    uint64_t page_size, hwcap, hwcap2;
    uint64_t uid, euid, gid, egid;
    uint64_t locale; /* ff_locale_kind */
} ff_common;

/* The first bytes of a dump, and of the snapshot in an executable. Offsets are from its start, which is page-aligned. */
typedef struct {
    char magic[16];
    uint64_t checksum;                   /* ff_checksum() of the header behind this field; 0 in a dump */
    uint64_t size, header_size;
    uint64_t data, data_size, data_offset; /* the executable's writable data behind RELRO */
    uint64_t region, region_size, region_offset;
    uint64_t tls_size, tls_offset;       /* the main thread's block of the executable */
    uint64_t range_count, range_offset;  /* ff_range */
    uint64_t run_count, run_offset;      /* ff_run: what is mapped; none in a dump */
    uint64_t variable_offset;            /* pairs of texts, ended by an empty name: environment variables and their values */
    uint64_t path_offset;                /* the text by which the executable is called */
    uint64_t file_count, file_offset;    /* ff_file_state, then their paths, each ended by a nul */
    uint64_t file_text_offset;
    uint64_t allocation_count;
    uint64_t modified; /* when the executable was written, in seconds */
    uint64_t fact_offset;                /* ff_compare_facts() */
    uint64_t portable;   /* 1 in a release: files are compared by what an archive keeps of them, and the user is anybody */
    uint64_t page_count, page_offset;    /* ff_pages; none in a dump */
    uint64_t object_count, object_offset; /* ff_range: where that lay in the dumped process which lies elsewhere in each one */
    uint64_t move_count, move_offset;    /* ff_moves; none in a dump */
    ff_common common;
} ff_snapshot_header;

/* Pages of the data that differ from the executable's, and of the region that hold something. */
typedef struct {
    uint64_t address, size, offset;
} ff_run;

/* Pages that each start writes to (used-pages.c). */
typedef enum { FF_PAGES_WRITTEN, FF_PAGES_OF_STACK, FF_PAGES_OF_HEAP } ff_page_kind;
typedef struct {
    uint64_t address; /* of the stack and the heap, seen from where they end */
    uint64_t size, kind;
} ff_pages;

/* Words of a part of memory that point into one of the objects that lie elsewhere in each process (move-words.c). */
#define FF_OBJECTS 64
typedef struct {
    uint64_t part; /* its address; 0 for the main thread's block */
    uint32_t object, half; /* 0: whole words; 1 or 2: the low or the high half of each has the low one of an address; 3 or 4: its high one;
                            * times 256: how far behind aligned words they are */
    uint64_t count; /* how many ff_move follow */
} ff_moves;
typedef struct {
    uint32_t word, offset; /* in words of the part, and in bytes of the object */
} ff_move;

#define FF_SNAPSHOT_MAGIC "flashfreeze 013"

/* Names the request of a dump. In the environment of an executable with a snapshot: it could not be mapped, start without. */
#define FF_SNAPSHOT_VARIABLE "FLASHFREEZE_SNAPSHOT"
/* The same after the memory has been mapped: why the process began anew. */
#define FF_WHY_MEMORY "memory"
#define FF_WHY_DEVICE "device"
#define FF_WHY_SHADOWED "shadowed"
#define FF_WHY_RUN "run"
/* Its value for an executable that only tells whether it would be restored. */
#define FF_ASK "?"
/* The beginning of its value for one that tells which pages a start uses. The path follows by which it is called. */
#define FF_ASK_PAGES '='

/* Where the snapshot lies in this file, and in memory the bytes that the images had before it: Flashfreeze writes it into the executable. */
typedef struct {
    char magic[16];
    uint64_t offset, size;
    uint64_t earlier, earlier_size; /* earlier-images.c */
} ff_snapshot_place;
extern const ff_snapshot_place ff_place;

/* The program that this executable is; none for an interpreter. Written in the same way (hosts/snapshot/program-entry.ts). */
enum { FF_ENTRY_NONE, FF_ENTRY_COMMAND, FF_ENTRY_MODULE, FF_ENTRY_SCRIPT };
typedef struct {
    char magic[16];
    uint64_t kind;
    char python[4096]; /* the path of its interpreter */
    char text[4096];   /* the command, the module's name or the script's path */
} ff_program_entry;
extern const ff_program_entry ff_program;

/* ---- what the files define, the lowest first ---- */

/* FNV-1a, of what nobody chooses. */
#define FF_HASH_START 0xcbf29ce484222325
static inline uint64_t ff_hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    }
    return hash;
}

/* Where imports run while a snapshot is made (import-stack.c): no two numbers of 32 bits that programs often have. */
#define FF_IMPORT_STACK ((char *)0x5b7d9e000000)
#define FF_IMPORT_STACK_SIZE ((size_t)16 << 20)

/* snapshot/stack-remains.c: what returned calls have left there. */
void ff_clear_stack(void);

/* snapshot/recorded-sizes.c: what is recorded of an allocation: that it is gone, or is a point, or else its size. */
#define FF_ONE_SIZE 512 /* up to here, lasting blocks lie in pages of one size, without a head */
enum { FF_GONE, FF_POINT, FF_LEAST, FF_LEAST_WITH_HEAD = FF_LEAST + FF_ONE_SIZE / 16 + 1, FF_LARGE = 255, FF_SIZES };
size_t ff_capacity_of(unsigned char recorded);
unsigned char ff_recorded_size(size_t size, size_t alignment);

/* snapshot/region.c: the allocator. */
void ff_begin_region(void);
int ff_is_region_used(void);
int ff_is_in_region(const void *p);
int ff_is_lasting(const void *p);
size_t ff_lasting_size(const void *p, size_t largest);
ff_allocation ff_current_allocation(void);
void ff_watch_allocations(void (*watch)(const char *start, size_t size));
void *ff_allocate(size_t size, size_t alignment);
void *ff_reallocate(void *p, size_t size);
void ff_release(void *p);
size_t ff_capacity(const void *p);
int ff_begin_record(void);
const unsigned char *ff_record(size_t *size);
int ff_read_placement(const char *path);
size_t ff_region_size(void);
char *ff_finish_region(uint64_t *count);
void ff_leave_region(void);
void ff_synchronize_numbers(void);

/* snapshot/allocation.c: what libc and CPython call. */
void ff_begin_objects(void);
void ff_end_objects(void);

/* snapshot/process-state.c: what belongs to a process. */
typedef struct {
    char *data, *data_end;
    char *tls, *tls_image; /* the thread's block; what those of new threads begin with */
    size_t tls_size;
} ff_own_memory;
ff_own_memory ff_find_memory(void);
void ff_save_process(void);
void ff_restore_process(int earlier_keys);
int ff_thread_key_count(void);
void ff_name_main_thread(void);
pthread_t ff_thread_identity(void);

/* snapshot/library-image.c: a shared library, as in its file. */
#define FF_LIBRARY_PARTS 24
typedef struct ff_library {
    const char *path;
    const struct ff_library *needed_by; /* NULL for the one that was opened */
    char *start; /* of its memory */
    size_t size;
    uint64_t low; /* the address in the file that lies there */
    Elf64_Phdr parts[FF_LIBRARY_PARTS];
    int part_count, is_symbolic;
    const Elf64_Dyn *dynamic;
    const Elf64_Sym *symbols;
    const char *names;
    const uint32_t *hashes;
    const Elf64_Half *versions;
    const Elf64_Verdef *defined_versions;
    const Elf64_Verneed *needed_versions;
    const Elf64_Rela *relocations[2];
    uint64_t relocation_counts[2];
    const uint64_t *relative;
    uint64_t relative_count;
    uint64_t init, init_array, init_count; /* its constructors */
    uint64_t end_array, end_count;         /* its destructors */
    uint64_t thread_size, thread_alignment, thread_room, thread_block; /* its thread-local variables: in the executable's block, or in others */
} ff_library;
char *ff_library_address(const ff_library *library, uint64_t address);
const char *ff_next_text(const ff_library *library, int64_t kind, const Elf64_Dyn **after);
const char *ff_library_name(const ff_library *library);
int ff_is_extension_module(const ff_library *library);
const char *ff_read_library(int fd, ff_library *library, char *(*take)(size_t size, size_t alignment));
void ff_shift_addresses(const ff_library *library);

/* snapshot/library-threads.c: thread-local variables of held libraries in the executable's block. */
#define FF_THREAD_MODULE 1 /* the executable's number among the objects that have such variables */
const Elf64_Phdr *ff_thread_values(const ff_library *library);
int ff_has_thread_room(const ff_library *library);
int ff_take_thread_room(ff_library *library);
int ff_begin_thread_values(const ff_library *library);
int ff_give_thread_values(const ff_library *library);
int64_t ff_thread_offset(uint64_t room);
int64_t ff_thread_distance(uint64_t room);
char *ff_thread_pointer(void);
int ff_is_in_own_block(const char *variable);

/* snapshot/thread-blocks.c: those of other held libraries. */
int ff_take_thread_block(ff_library *library);
char *ff_thread_variable(const ff_library *library, uint64_t offset);
char *ff_own_thread_block(const ff_library *library);

/* snapshot/library-search.c: where a needed library lies. */
void ff_note_file(const char *path);
int ff_search_library(const char *name, const ff_library *needing, char *path);
typedef void (*ff_visitor)(const char *path, const void *start, size_t size, void *argument);
void ff_visit_searched(ff_visitor visit, void *argument);

/* snapshot/global-symbols.c: what names mean in this process. */
#define FF_OF_LIBRARIES(X)                                                                                                          \
    X(ffi_closure_alloc) X(ffi_closure_free) X(EVP_RAND_CTX_new) X(EVP_RAND_CTX_free) X(RAND_bytes_ex) X(RAND_priv_bytes_ex)
#define FF_DECLARE_REAL(name) extern void *ff_real_##name;
FF_OF_LIBRARIES(FF_DECLARE_REAL)
int ff_is_in_executable(const void *p);
char *ff_find_sent(const char *name);
void *ff_find_global(const char *name, const char *version);
char *ff_find_sent_of_library(const char *name, int is_inside);
void ff_name_real(const char *name, void *real);
void *ff_find_real(const char *name);
uint64_t ff_hardware(void);
void ff_note_first_libraries(void);
int ff_first_library_count(void);
int ff_is_there_at_start(const char *name);
int ff_has_first_cxx(void);

/* snapshot/fixed-calls.c: the addresses that functions of libc have in held libraries. */
char *ff_fixed_call(char *function);
const void *ff_called_function(const void *p);

/* snapshot/library-symbols.c: what the symbols of a held library mean. */
#define FF_SCOPE 64
typedef struct {
    const ff_library *libraries[FF_SCOPE]; /* that which was opened, and what it needs, breadth first */
    int count;
} ff_scope;
const Elf64_Sym *ff_find_symbol(const ff_library *library, const char *name, const char *version);
int ff_is_second(const ff_library *library, const char *name);
const char *ff_check_symbols(const ff_library *library, const ff_scope *scope);
int ff_needs_thread_room(const ff_library *library);
char *ff_symbol_address(const ff_library *library, const Elf64_Sym *symbol);
int ff_put_addresses(const ff_library *library, const ff_scope *scope, int are_choices);

/* snapshot/move-words.c: words that point into what lies elsewhere in each process. */
int ff_list_objects(ff_range *objects);
int ff_are_moves_possible(const ff_snapshot_header *header);
void ff_move_words(const ff_snapshot_header *header, char *thread);

/* snapshot/processors.c: whether libraries have asked how many there are. */
void ff_note_processors(void);
int ff_were_processors_asked(void);

/* snapshot/held-threads.c: threads that held libraries start. */
void ff_begin_threads(void);
void ff_note_fork(int is_before);
void ff_may_wait(void);

/* snapshot/library-ends.c: what libraries leave with libc for their end. */
typedef void (*ff_end)(void *);
typedef struct {
    ff_end function;
    void *argument;
    uint32_t watched; /* of an object whose end was tried: so many bytes of it are compared; 0: its destructor runs in any case */
    uint64_t changes; /* the sum of what functions of atexit change in them that imports have left */
} ff_destructor;
void ff_end_library(const ff_library *library);
void ff_call_before_fork(void);
void ff_repeat_ends(ff_end destruct_watched);
ff_destructor *ff_next_destructor(const ff_destructor *after);

/* snapshot/held-libraries.c: those that a snapshot holds. */
const char *ff_can_hold(const char *path);
void *ff_hold_library(const char *path, int mode, const void *caller);
const ff_library *ff_held_image(const void *handle);
void *ff_find_beside(const void *p, const char *name);
const ff_library *ff_held_around(const void *p);
const ff_library *ff_next_held(const ff_library *after);
void *ff_find_in_held(const ff_library *library, const char *name, const ff_library *after);
int ff_begin_libraries(void);
int ff_is_in_standard_library(const void *p);
void ff_visit_libraries(ff_visitor visit, void *argument);

/* snapshot/foreign-frees.c: what other libraries free. */
void ff_begin_foreign_frees(void);
void ff_lead_foreign_frees(void *handle);

/* snapshot/dynamic-linker.c: its functions as the executable and held libraries call them. */

/* snapshot/dump-options.c: what a process is asked to do that makes a snapshot. */
#define FF_SCRATCH ((size_t)4 << 20)
char *ff_scratch(size_t size);
void ff_read_request(const char *path);
int ff_run_script(const char *path, PyObject *names);
const char *ff_request_value(const char *name, const char *after);
void ff_forget_request(void);
_Noreturn void ff_stop_dump(const char *format, ...);
_Noreturn void ff_stop_with_exception(const char *what);

/* snapshot/origins.c: who has allocated what differs. */
void ff_watch_origins(void);
PyObject *ff_name_origins(void);

/* snapshot/cached-numbers.c: numbers of the process that libraries keep. */
void ff_note_asker(const void *caller);
void ff_find_cached_numbers(void);
void ff_renew_cached_numbers(void);

/* snapshot/openssl-random.c: random numbers of OpenSSL. */
void ff_forget_random(void);
void ff_renew_random(void);

/* snapshot/example-numbers.c: random numbers in documentation. */
int ff_is_for_example(void);

/* snapshot/words-of-seed.c: random numbers that are the same in each process. */
uint64_t ff_word_of_seed(uint64_t kind, uint64_t number);

/* snapshot/few-choices.c: choices among few. */
void ff_watch_choices(void);
void ff_watch_draw(unsigned char *bytes, ssize_t size);
void ff_forget_choices(void);

/* snapshot/random-draws.c: random numbers that imports draw. */
#define FF_SEED_OF_RANDOM 2496 /* bytes: the state of the Mersenne twister, which is the largest draw */
#define FF_LEAST_DRAW 8        /* of which others do not have the same by chance */
void ff_watch_draws(void);
int ff_is_odd_draw(const unsigned char *bytes, ssize_t size);
void ff_note_draw(const void *bytes, ssize_t size);
PyObject *ff_list_draws(void);
const unsigned char *ff_get_draw(int number, size_t *size);
void ff_find_drawn(void);
void ff_renew_drawn(void);

/* snapshot/tokens.c: what imports make of random numbers. */
int ff_new_token_functions(PyObject **keep, PyObject **write);
void ff_forget_process_numbers(void);

/* snapshot/long-doubles.c: what is no part of a number. */
void ff_clear_padding(void);

/* snapshot/clock-readings.c: what held libraries have read from clocks. */
void ff_watch_clocks(void);
void ff_find_clock_readings(void);
void ff_renew_clock_readings(void);

/* snapshot/locked-mutexes.c: locks that libraries hold over a fork. */
void ff_find_locked(void);
void ff_renew_locked(void);

/* snapshot/hash-keys.c: keys of hash tables that libraries draw. */
void ff_find_hash_keys(void);
void ff_renew_hash_keys(void);

/* snapshot/import-stack.c: the stack that imports run on. */
void ff_call_on_import_stack(void (*function)(void));
void ff_find_addresses_of_stack(void);
void ff_move_addresses_of_stack(void);

/* snapshot/mappings.c: memory that libraries map. */
int ff_begin_mappings(void);

/* snapshot/foreign-calls.c: functions that C can call. */
int ff_begin_callbacks(void);

/* snapshot/earlier-images.c: images as they were linked. */
void ff_write_earlier(char *bytes, uintptr_t address, size_t size);
void ff_write_own_earlier(void);

/* snapshot/signal-handlers.c: what each start sets again. */
struct sigaction;
void ff_reset_handlers(void);
int ff_keep_handler(int signal, const struct sigaction *before);
void ff_keep_signal_stack(void);
int ff_renew_handlers(void);

/* snapshot/counters.c: what code has counted. */
void ff_reset_counters(void);

/* snapshot/program-name.c: the path of the executable as a program. */
const char *ff_program_name(char **argv);

/* snapshot/facts.c: what else imports have read. */
#define FF_FACT_SIZE 4096
void ff_note_facts(void);
void ff_visit_noted_facts(void (*visit)(const char *name, char **argv), char **argv);
int ff_read_fact(const char *name, char *text, char **argv);
const char *ff_compare_facts(const char *pairs, char **argv);

/* snapshot/word-sums.c: a sum of words. All calls but the last add a multiple of four. */
typedef struct {
    uint64_t sums[4];
} ff_sums;
#define FF_NO_SUMS {{1, 2, 3, 4}}
void ff_add_words(ff_sums *all, const uint64_t *words, size_t count);
uint64_t ff_whole_sum(const ff_sums *all);

/* snapshot/compared-files.c: files that a start compares. */
int ff_file_state_of(const char *path, ff_file_state *state);
int ff_examined_state_of(const char *path, ff_file_state *state);
void ff_make_portable(ff_file_state *state);
const char *ff_compare_files(const ff_file_state *states, const char *path, uint64_t count, int is_portable);
const char *ff_find_user_packages(void);

/* snapshot/start-conditions.c: what a start has to have in common with the process that was dumped. */
enum { FF_LOCALE_OTHER, FF_LOCALE_COERCED, FF_LOCALE_C, FF_LOCALE_UTF8 };
const char *ff_read_common(ff_common *common);
const char *ff_compare(const ff_snapshot_header *header, char **argv);

/* snapshot/command-line.c: the arguments of a start. */
typedef enum { FF_RUN_STDIN, FF_RUN_COMMAND, FF_RUN_MODULE, FF_RUN_FILE, FF_RUN_OTHER } ff_what_to_run;
typedef struct {
    ff_what_to_run kind;
    const char *text; /* the command, module or file */
    int rest;         /* the index of the first argument behind it */
} ff_command_line;
ff_command_line ff_read_command_line(int argc, char **argv);
int ff_configure(PyConfig *config, const ff_command_line *line, int argc, char **argv);

/* snapshot/program.c: the executable as a program. */
void ff_leave_path_alone(void);
int ff_begin_program(void);
PyStatus ff_name_program(PyConfig *config);
int ff_run_program(int argc, char **argv);

/* snapshot/streams.c: sys.stdin, sys.stdout and sys.stderr. */
int ff_keep_streams(void);
int ff_prepare_streams(const PyConfig *config);
int ff_renew_streams(const PyConfig *config);
int ff_is_stream(PyObject *object);
int ff_is_over_stream(PyObject *object);
int ff_flush_stream(PyObject *stream);

/* snapshot/quiet-end.c: whether the end of objects of shared libraries can be seen. */
void ff_begin_trial(void);
int ff_try_end(void);
int ff_try_ends(PyObject *const *objects, size_t count);
int ff_try_finalizers(PyObject *const *objects, size_t count);
#define FF_FIRST_CALL ((size_t)-1)
size_t ff_try_calls(int is_python_ended, void (*call)(size_t), size_t count);
void ff_note_open_files(void);
int ff_has_open_files(void);

/* snapshot/plain-generators.c: those whose end nobody can see. */
int ff_is_plain_generator(PyObject *object);

/* snapshot/finalizers.c: objects whose end can be seen. */
void ff_find_finalizers(void);
void ff_begin_finalizers(void);
int ff_have_finalizers(void);
void ff_leave_finalizers(void);

/* snapshot/used-pages.c: pages that each start writes to. */
void ff_use_pages(const ff_snapshot_header *header);
void ff_use_all_pages(void);
void ff_watch_pages(const ff_snapshot_header *header);
void ff_tell_written_pages(void);

/* snapshot/exit.c: the end of a restored process. */
void ff_begin_restored(void);
void ff_join_snapshot(void);
int ff_is_end_unseen(void);

/* snapshot/saved-memory.c: what memory was in the snapshot. */
void ff_note_saved_memory(const ff_snapshot_header *header);
int ff_read_saved(void *to, const void *start, size_t size);

/* snapshot/tried-destructors.c: of objects in libraries. */
void ff_try_destructors(void);
void ff_begin_destructors(void);

/* snapshot/shadowed.c: modules of the same names in the first entry of sys.path. */
int ff_keep_names(PyObject *firsts, PyObject *others, int is_portable);
const char *ff_shadowed(const ff_command_line *line);

/* snapshot/renewal.c: Python's own view of its process. */
void ff_keep_locale(const char *earlier);
int ff_keep_arguments(void);
int ff_keep_variables(PyObject *before, PyObject *now);
int ff_prepare_renewal(PyObject *prepare, int is_portable);
void ff_renew_thread(const ff_common *common);
int ff_have_restored(void);
void ff_run_restored(void);
int ff_renew(int argc, char **argv, const ff_command_line *line);

/* snapshot/process-settings.c: what belongs to a process beside memory and files; lines of a name, a tab, and a value. */
typedef struct {
    size_t length;
    char text[4096];
} ff_settings;
void ff_read_settings(ff_settings *settings);
PyObject *ff_settings_text(void);
const char *ff_changed_setting(const ff_settings *before, const ff_settings *now); /* the name of the first one; NULL if there is none */

/* snapshot/open-devices.c: open files that each start opens again. */
int ff_keep_device(int fd, const char *path);
int ff_open_devices(void);

/* snapshot/dump-checks.c: what imports may not leave behind. */
PyObject *ff_environment(void);
void ff_remember_process(void);
void ff_check_process(void);
void ff_forget_process(void);

/* snapshot/dump-file.c: the file of a dump. */
ff_snapshot_header *ff_begin_header(void);
void ff_append_path(const char *path);
void ff_reduce_environment(void);
void ff_note_variables(void);
void ff_append_variables(void);
void ff_append_facts(char **argv);
void ff_append_files(const char *paths, size_t size);
void ff_write_record(const char *path);
void ff_write_dump(const char *path);

/* snapshot/dump.c: making a snapshot. */
int ff_make_dump(int argc, char **argv, const char *request);

/* snapshot/restore.c: a start from it. */
const char *ff_restore(int argc, char **argv, int is_watched);

/* snapshot/start.c: calls both. */

#endif
