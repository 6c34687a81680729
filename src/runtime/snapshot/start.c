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

extern char **environ;
extern int __real_Py_BytesMain(int, char **);

static int have_constructors_run;

/* Before other constructors allocate. */
__attribute__((constructor(101))) static void begin(void)
{
    have_constructors_run = 1;
    if (request() != NULL) {
        ff_write_own_earlier();
        ff_begin_region();
    }
}

/* In an executable with a snapshot, libc runs no constructors (src/hosts/snapshot/defer-constructors.ts): what they do has been done if the process
 * is restored. They take page faults, calls of the system, and OpenSSL's asks the processor, which is a trap in a virtual machine for each question. */
static void run_constructors(int argc, char **argv)
{
    typedef void (*constructor)(int, char **, char **);
    extern const constructor __init_array_start[], __init_array_end[];
    extern void _init(void);
    if (!have_constructors_run) {
        _init();
        for (const constructor *each = __init_array_start; each != __init_array_end; each++) {
            (*each)(argc, argv, environ);
        }
    }
}

static int start_without(const char *reason, int argc, char **argv)
{
    ff_write_own_earlier();
    run_constructors(argc, argv);
    ff_note_first_libraries();
    ff_snapshot_state = reason;
    return ff_program.kind == FF_ENTRY_NONE ? __real_Py_BytesMain(argc, argv) : ff_run_program(argc, argv);
}

static const char *reason_of(const char *why)
{
    static const char *const reasons[][2] = {
        {FF_WHY_DEVICE, "a device that imports leave open has the number of another file"},
        {FF_WHY_SHADOWED, "the first entry of sys.path has a module or metadata that the imports would have found"},
        {FF_WHY_RUN, "the module that is run is in it"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i][0], why) == 0) {
            return reasons[i][1];
        }
    }
    return "there is no memory for it";
}

/* Not with stdio, whose state may be that of another process. */
static void tell_state(const char *reason)
{
    const char *text = reason == NULL ? "restored" : reason;
    _exit(write(STDOUT_FILENO, text, strlen(text)) < 0);
}

/* Which pages a start uses that runs nothing, by the path that the snapshot was made for. */
static void tell_pages(char *path)
{
    char *words[] = {path, (char[]){"-c"}, (char[]){"pass"}, NULL};
    if (ff_restore(3, words, 1) == NULL) {
        if (ff_program.kind != FF_ENTRY_NONE || ff_have_restored() || ff_have_finalizers()) {
            PyRun_SimpleString("pass");
            ff_tell_written_pages();
        }
        else { /* to the end, which runs nothing of the program's own either */
            ff_begin_restored();
            Py_RunMain();
        }
    }
    _exit(0);
}

FF_PUBLIC int __wrap_Py_BytesMain(int argc, char **argv)
{
    static const ff_snapshot_rules rules = {ff_can_hold, ff_settings_text, ff_synchronize_numbers};
    ff_rules = &rules;
    const char *path = request();
    if (path != NULL) {
        ff_note_first_libraries();
        run_constructors(argc, argv);
        return ff_make_dump(argc, argv, path);
    }
    char *value = ff_place.size != 0 ? getenv(FF_SNAPSHOT_VARIABLE) : NULL;
    if (value != NULL && strcmp(value, FF_ASK) == 0 && getauxval(AT_SECURE) == 0) {
        tell_state(ff_restore(argc, argv, 0));
    }
    if (value != NULL && *value == FF_ASK_PAGES && getauxval(AT_SECURE) == 0) {
        tell_pages(value + 1);
    }
    if (value != NULL) {
        const char *why = reason_of(value);
        unsetenv(FF_SNAPSHOT_VARIABLE);
        return start_without(why, argc, argv);
    }
    const char *reason = ff_restore(argc, argv, 0);
    if (reason != NULL) {
        return start_without(reason, argc, argv);
    }
    ff_snapshot_state = "restored";
    ff_begin_restored();
    ff_run_restored();
    return Py_RunMain();
}
