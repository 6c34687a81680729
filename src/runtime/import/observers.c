/* Who watches what an ordinary import does that ours does not: those see the ordinary one. */
#include FF_LAYOUT

#include "flashfreeze.h"

#if FF_OBSERVERS == 0
/* Nobody has looked at who could watch in this version. */
int ff_is_traced(const PyInterpreterState *interpreter)
{
    (void)interpreter;
    return 1;
}

int ff_is_import_observed(void)
{
    return 1;
}

int ff_is_audited(void)
{
    return 1;
}
#else
static int has_audit_hooks(const PyInterpreterState *interpreter)
{
#if FF_OBSERVERS >= 312
    return _PyRuntime.audit_hooks.head != NULL || interpreter->audit_hooks != NULL;
#else
    return _PyRuntime.audit_hook_head != NULL || interpreter->audit_hooks != NULL;
#endif
}

/* Code watchers want to hear of every code object that is created (Include/cpython/code.h, since 3.12). */
static int has_code_watchers(const PyInterpreterState *interpreter)
{
#if FF_OBSERVERS >= 312
    return interpreter->active_code_watchers != 0;
#else
    (void)interpreter;
    return 0;
#endif
}

/* Whether somebody runs all frames in the place of the interpreter (PEP 523): debuggers, compilers. */
static int has_frame_evaluator(const PyInterpreterState *interpreter)
{
    static _PyFrameEvalFunction usual; /* the first one: nobody has replaced it before anything is imported */
    _PyFrameEvalFunction current = _PyInterpreterState_GetEvalFrameFunc((PyInterpreterState *)interpreter);
    if (usual == NULL) {
        usual = current;
    }
    return current != usual;
}

/* Tracers, profilers, tools of sys.monitoring (since 3.12) and evaluators of frames see functions being called. */
int ff_is_traced(const PyInterpreterState *interpreter)
{
    const PyThreadState *thread = PyThreadState_Get();
    if (thread->c_tracefunc != NULL || thread->c_profilefunc != NULL || has_frame_evaluator(interpreter)) {
        return 1;
    }
#if FF_OBSERVERS >= 312
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
#endif
