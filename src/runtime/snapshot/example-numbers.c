/* Random numbers in examples of documentation, which imports make and keep as texts, those of names of temporary files, and that from which sympy's dummy symbols
 * count, which are in keys of many tables: each process has others. While a snapshot is made they come from the seed of string hashes, so that two dumps have the same; a start has those of
 * the build. Nobody reads numbers there that have to be its own: what counts on counts from another number (prepare_dump.py, indices_of_sympy()). */
#include FF_LAYOUT

#include "restore.h"
#include "versions.h"

#include <string.h>

/* Functions that draw such numbers, and what their file's path ends with. */
static const struct {
    const char *function, *file;
} WRITERS[] = {
    {"_generate_example", "/scipy/stats/_distribution_infrastructure.py"}, /* results of X.sample() that "may vary" */
    {"Dummy", "/sympy/core/symbol.py"}, /* the body of the class */
    {"rng", "/tempfile.py"},            /* of _RandomNameSequence: tables have had the names, which the program draws anew */
};

static int is_writer(const PyCodeObject *code)
{
    for (size_t i = 0; i < sizeof(WRITERS) / sizeof(WRITERS[0]); i++) {
        size_t length = strlen(WRITERS[i].file), size = (size_t)PyUnicode_GET_LENGTH(code->co_filename);
        if (PyUnicode_CompareWithASCIIString(code->co_name, WRITERS[i].function) == 0 && size >= length &&
            PyUnicode_IS_ASCII(code->co_filename) &&
            memcmp((const char *)PyUnicode_1BYTE_DATA(code->co_filename) + size - length, WRITERS[i].file, length) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether random numbers are drawn for one. CPython draws them without the GIL. */
int ff_is_for_example(void)
{
    const PyThreadState *thread = PyGILState_GetThisThreadState();
    for (FF_FRAME *frame = thread == NULL ? NULL : FF_FIRST_FRAME(thread); frame != NULL; frame = FF_FRAME_BEFORE(frame)) {
        const PyCodeObject *code = FF_CODE_OF_FRAME(frame);
        if (code != NULL && is_writer(code)) {
            return 1;
        }
    }
    return 0;
}
