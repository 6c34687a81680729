/* What held libraries read from clocks while they are imported, and keep as it is: when they were loaded, which they name in logs or count from. A word that is
 * exactly a reading, in nanoseconds, microseconds or milliseconds, gets a new one of the same clock at each start; so does a variable that is the lower half of one in
 * milliseconds (GLib, gslice.c). What is computed from a reading differs in
 * two dumps. */
#include FF_LAYOUT

#include "restore.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define READINGS 4096 /* those of a library that reads again and again are not kept */
#define PLACES 64
#define MILLISECOND 1000000 /* in nanoseconds */

typedef struct {
    uint64_t value;
    uint32_t clock, unit; /* in nanoseconds */
} reading;
static reading *readings; /* of this process only */
static atomic_int reading_count;

typedef struct {
    uint64_t *word;
    uint32_t clock, unit;
    uint64_t age; /* in units: what was read earlier stays earlier */
} kept_reading;
static kept_reading places[PLACES];
static struct {
    uint32_t *word;
    uint32_t clock;
} halves[PLACES];
static int place_count, half_count;

static void note(clockid_t clock, uint64_t value, uint32_t unit)
{
    int number = readings == NULL ? READINGS : atomic_fetch_add(&reading_count, 1);
    if (number < READINGS) {
        readings[number] = (reading){value, (uint32_t)clock, unit};
    }
}

static void note_time(clockid_t clock, const struct timespec *now)
{
    uint64_t value = (uint64_t)now->tv_sec * 1000000000 + (uint64_t)now->tv_nsec;
    note(clock, value, 1);
    note(clock, value / 1000, 1000);
    note(clock, value / MILLISECOND, MILLISECOND);
}

/* The coarse clock tells allocators how long memory has been free (jemalloc, src/nstime.c), which make times to come of it. While a snapshot is made, it is that
 * of a machine that has just begun: in a restored process, time has passed. */
static struct timespec coarse_time(void)
{
    static atomic_long count;
    long passed = atomic_fetch_add(&count, 1); /* in milliseconds */
    return (struct timespec){1 + passed / 1000, passed % 1000 * 1000000};
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_MONOTONIC_COARSE && ff_current_allocation() == FF_IN_REGION) {
        *now = coarse_time();
        return 0;
    }
    int status = clock_gettime(clock, now);
    int is_time = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
    if (status == 0 && is_time && ff_current_allocation() == FF_IN_REGION) {
        note_time(clock, now);
    }
    return status;
}

int __wrap_gettimeofday(struct timeval *now, void *zone)
{
    int status = gettimeofday(now, zone);
    if (status == 0 && ff_current_allocation() == FF_IN_REGION) {
        uint64_t value = (uint64_t)now->tv_sec * 1000000 + (uint64_t)now->tv_usec;
        note(CLOCK_REALTIME, value, 1000);
        note(CLOCK_REALTIME, value / 1000, MILLISECOND);
    }
    return status;
}

/* Before the imports. */
void ff_watch_clocks(void)
{
    readings = (reading *)ff_scratch(READINGS * sizeof(*readings));
}

static int compare(const void *a, const void *b)
{
    const reading *first = a, *second = b;
    return (first->value > second->value) - (first->value < second->value);
}

static const reading *find_reading(uint64_t value, int count)
{
    reading wanted = {.value = value};
    return bsearch(&wanted, readings, (size_t)count, sizeof(*readings), compare);
}

/* How many readings of the same clock that are kept are later. */
static uint64_t age_of(const reading *own, int count)
{
    uint64_t age = 0;
    for (const reading *each = own + 1; each < readings + count; each++) {
        int is_kept = 0;
        for (int i = 0; i < place_count; i++) {
            is_kept |= *places[i].word == each->value;
        }
        age += is_kept && each->value != each[-1].value && each->clock == own->clock && each->unit == own->unit;
    }
    return age;
}

static void find_halves(const ff_library *library, const reading *own)
{
    for (int i = 0; i < library->part_count; i++) {
        const Elf64_Phdr *part = &library->parts[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) == 0) {
            continue;
        }
        uint32_t *word = (uint32_t *)ff_library_address(library, (part->p_vaddr + 3) & ~(uint64_t)3);
        uint32_t *end = (uint32_t *)ff_library_address(library, (part->p_vaddr + part->p_memsz) & ~(uint64_t)3);
        for (; word < end; word++) {
            if (*word == (uint32_t)own->value && half_count < PLACES) {
                halves[half_count].word = word;
                halves[half_count++].clock = own->clock;
                *word = 0;
            }
        }
    }
}

/* Before a dump: in all that libraries and Python have. The words become zero. */
void ff_find_clock_readings(void)
{
    int count = reading_count < READINGS ? reading_count : READINGS;
    place_count = half_count = 0;
    if (count > 0) {
        qsort(readings, (size_t)count, sizeof(*readings), compare);
        uint64_t *end = (uint64_t *)(FF_REGION + ff_region_size());
        uint64_t least = readings[0].value, most = readings[count - 1].value;
        for (uint64_t *word = (uint64_t *)FF_REGION; word < end; word++) {
            const reading *found = *word < least || *word > most ? NULL : find_reading(*word, count);
            if (found != NULL && place_count < PLACES) {
                places[place_count++] = (kept_reading){word, found->clock, found->unit, 0};
            }
        }
        for (int i = 0; i < place_count; i++) {
            places[i].age = age_of(find_reading(*places[i].word, count), count);
        }
        for (int i = 0; i < place_count; i++) {
            *places[i].word = 0;
        }
        for (int i = 0; i < count; i++) {
            int is_new = readings[i].unit == MILLISECOND && (i == 0 || readings[i].value != readings[i - 1].value);
            for (const ff_library *each = NULL; is_new && (each = ff_next_held(each)) != NULL;) {
                find_halves(each, &readings[i]);
            }
        }
    }
    readings = NULL;
    reading_count = 0;
}

/* In nanoseconds. */
static uint64_t time_of(uint32_t clock)
{
    struct timespec now;
    clock_gettime((clockid_t)clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* In a restored process, before anything of the libraries runs. */
void ff_renew_clock_readings(void)
{
    uint64_t times[CLOCK_BOOTTIME + 1] = {0}; /* one of each clock, or their order would be that of the places */
    for (int i = 0; i < place_count; i++) {
        uint64_t *time = &times[places[i].clock];
        *time = *time == 0 ? time_of(places[i].clock) : *time;
        *places[i].word = *time / places[i].unit - places[i].age;
    }
    for (int i = 0; i < half_count; i++) {
        *halves[i].word = (uint32_t)(time_of(halves[i].clock) / MILLISECOND);
    }
}
