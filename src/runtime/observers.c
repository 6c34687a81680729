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

/* Whether it makes a difference that nothing is read: an audit hook hears of each file that is opened, and -v prints it. */
int ff_is_import_observed(void)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return has_audit_hooks(interpreter) || has_code_watchers(interpreter) || _Py_GetConfig()->verbose != 0;
}
