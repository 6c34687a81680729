/* Who watches what an ordinary import does that ours does not: those see the ordinary one. */
#include FF_LAYOUT

#include "flashfreeze.h"

static int has_audit_hooks(const PyInterpreterState *interpreter)
{
#if PY_VERSION_HEX >= 0x030c0000
    return _PyRuntime.audit_hooks.head != NULL || interpreter->audit_hooks != NULL;
#else
    return _PyRuntime.audit_hook_head != NULL || interpreter->audit_hooks != NULL;
#endif
}

/* Code watchers want to hear of every code object that is created (Include/cpython/code.h, from 3.12 on). */
static int has_code_watchers(const PyInterpreterState *interpreter)
{
#if PY_VERSION_HEX >= 0x030c0000
    return interpreter->active_code_watchers != 0;
#else
    (void)interpreter;
    return 0;
#endif
}

/* Tracers, profilers and tools of sys.monitoring (from 3.12 on) see functions being called. */
int ff_is_traced(const PyInterpreterState *interpreter)
{
    const PyThreadState *thread = PyThreadState_Get();
    if (thread->c_tracefunc != NULL || thread->c_profilefunc != NULL) {
        return 1;
    }
#if PY_VERSION_HEX >= 0x030c0000
    for (size_t i = 0; i < sizeof(interpreter->monitors.tools); i++) {
        if (interpreter->monitors.tools[i] != 0) {
            return 1;
        }
    }
#else
    (void)interpreter;
#endif
    return 0;
}

/* Whether it makes a difference that nothing is read, and that importlib does nothing: an audit hook hears of each file
 * that is opened, and -v prints it. */
int ff_is_import_observed(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return has_audit_hooks(interpreter) || has_code_watchers(interpreter) || ff_is_traced(interpreter) ||
           _Py_GetConfig()->verbose != 0;
}

/* Whether somebody hears of each text that is compiled. */
int ff_is_audited(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return has_audit_hooks(interpreter) || has_code_watchers(interpreter);
}
