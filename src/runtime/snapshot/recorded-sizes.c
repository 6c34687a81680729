/* Sizes of lasting blocks in the record of allocations, a byte each: exact ones up to 512 bytes, then sixteen for each power of two. */
#include FF_LAYOUT

#include "restore.h"

#define STEPS 16

size_t ff_capacity_of(unsigned char recorded)
{
    if (recorded < FF_LEAST_WITH_HEAD) {
        return 16 * (size_t)(recorded - FF_LEAST);
    }
    size_t power = (size_t)FF_ONE_SIZE << (recorded - FF_LEAST_WITH_HEAD) / STEPS;
    return power + power / STEPS * (size_t)((recorded - FF_LEAST_WITH_HEAD) % STEPS + 1);
}

/* Those with a head take a little more room than they need, so that their sizes are few. */
unsigned char ff_recorded_size(size_t size, size_t alignment)
{
    if (size <= FF_ONE_SIZE && alignment <= 16) {
        return (unsigned char)(FF_LEAST + (size + 15) / 16);
    }
    size_t whole = size + (alignment > 16 ? alignment : 0);
    unsigned int recorded = FF_LEAST_WITH_HEAD;
    while (recorded + STEPS < FF_LARGE && ff_capacity_of((unsigned char)(recorded + STEPS - 1)) < whole) {
        recorded += STEPS;
    }
    while (recorded < FF_LARGE && ff_capacity_of((unsigned char)recorded) < whole) {
        recorded++;
    }
    return (unsigned char)recorded;
}
