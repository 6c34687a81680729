/* What the memory of a restored process was in the snapshot: the executable's file has it. */
#include FF_LAYOUT

#include "restore.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const ff_snapshot_header *saved;
static const char *content; /* of the snapshot in the file */

/* At a start. */
void ff_note_saved_memory(const ff_snapshot_header *header)
{
    saved = header;
}

static int map_content(void)
{
    if (content == NULL && saved != NULL) {
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, saved->size, PROT_READ, MAP_PRIVATE, fd, (off_t)ff_place.offset);
        content = mapped == MAP_FAILED ? NULL : mapped;
        if (fd >= 0) {
            close(fd);
        }
    }
    return content == NULL ? -1 : 0;
}

static const ff_run *find_run(uintptr_t address)
{
    static const ff_run *last; /* objects of a library lie near each other */
    const ff_run *runs = (const ff_run *)((const char *)saved + saved->run_offset);
    if (last != NULL && address - last->address < last->size) {
        return last;
    }
    for (const ff_run *each = runs; each < runs + saved->run_count; each++) {
        if (address - each->address < each->size) {
            return last = each;
        }
    }
    return NULL;
}

/* What memory was from an address to the end of its page: zeros, if it is in no run; NULL where the executable itself has it. */
static const char *saved_part(uintptr_t address)
{
    static const char zeros[FF_PAGE];
    const ff_run *run = find_run(address);
    if (run != NULL) {
        return content + run->offset + (address - run->address);
    }
    return address - saved->region < saved->region_size ? zeros : NULL;
}

/* Copies what memory was. 0, or -1 where that cannot be said. */
int ff_read_saved(void *to, const void *start, size_t size)
{
    if (map_content() < 0) {
        return -1;
    }
    for (size_t done = 0; done < size;) {
        uintptr_t at = (uintptr_t)start + done, room = FF_PAGE - at % FF_PAGE;
        size_t part = room < size - done ? room : size - done;
        const char *from = saved_part(at);
        if (from == NULL) {
            return -1;
        }
        memcpy((char *)to + done, from, part);
        done += part;
    }
    return 0;
}
