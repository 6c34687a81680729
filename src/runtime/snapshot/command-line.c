/* The arguments of a start. Those that choose what is run are all that a restored interpreter takes; any other option of the
 * interpreter needs an ordinary start (Python/initconfig.c, config_parse_cmdline()). */
#include FF_LAYOUT

#include "restore.h"

#include "osdefs.h"

#include <string.h>
#include <unistd.h>

ff_command_line ff_read_command_line(int argc, char **argv)
{
    ff_command_line line = {FF_RUN_STDIN, NULL, argc};
    if (ff_program.kind != FF_ENTRY_NONE) {
        line.kind = ff_program.kind == FF_ENTRY_COMMAND  ? FF_RUN_COMMAND
                    : ff_program.kind == FF_ENTRY_MODULE ? FF_RUN_MODULE
                                                         : FF_RUN_FILE;
        line.text = ff_program.text;
        line.rest = 1;
        return line;
    }
    if (argc < 2) {
        return line;
    }
    const char *first = argv[1];
    if (strncmp(first, "-c", 2) == 0 || strncmp(first, "-m", 2) == 0) {
        int own = first[2] != '\0'; /* -cpass */
        line.text = own ? first + 2 : argc > 2 ? argv[2] : NULL;
        line.rest = own ? 2 : 3;
        line.kind = line.text == NULL ? FF_RUN_OTHER : first[1] == 'c' ? FF_RUN_COMMAND : FF_RUN_MODULE;
    }
    else if (strcmp(first, "-") == 0) {
        line.rest = 2; /* and sys.argv[0] is "-" */
        line.text = "-";
    }
    else if (first[0] == '-') {
        line.kind = FF_RUN_OTHER;
    }
    else {
        line = (ff_command_line){FF_RUN_FILE, first, 2};
    }
    return line;
}

static int set_text(wchar_t **field, const char *text, const char *end)
{
    wchar_t *decoded = Py_DecodeLocale(text, NULL);
    size_t length = decoded == NULL ? 0 : wcslen(decoded), more = strlen(end);
    wchar_t *copy = decoded == NULL ? NULL : PyMem_RawMalloc((length + more + 1) * sizeof(wchar_t));
    if (copy != NULL) {
        wmemcpy(copy, decoded, length);
        for (size_t i = 0; i <= more; i++) {
            copy[length + i] = (wchar_t)end[i];
        }
        *field = copy;
    }
    PyMem_RawFree(decoded);
    return copy == NULL ? -1 : 0;
}

/* Absolute, as config_run_filename_abspath() makes it (Python/initconfig.c; Python/fileutils.c, _Py_abspath()); as it is if the working directory
 * cannot be read. */
static int set_script(wchar_t **field, const char *path)
{
    char directory[MAXPATHLEN];
    if (*path == '/' || getcwd(directory, sizeof(directory)) == NULL) {
        return set_text(field, path, "");
    }
    if (*path == '\0' || strcmp(path, ".") == 0) {
        return set_text(field, directory, "");
    }
    size_t length = strlen(directory), more = strlen(path) + 1;
    char *whole = PyMem_RawMalloc(length + 1 + more);
    int status = -1;
    if (whole != NULL) {
        memcpy(whole, directory, length);
        whole[length] = '/';
        memcpy(whole + length + 1, path, more);
        status = set_text(field, whole, "");
    }
    PyMem_RawFree(whole);
    return status;
}

static int add_word(PyWideStringList *list, const char *text)
{
    wchar_t *word = Py_DecodeLocale(text, NULL);
    int status = word == NULL || PyStatus_Exception(PyWideStringList_Append(list, word)) ? -1 : 0;
    PyMem_RawFree(word);
    return status;
}

static int set_list(PyWideStringList *list, const char *const *first, int count, char **words)
{
    PyWideStringList new = {0, NULL};
    for (; *first != NULL; first++) {
        if (add_word(&new, *first) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        if (add_word(&new, words[i]) < 0) {
            return -1;
        }
    }
    *list = new;
    return 0;
}

/* sys.orig_argv of a program is the command that runs it: programs that start themselves again use it with sys.executable. */
static int set_original(PyConfig *config, const ff_command_line *line, int argc, char **argv)
{
    if (ff_program.kind == FF_ENTRY_NONE) {
        return set_list(&config->orig_argv, (const char *[]){NULL}, argc, argv);
    }
    const char *option = line->kind == FF_RUN_COMMAND ? "-c" : line->kind == FF_RUN_MODULE ? "-m" : NULL;
    const char *const words[] = {ff_program.python, option == NULL ? line->text : option, option == NULL ? NULL : line->text,
                                 NULL};
    return set_list(&config->orig_argv, words, argc - line->rest, argv + line->rest);
}

/* Fills in what CPython would have read from the command line. */
int ff_configure(PyConfig *config, const ff_command_line *line, int argc, char **argv)
{
    int status = 0;
    const char *name = "";
    switch (line->kind) {
    case FF_RUN_COMMAND: /* with a newline at its end, as config_parse_cmdline() has it */
        status = set_text(&config->run_command, line->text, "\n");
        name = "-c";
        break;
    case FF_RUN_MODULE:
        status = set_text(&config->run_module, line->text, "");
        name = "-m";
        break;
    case FF_RUN_FILE:
        status = set_script(&config->run_filename, line->text);
        name = line->text;
        break;
    default:
        name = line->text == NULL ? "" : line->text;
    }
    if (ff_program.kind != FF_ENTRY_NONE && line->kind != FF_RUN_MODULE) {
        name = ff_program_name(argv);
    }
    const char *const first[] = {name, NULL};
    if (status < 0 || set_list(&config->argv, first, argc - line->rest, argv + line->rest) < 0) {
        return -1;
    }
    return set_original(config, line, argc, argv);
}
