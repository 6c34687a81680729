/* What the user says: -X flashfreeze=…, else FLASHFREEZE, where Python heeds its own variables. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <wchar.h>

static ff_switch read_word(const char *word, const char *where)
{
    static const struct {
        const char *word;
        ff_switch value;
    } words[] = {{"off", FF_OFF},      {"no", FF_OFF},  {"n", FF_OFF},   {"false", FF_OFF}, {"f", FF_OFF},
                 {"0", FF_OFF},        {"none", FF_OFF}, {"never", FF_OFF}, {"disable", FF_OFF}, {"disabled", FF_OFF},
                 {"check", FF_CHECK},  {"on", FF_ON},   {"yes", FF_ON},  {"y", FF_ON},     {"true", FF_ON},
                 {"t", FF_ON},         {"1", FF_ON},    {"enable", FF_ON}, {"enabled", FF_ON}, {"", FF_UNSET},
                 {"fast-exit", FF_UNSET}, {"no-fast-exit", FF_UNSET},
                 {"no-snapshot", FF_UNSET}}; /* snapshot/: any value means an ordinary start */
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(words[i].word, word) == 0) {
            return words[i].value;
        }
    }
    /* sys.stderr may not be there yet. */
    fprintf(stderr, "flashfreeze: unknown value of %s: expected off, on or check. Images are not used\n", where);
    return FF_MISSPELT;
}

/* The word of the user, "" without one, and where it stands. One that is too long for `word` is "?". */
static const char *find_word(const PyConfig *config, char *word, size_t size)
{
    for (Py_ssize_t i = config->xoptions.length; --i >= 0;) { /* the last one counts, as in sys._xoptions */
        const wchar_t *option = config->xoptions.items[i];
        if (wcsncmp(option, L"flashfreeze=", 12) == 0) {
            int length = snprintf(word, size, "%ls", option + 12);
            if (length < 0 || (size_t)length >= size) {
                snprintf(word, size, "?");
            }
            return "-X flashfreeze";
        }
    }
    const char *variable = config->use_environment ? getenv("FLASHFREEZE") : NULL;
    if ((size_t)snprintf(word, size, "%s", variable == NULL ? "" : variable) >= size) {
        snprintf(word, size, "?");
    }
    return "FLASHFREEZE";
}

/* Called once. */
ff_switch ff_read_switch(const PyConfig *config)
{
    char word[16];
    const char *where = find_word(config, word, sizeof(word));
    return read_word(word, where);
}

/* Whether the process ends as fast-exit.c does it. */
int ff_wants_fast_exit(const PyConfig *config)
{
    char word[16];
    (void)find_word(config, word, sizeof(word));
    return strcasecmp(word, "fast-exit") == 0 || (ff_exits_fast && strcasecmp(word, "no-fast-exit") != 0);
}
