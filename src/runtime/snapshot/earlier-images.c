/* In an executable with a snapshot, images are as the snapshot has them: strings with their hashes, code that was specialised. So they lie
 * in the file once, and a restored process need not map them. What they were when they were linked follows the executable, in a segment that
 * the kernel maps: any other start writes it back before it uses an image (src/hosts/snapshot/images-in-place.ts makes it). */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>

/* Seven bits in each byte, the lowest first; the last byte is below 128. */
static uint64_t read_number(const unsigned char **at)
{
    uint64_t number = 0;
    int shift = 0;
    do {
        number |= (uint64_t)(**at & 127) << shift;
        shift += 7;
    } while (*(*at)++ >= 128);
    return number;
}

/* Writes it into a copy of the memory at `address`. Each entry is how far it lies behind the one before (the first: its address), twice its size,
 * one more if a single byte follows that is repeated, and the bytes. */
void ff_write_earlier(char *bytes, uintptr_t address, size_t size)
{
    const unsigned char *at = (const unsigned char *)(uintptr_t)ff_place.earlier, *end = at + ff_place.earlier_size;
    uintptr_t place = 0;
    while (at < end) {
        place += read_number(&at);
        uint64_t number = read_number(&at);
        size_t count = number / 2;
        if (place < address || count > size || place - address > size - count) {
            return;
        }
        if (number % 2 == 1) {
            memset(bytes + (place - address), *at++, count);
        }
        else {
            memcpy(bytes + (place - address), at, count);
            at += count;
        }
        place += count;
    }
}

void ff_write_own_earlier(void)
{
    ff_own_memory memory = ff_find_memory();
    ff_write_earlier(memory.data, (uintptr_t)memory.data, (size_t)(memory.data_end - memory.data));
}
