/* A start from a snapshot: the memory of the dumped process in the place of this one's. Nothing is changed before everything
 * has been compared; whatever does not fit is a reason for an ordinary start. */
#include FF_LAYOUT

#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT 65536 /* bytes that the dynamic linker fills in: some hundred pointers */

static const char *check_place(int fd, const ff_snapshot_place *place, struct stat *found)
{
    if (fstat(fd, found) != 0 || place->offset % FF_PAGE != 0 || place->offset > (uint64_t)found->st_size ||
        place->size > (uint64_t)found->st_size - place->offset) {
        return "the file is cut off";
    }
    return NULL;
}

static int is_in_header(const ff_snapshot_header *header, uint64_t offset, uint64_t count, size_t size)
{
    return offset <= header->header_size && count <= (header->header_size - offset) / size;
}

/* Whether `size` bytes at `address` lie in a part of memory, in whole pages. */
static int is_in_part(uint64_t address, uint64_t size, uint64_t part, uint64_t part_size)
{
    return address % FF_PAGE == 0 && size % FF_PAGE == 0 && address >= part && address - part <= part_size &&
           size <= part_size - (address - part);
}

static int are_runs_possible(const ff_snapshot_header *header)
{
    const ff_run *runs = (const ff_run *)((const char *)header + header->run_offset);
    for (uint64_t i = 0; i < header->run_count; i++) {
        if ((!is_in_part(runs[i].address, runs[i].size, header->data, header->data_size) &&
             !is_in_part(runs[i].address, runs[i].size, header->region, header->region_size)) ||
            !is_in_part(runs[i].offset, runs[i].size, 0, header->size)) {
            return 0;
        }
    }
    return 1;
}

static int are_ranges_possible(const ff_snapshot_header *header)
{
    const ff_range *ranges = (const ff_range *)((const char *)header + header->range_offset);
    for (uint64_t i = 0; i < header->range_count; i++) {
        if (ranges[i].address < header->data || ranges[i].address - header->data > header->data_size ||
            ranges[i].size > header->data_size - (ranges[i].address - header->data)) {
            return 0;
        }
    }
    return 1;
}

/* Changes of any one word change it. */
static uint64_t checksum(const ff_snapshot_header *header)
{
    ff_sums sums = FF_NO_SUMS;
    ff_add_words(&sums, &header->size, (header->header_size - offsetof(ff_snapshot_header, size)) / sizeof(uint64_t));
    return ff_whole_sum(&sums);
}

/* Its memory is not looked through, which would take longer than the start: a file that was written to says so itself. */
static const char *check_header(const ff_snapshot_header *header, const ff_own_memory *memory, struct timespec modified)
{
    if (memcmp(header->magic, FF_SNAPSHOT_MAGIC, sizeof(header->magic)) != 0 || header->size != ff_place.size) {
        return "it is of another version";
    }
    /* The build gave the file a time of whole seconds, which archives keep; a later change in the same second has others. */
    if (header->modified != (uint64_t)modified.tv_sec || modified.tv_nsec != 0 || header->checksum != checksum(header)) {
        return "the file was changed";
    }
    if (header->data != (uint64_t)(uintptr_t)memory->data ||
        header->data_size != (uint64_t)(memory->data_end - memory->data) || header->tls_size != memory->tls_size ||
        header->region != (uint64_t)(uintptr_t)FF_REGION || header->region_size > FF_REGION_SIZE) {
        return "it is of another executable";
    }
    if (!is_in_header(header, header->run_offset, header->run_count, sizeof(ff_run)) ||
        !is_in_header(header, header->range_offset, header->range_count, sizeof(ff_range)) ||
        !is_in_header(header, header->file_offset, header->file_count, sizeof(ff_file_state)) ||
        !is_in_header(header, header->tls_offset, header->tls_size, 1) ||
        !is_in_header(header, header->page_offset, header->page_count, sizeof(ff_pages)) ||
        !is_in_header(header, header->move_offset, header->move_count, sizeof(ff_moves)) || !ff_are_moves_possible(header) ||
        !is_in_header(header, header->variable_offset, 1, 1) || !is_in_header(header, header->path_offset, 1, 1) ||
        !is_in_header(header, header->file_text_offset, 1, 1) ||
        ((const char *)header)[header->header_size - 1] != '\0' || !are_runs_possible(header) ||
        !are_ranges_possible(header)) {
        return "the file was changed";
    }
    return NULL;
}

/* Maps runs in the part of memory that they lie in. 0, or -1 without memory. */
static int map_runs(int fd, const ff_snapshot_header *header, uint64_t start, int is_region)
{
    const ff_run *runs = (const ff_run *)((const char *)header + header->run_offset);
    for (uint64_t i = 0; i < header->run_count; i++) {
        void *at = (void *)(uintptr_t)runs[i].address;
        if ((runs[i].address >= header->region) == is_region &&
            mmap(at, runs[i].size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd,
                 (off_t)(start + runs[i].offset)) != at) {
            return -1;
        }
    }
    return 0;
}

/* Each of them has been checked; a sum of sizes that is too large is more than KEPT. */
static size_t size_of_ranges(const ff_snapshot_header *header, const ff_range *ranges)
{
    size_t size = 0;
    for (uint64_t i = 0; i < header->range_count && size <= KEPT; i++) {
        size += ranges[i].size;
    }
    return size;
}

