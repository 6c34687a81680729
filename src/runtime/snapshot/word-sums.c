/* A sum of words that changes with any one of them: each step is a bijection of the word. Four sums, so that the processor need not wait for one
 * multiplication to begin the next (src/hosts/snapshot/header-checksum.ts does the same). It tells changes, not who made them. */
#include FF_LAYOUT

#include "restore.h"

#define FACTOR 0x9e3779b97f4a7c15 /* odd; bits of the golden ratio */

void ff_add_words(ff_sums *all, const uint64_t *words, size_t count)
{
    uint64_t *sums = all->sums;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (int k = 0; k < 4; k++) {
            sums[k] = (sums[k] ^ words[i + (size_t)k]) * FACTOR;
        }
    }
    for (; i < count; i++) {
        sums[i % 4] = (sums[i % 4] ^ words[i]) * FACTOR;
    }
}

uint64_t ff_whole_sum(const ff_sums *all)
{
    uint64_t whole = 0;
    for (int k = 0; k < 4; k++) {
        whole = (whole ^ all->sums[k]) * FACTOR;
    }
    return whole;
}
