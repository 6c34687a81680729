/* The executable's main program: from the snapshot, or as CPython's own (Programs/python.c). */
#include FF_LAYOUT

#include "restore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The file that says what to dump. An executable that has a snapshot does it, too, so that its snapshot can be compared with a new one. */
static const char *request(void)
{
    const char *value = getauxval(AT_SECURE) == 0 ? getenv(FF_SNAPSHOT_VARIABLE) : NULL;
    return value != NULL && *value == '/' ? value : NULL;
}

extern int __real_Py_BytesMain(int, char **);

/* Before other constructors allocate. */
__attribute__((constructor(101))) static void begin(void)
{
    if (request() != NULL) {
        ff_write_own_earlier();
        ff_begin_region();
    }
}

/* What constructors do waits until it is known whether the process is restored: then it has been done. */
static int is_decided;

static int is_start_undecided(void)
{
    return ff_place.size != 0 && !is_decided && request() == NULL;
}

extern void __real_ff_register_with_interpreter(void);

void __wrap_ff_register_with_interpreter(void)
{
    if (!is_start_undecided()) {
        __real_ff_register_with_interpreter();
    }
}

/* OpenSSL's constructor asks the processor, which costs a trap for each question in a virtual machine (crypto/cryptlib.c). */
extern void __real_OPENSSL_cpuid_setup(void) __attribute__((weak));

void __wrap_OPENSSL_cpuid_setup(void)
{
    if (!is_start_undecided() && __real_OPENSSL_cpuid_setup != NULL) {
        __real_OPENSSL_cpuid_setup();
    }
}

static int start_without(const char *reason, int argc, char **argv)
{
    int was_undecided = is_start_undecided();
    is_decided = 1;
    ff_write_own_earlier();
    if (was_undecided) {
        __real_ff_register_with_interpreter();
        __wrap_OPENSSL_cpuid_setup();
    }
    ff_snapshot_state = reason;
    return ff_program.kind == FF_ENTRY_NONE ? __real_Py_BytesMain(argc, argv) : ff_run_program(argc, argv);
}

/* Not with stdio, whose state may be that of another process. */
static void tell_state(const char *reason)
{
    const char *text = reason == NULL ? "restored" : reason;
    _exit(write(STDOUT_FILENO, text, strlen(text)) < 0);
}

FF_PUBLIC int __wrap_Py_BytesMain(int argc, char **argv)
{
    ff_reason_to_leave_out = ff_can_hold;
    const char *path = request();
    if (path != NULL) {
        return ff_make_dump(argc, argv, path);
    }
    const char *value = ff_place.size != 0 ? getenv(FF_SNAPSHOT_VARIABLE) : NULL;
    if (value != NULL && strcmp(value, FF_ASK) == 0 && getauxval(AT_SECURE) == 0) {
        tell_state(ff_restore(argc, argv));
    }
    if (value != NULL) {
        unsetenv(FF_SNAPSHOT_VARIABLE);
        return start_without("there is no memory for it", argc, argv);
    }
    const char *reason = ff_restore(argc, argv);
    if (reason != NULL) {
        return start_without(reason, argc, argv);
    }
    is_decided = 1;
    ff_snapshot_state = "restored";
    ff_begin_restored();
    ff_run_restored();
    return Py_RunMain();
}