/* The data of this process is gone: an ordinary start needs a new one. */
static void start_again(char **argv, const char *why)
{
    setenv(FF_SNAPSHOT_VARIABLE, why, 1);
    execv("/proc/self/exe", argv);
    _exit(127);
}

/* The process is as it was if this fails. */
static const char *map_region(int fd, const ff_snapshot_header *header, uint64_t start)
{
    char *region = (char *)(uintptr_t)header->region;
    if (mmap(region, header->region_size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_NORESERVE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != region) {
        return errno == EEXIST ? "its place in memory is not free" : "there is no memory for it";
    }
    const char *reason = map_runs(fd, header, start, 1) < 0 ? "there is no memory for it" : NULL;
    /* Pages of data that are not in the snapshot are as in the executable, also those that this process has written. */
    if (reason == NULL && madvise((void *)(uintptr_t)header->data, header->data_size, MADV_DONTNEED) != 0) {
        reason = "the process has locked its memory";
    }
    if (reason != NULL) {
        munmap(region, header->region_size);
    }
    return reason;
}

/* NULL when this process goes on from the snapshot, else why it does not. `is_watched`: it finds out which pages it uses. */
const char *ff_restore(int argc, char **argv, int is_watched)
{
    ff_snapshot_place place = {.offset = ff_place.offset, .size = ff_place.size};
    ff_command_line line = ff_read_command_line(argc, argv);
    if (place.size == 0) {
        return "there is none";
    }
    if (line.kind == FF_RUN_OTHER) {
        return "the interpreter has options";
    }
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return "the executable cannot be read";
    }
    if (fd <= STDERR_FILENO) { /* sys has None for it, which imports may keep */
        close(fd);
        return "a standard stream is closed";
    }
    struct stat found;
    const char *reason = check_place(fd, &place, &found);
    const ff_snapshot_header *header = MAP_FAILED;
    uint64_t header_size = 0;
    if (reason == NULL) {
        /* The header's own size is in its first bytes; its pages are in the page cache or not at all. */
        ff_snapshot_header first;
        if (pread(fd, &first, sizeof(first), (off_t)place.offset) != sizeof(first) || first.header_size > place.size ||
            first.header_size < sizeof(first) || first.header_size % FF_PAGE != 0) {
            reason = "the file is cut off";
        }
        else {
            header_size = first.header_size;
            header = mmap(NULL, header_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, (off_t)place.offset);
            reason = header == MAP_FAILED ? "there is no memory for it" : NULL;
        }
    }
    ff_own_memory memory = ff_find_memory();
    if (reason == NULL) {
        reason = check_header(header, &memory, found.st_mtim);
    }
    if (reason == NULL) {
        reason = ff_compare(header, argv);
    }
    /* On the stack, because nothing else of this process stays. */
    char *kept = NULL;
    const ff_range *ranges = (const ff_range *)((const char *)header + (reason == NULL ? header->range_offset : 0));
    if (reason == NULL) {
        size_t size = size_of_ranges(header, ranges);
        if (size > KEPT) {
            reason = "too much of its data belongs to libraries";
        }
        else {
            kept = __builtin_alloca(size);
            for (uint64_t i = 0; i < header->range_count; kept += ranges[i++].size) {
                memcpy(kept, (const void *)(uintptr_t)ranges[i].address, ranges[i].size);
            }
            kept -= size;
        }
    }
    int earlier_keys = ff_thread_key_count();
    if (reason == NULL) {
        reason = map_region(fd, header, place.offset);
    }
    if (reason != NULL) {
        close(fd);
        if (header != MAP_FAILED) {
            munmap((void *)header, header_size);
        }
        return reason;
    }

    /* From here on, every variable has the value of the dumped process. */
    int status = map_runs(fd, header, place.offset, 0);
    close(fd);
    if (is_watched) {
        ff_watch_pages(header);
    }
    else {
        ff_use_pages(header);
    }
    for (uint64_t i = 0; i < header->range_count; kept += ranges[i++].size) {
        memcpy((void *)(uintptr_t)ranges[i].address, kept, ranges[i].size);
    }
    memcpy(memory.tls, (const char *)header + header->tls_offset, header->tls_size);
    ff_move_words(header, memory.tls);
    const char *shadowed = status < 0 ? NULL : ff_shadowed(&line);
    if (shadowed != NULL) {
        start_again(argv, shadowed);
    }
    if (ff_open_devices() < 0) {
        start_again(argv, FF_WHY_DEVICE);
    }
    if (status < 0 || ff_begin_libraries() < 0 || ff_begin_mappings() < 0 || ff_begin_callbacks() < 0) {
        start_again(argv, FF_WHY_MEMORY);
    }
    ff_leave_region();
    ff_note_saved_memory(header);
    ff_restore_process(earlier_keys);
    ff_renew_locked();
    ff_renew_drawn();
    ff_begin_destructors();
    ff_begin_threads();
    ff_renew_random();
    ff_renew_hash_keys();
    ff_renew_clock_readings();
    ff_renew_cached_numbers();
    ff_move_addresses_of_stack();
    ff_renew_thread(&header->common);
    /* The header's few pages stay mapped: giving them back takes longer than anything else that a start does with them. */
    if (ff_renew(argc, argv, &line) < 0) {
        PyErr_Print();
        Py_FatalError("flashfreeze: cannot go on from the snapshot");
    }
    return NULL;
}
