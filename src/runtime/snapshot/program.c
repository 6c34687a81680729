/* The program that the executable is (--entry): all arguments are its own. Its Python is another executable, for programs that
 * run sys.executable. It runs as CPython runs a command, a module or a script, but for sys.argv[0], which is the path of this executable, and
 * for sys.path[0], which is never the working directory. */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sys.path[0] is what this file puts there (Modules/main.c, pymain_run_python()). */
void ff_leave_path_alone(void)
{
    ((PyConfig *)_PyInterpreterState_GetConfig(PyInterpreterState_Get()))->FF_LEAVE_PATH_ALONE = 1;
}

/* Once in a process of its own, after Python has started: the directory of a script is the first on sys.path. */
int ff_begin_program(void)
{
    char path[PATH_MAX];
    if (ff_program.kind != FF_ENTRY_SCRIPT || realpath(ff_program.text, path) == NULL) {
        return 0;
    }
    char *slash = strrchr(path, '/');
    PyObject *folders = PySys_GetObject("path");
    PyObject *folder = PyUnicode_DecodeFSDefaultAndSize(path, slash == path ? 1 : slash - path);
    int status = folder == NULL || folders == NULL || !PyList_Check(folders) ? -1 : PyList_Insert(folders, 0, folder);
    Py_XDECREF(folder);
    return status;
}

/* The Python that an interpreter with this configuration is. */
PyStatus ff_name_program(PyConfig *config)
{
    config->parse_argv = 0;
    return PyConfig_SetBytesString(config, &config->program_name, ff_program.python);
}

/* The ordinary start, as Py_BytesMain(). */
int ff_run_program(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = ff_name_program(&config);
    if (!PyStatus_Exception(status)) {
        ff_command_line line = ff_read_command_line(argc, argv);
        status = ff_configure(&config, &line, argc, argv) < 0 ? PyStatus_NoMemory() : Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    if (ff_begin_program() < 0) {
        PyErr_Print();
        Py_Exit(1);
    }
    ff_leave_path_alone();
    return Py_RunMain();
}
