/* Random numbers that are the same in each process that makes a dump: they come from the seed of string hashes. */
#include FF_LAYOUT

#include "restore.h"

#include <string.h>

/* Well mixed (the end of MurmurHash3). */
static uint64_t mixed(uint64_t word)
{
    word = (word ^ word >> 33) * 0xff51afd7ed558ccd;
    word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53;
    return word ^ word >> 33;
}

/* Of each kind as many as one likes. */
uint64_t ff_word_of_seed(uint64_t kind, uint64_t number)
{
    const char *seed = ff_request_value("seed", NULL);
    uint64_t hash = seed == NULL ? FF_HASH_START : ff_hash_bytes(FF_HASH_START, seed, strlen(seed));
    uint64_t both[] = {number, kind};
    return mixed(ff_hash_bytes(hash, both, kind == 0 ? sizeof(number) : sizeof(both)));
}
