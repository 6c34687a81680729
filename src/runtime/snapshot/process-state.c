/* What belongs to a process: what the kernel, libc and the dynamic linker know of it, and have to be told again. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Memory: the executable's data behind RELRO, and its block of thread-local data ---- */

static int find_own(struct dl_phdr_info *object, size_t Py_UNUSED(size), void *argument)
{
    ff_own_memory *memory = argument; /* the executable comes first */
    uintptr_t relro_end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_GNU_RELRO) {
            /* The size in memory may end earlier, at the table of functions (src/hosts/snapshot/bind-lazily.ts). */
            relro_end = FF_PAGE_END(start + (part->p_memsz > part->p_filesz ? part->p_memsz : part->p_filesz));
        }
        else if (part->p_type == PT_TLS) {
            memory->tls = object->dlpi_tls_data;
            memory->tls_image = (char *)start;
            memory->tls_size = part->p_memsz;
        }
        else if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0) {
            memory->data = (char *)(start & ~(uintptr_t)(FF_PAGE - 1));
            memory->data_end = (char *)FF_PAGE_END(start + part->p_memsz);
        }
    }
    if (relro_end > (uintptr_t)memory->data) {
        memory->data = (char *)relro_end;
    }
    return 1;
}

ff_own_memory ff_find_memory(void)
{
    ff_own_memory memory = {NULL, NULL, NULL, NULL, 0};
    dl_iterate_phdr(find_own, &memory);
    return memory;
}

/* ---- Threads: keys of thread-local values, and the main thread's identity ---- */

static ff_thread_key keys[FF_KEYS];
static int key_count, lost_key;
extern int __real_pthread_key_create(pthread_key_t *, void (*)(void *)), __real_pthread_key_delete(pthread_key_t);

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = __real_pthread_key_create(key, destructor);
    if (error == 0 && key_count < FF_KEYS) {
        keys[key_count++] = (ff_thread_key){.number = *key, .is_live = 1, .destructor = destructor};
    }
    else if (error == 0) {
        lost_key = 1;
    }
    return error;
}

int __wrap_pthread_key_delete(pthread_key_t key)
{
    for (int i = 0; i < key_count; i++) {
        if (keys[i].is_live && keys[i].number == key) {
            keys[i].is_live = 0;
        }
    }
    return __real_pthread_key_delete(key);
}

int ff_thread_key_count(void)
{
    return lost_key ? FF_KEYS + 1 : key_count;
}

/* The first `earlier` ones were made by constructors, in this process as in that one. */
static void restore_keys(int earlier)
{
    pthread_key_t unused[4 * FF_KEYS];
    int unused_count = 0;
    for (int i = 0; i < key_count; i++) {
        if (!keys[i].is_live) {
            continue;
        }
        pthread_key_t key = keys[i].number;
        while (i >= earlier) {
            if (__real_pthread_key_create(&key, keys[i].destructor) != 0) {
                abort();
            }
            if (key == keys[i].number) {
                break;
            }
            if (unused_count == 4 * FF_KEYS) {
                abort();
            }
            unused[unused_count++] = key;
        }
        pthread_setspecific(key, keys[i].value);
    }
    while (unused_count > 0) {
        __real_pthread_key_delete(unused[--unused_count]);
    }
}

/* The main thread keeps its identity, as it does over a fork: objects remember it. It is the address of a variable, because
 * that is the same in every process. */
static char main_thread;
static _Thread_local int is_main_thread;
extern unsigned long __real_PyThread_get_thread_ident(void) __attribute__((weak));
extern int __real_pthread_kill(pthread_t, int), __real_pthread_getcpuclockid(pthread_t, clockid_t *);
static pthread_t real_main_thread;

void ff_name_main_thread(void)
{
    is_main_thread = 1;
    real_main_thread = pthread_self();
}

FF_PUBLIC unsigned long __wrap_PyThread_get_thread_ident(void)
{
    return is_main_thread ? (unsigned long)&main_thread : __real_PyThread_get_thread_ident();
}

#if FF_SNAPSHOT_STATE >= 313 /* Include/internal/pycore_pythread.h */
extern PyThread_ident_t __real_PyThread_get_thread_ident_ex(void) __attribute__((weak));

FF_PUBLIC PyThread_ident_t __wrap_PyThread_get_thread_ident_ex(void)
{
    return is_main_thread ? (PyThread_ident_t)&main_thread : __real_PyThread_get_thread_ident_ex();
}
#endif

/* What an executable that is linked as one object calls in the place of pthread_self() (src/hosts/link/region-functions.ts). */
pthread_t ff_thread_identity(void)
{
    return is_main_thread ? (pthread_t)&main_thread : pthread_self();
}

/* Those that take the identity for libc's (Modules/signalmodule.c, timemodule.c). */
static pthread_t real_thread(pthread_t thread)
{
    return thread == (pthread_t)&main_thread ? real_main_thread : thread;
}

int __wrap_pthread_kill(pthread_t thread, int signal)
{
    return __real_pthread_kill(real_thread(thread), signal);
}

int __wrap_pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    return __real_pthread_getcpuclockid(real_thread(thread), clock);
}

/* ---- Saving and restoring ---- */

/* Before a dump. */
void ff_save_process(void)
{
    for (int i = 0; i < key_count; i++) {
        keys[i].value = keys[i].is_live ? pthread_getspecific(keys[i].number) : NULL;
    }
    real_main_thread = 0; /* of this process */
}

/* After memory was mapped, before anything of Python runs. */
void ff_restore_process(int earlier_keys)
{
    real_main_thread = pthread_self();
    restore_keys(earlier_keys);
}
