/* Words of a snapshot that point into what the dynamic linker and the kernel place: libc, its neighbours, the vdso, and the main thread's own
 * block. These lie elsewhere in each process. Two dumps tell which words they are, because such a word differs by exactly as much as the place
 * that it points into (hosts/snapshot/compare-dumps.ts); each start moves them there. So do halves of words that hold half of such an address: an identity
 * of a thread that was cut, or what compiled code leaves in a part of a structure that nobody has written. */
#include FF_LAYOUT

#include "restore.h"

#include <link.h>
#include <string.h>

#define SHIFTED 256

/* What lies above a thread's pointer is libc's own description of the thread (struct pthread, 2304 bytes in glibc 2.36). */
#define OF_THREAD 2048

typedef struct {
    ff_range *objects;
    int count, most;
    uint64_t lowest; /* of the thread-local blocks of all objects */
} listing;

static int add_object(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *argument)
{
    listing *list = argument;
    uint64_t start = UINT64_MAX, end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD) {
            uint64_t from = object->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;
            start = from < start ? from : start;
            end = to > end ? to : end;
        }
    }
    if (object->dlpi_tls_data != NULL && (uint64_t)(uintptr_t)object->dlpi_tls_data < list->lowest) {
        list->lowest = (uint64_t)(uintptr_t)object->dlpi_tls_data;
    }
    if (list->count < list->most) {
        list->objects[list->count++] = start < end ? (ff_range){start, end - start} : (ff_range){0, 0};
    }
    return list->count == list->most;
}

/* The main thread's block, in the place of the executable, whose own is fixed; then the `count - 1` libraries that the process began with. */
static void list_objects(ff_range *objects, int count)
{
    listing list = {objects, 0, count, UINT64_MAX};
    dl_iterate_phdr(add_object, &list);
    for (int i = list.count; i < count; i++) {
        objects[i] = (ff_range){0, 0};
    }
    uint64_t thread = (uint64_t)(uintptr_t)ff_thread_pointer(), from = list.lowest < thread ? list.lowest : thread;
    from &= ~(uint64_t)0xff; /* in structures that were copied, the lowest byte of an address may be that of a flag */
    objects[0] = (ff_range){from, thread + OF_THREAD - from};
}

/* Behind an object, up to the next one, is what the dynamic linker has allocated when it loaded them: descriptions of libraries, and their names. */
#define BEHIND ((uint64_t)1 << 20)

static void extend(ff_range *objects, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t end = objects[i].address + objects[i].size, next = end + BEHIND;
        for (int k = 0; k < count; k++) {
            next = objects[k].size > 0 && objects[k].address >= end && objects[k].address < next ? objects[k].address : next;
        }
        if (objects[i].size > 0) {
            objects[i].size = (next < end + BEHIND ? next : FF_PAGE_END(end)) - objects[i].address;
        }
    }
}

/* How many they are; `objects` has room for FF_OBJECTS. */
int ff_list_objects(ff_range *objects)
{
    int count = ff_first_library_count();
    count = count > FF_OBJECTS ? FF_OBJECTS : count;
    list_objects(objects, count);
    extend(objects, count);
    return count;
}

static const ff_moves *next_moves(const ff_moves *moves)
{
    return (const ff_moves *)((const ff_move *)(moves + 1) + moves->count);
}

/* Whether the table lies in the header, and what it names is there. */
int ff_are_moves_possible(const ff_snapshot_header *header)
{
    const char *end = (const char *)header + header->header_size;
    const ff_moves *moves = (const ff_moves *)((const char *)header + header->move_offset);
    for (uint64_t i = 0; i < header->move_count; i++, moves = next_moves(moves)) {
        if ((const char *)(moves + 1) > end || moves->count > (uint64_t)(end - (const char *)(moves + 1)) / sizeof(ff_move) ||
            moves->object >= header->object_count || moves->object >= FF_OBJECTS || moves->half % SHIFTED > 4 || moves->half / SHIFTED > 7 ||
            (moves->part != header->data && moves->part != header->region && moves->part != 0)) {
            return 0;
        }
    }
    return 1;
}

/* When memory is that of the snapshot; `thread` is the main thread's block. */
void ff_move_words(const ff_snapshot_header *header, char *thread)
{
    ff_range objects[FF_OBJECTS];
    list_objects(objects, (int)header->object_count);
    const ff_moves *moves = (const ff_moves *)((const char *)header + header->move_offset);
    for (uint64_t i = 0; i < header->move_count; i++, moves = next_moves(moves)) {
        char *part = moves->part == 0 ? thread : (char *)(uintptr_t)moves->part;
        const ff_move *each = (const ff_move *)(moves + 1);
        uint32_t half = moves->half % SHIFTED;
        for (uint64_t k = 0; k < moves->count; k++) {
            char *word = part + sizeof(uint64_t) * (size_t)each[k].word + moves->half / SHIFTED;
            uint64_t address = objects[moves->object].address + each[k].offset;
            uint32_t bits = (uint32_t)(half > 2 ? address >> 32 : address);
            if (half == 0) {
                memcpy(word, &address, sizeof(address));
            }
            else {
                memcpy(word + sizeof(bits) * ((half - 1) % 2), &bits, sizeof(bits));
            }
        }
    }
}
