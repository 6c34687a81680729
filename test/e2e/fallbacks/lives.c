/* An embedding program that initialises and finalises Python three times, whichever way Python was linked: preloaded into
 * a Python executable, it takes the place of main().
 *
 *     LD_PRELOAD=lives.so python script.py     runs the script in each life, with sys.argv[1] = "0", "1", "2"
 */
#include <Python.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* Is there in Python only: other programs on the way, such as the shell of a wrapper, keep their main(). */
#pragma weak Py_InitializeFromConfig

static int live(const char *program, const char *script, char *number)
{
    PyConfig config;
    char *arguments[] = {(char *)script, number};
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, program);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetBytesArgv(&config, 2, arguments);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    FILE *file = fopen(script, "r");
    if (file == NULL || PyRun_SimpleFileExFlags(file, script, 1, NULL) != 0) {
        return 1;
    }
    return Py_FinalizeEx() < 0;
}

static int main_of_lives(int argc, char **argv, char **environment)
{
    (void)environment;
    unsetenv("LD_PRELOAD");
    for (int life = 0; life < 3; life++) {
        char number[] = {(char)('0' + life), '\0'};
        if (argc != 2 || live(argv[0], argv[1], number) != 0) {
            return 1;
        }
    }
    return 0;
}

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

/* Called by the executable's entry point (glibc). */
int __libc_start_main(main_function *original, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    start_function *real = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    main_function *ours = &Py_InitializeFromConfig == NULL ? original : main_of_lives;
    return real(ours, argc, argv, init, fini, rtld_fini, stack_end);
}
