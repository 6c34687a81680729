/* Functions of CPython that the snapshot needs, and that an executable may keep to itself: those that it exports come first. */
#include FF_LAYOUT

#include "flashfreeze.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>

#if FF_SNAPSHOT_STATE >= 313
#include "internal/pycore_freelist.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pylifecycle.h"
#include "internal/pycore_pystate.h"

/* Python/pystate.c. */
__attribute__((weak)) const PyConfig *_PyInterpreterState_GetConfig(PyInterpreterState *interpreter)
{
    return &interpreter->config;
}

__attribute__((weak)) int _PyThreadState_IsRunningMain(PyThreadState *thread)
{
    return _Py_atomic_load_ptr_relaxed(&thread->interp->threads.main) == thread;
}

/* Objects/object.c. A collection of all generations does it (Python/gc.c, gc_collect_main()). */
__attribute__((weak)) void _PyObject_ClearFreeLists(struct _Py_object_freelists *Py_UNUSED(lists), int Py_UNUSED(is_finalization))
{
    (void)PyGC_Collect();
}

/* Python/pylifecycle.c: the first locale of UTF-8 that there is takes the place of C. */
__attribute__((weak)) int _Py_CoerceLegacyLocale(int Py_UNUSED(warn))
{
    static const char *const names[] = {"C.UTF-8", "C.utf8", "UTF-8"};
    const char *all = getenv("LC_ALL");
    if (all != NULL && *all != '\0') {
        return 0;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (setlocale(LC_CTYPE, names[i]) == NULL) {
            continue;
        }
        const char *codeset = nl_langinfo(CODESET);
        (void)setlocale(LC_ALL, "");
        if (codeset != NULL && *codeset != '\0' && setenv("LC_CTYPE", names[i], 1) == 0) {
            (void)setlocale(LC_ALL, "");
            return 1;
        }
    }
    return 0;
}
#endif
