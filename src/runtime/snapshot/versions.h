/* What differs between the CPython versions that snapshots support. Each line was compared with the files named. Where a function or a
 * field is missing, the files of this directory test the fact themselves. */
#ifndef FLASHFREEZE_SNAPSHOT_VERSIONS_H
#define FLASHFREEZE_SNAPSHOT_VERSIONS_H

#if FF_SNAPSHOT_STATE >= 311
#include "internal/pycore_frame.h"
#define FF_LOCAL_OF_FRAME(frame, i) (frame)->localsplus[i] /* Include/internal/pycore_frame.h */
#define FF_FRAME_BEFORE(frame) (frame)->previous           /* the same */
#define FF_LEAVE_PATH_ALONE safe_path                      /* Include/cpython/initconfig.h, Modules/main.c */
#else
#include "frameobject.h"
#define FF_LOCAL_OF_FRAME(frame, i) (frame)->f_localsplus[i] /* Include/cpython/frameobject.h */
#define FF_FRAME_BEFORE(frame) (frame)->f_back               /* the same */
#define FF_LEAVE_PATH_ALONE isolated                         /* Modules/main.c, pymain_run_python(): sys.flags was made before */
#endif

#if FF_SNAPSHOT_STATE >= 312

#define FF_THREAD_KEY _PyRuntime.autoTSSkey                 /* Include/internal/pycore_runtime.h */
#define FF_EXIT_FUNCTIONS _PyRuntime.atexit.callbacks       /* Include/internal/pycore_atexit.h */
#define FF_EXIT_FUNCTION_COUNT _PyRuntime.atexit.ncallbacks /* the same */
#define FF_OPCODE(unit) (unit).op.code                      /* Include/internal/pycore_code.h, _Py_CODEUNIT */
#define FF_OPARG(unit) (unit).op.arg
#define FF_TYPE_CACHE PyInterpreterState_Get()->types.type_cache /* Include/internal/pycore_typeobject.h */
#define FF_IS_MONITORED(code) ((code)->_co_monitoring != NULL) /* the same */
#define FF_IS_IMMORTAL(object) _Py_IsImmortal(object)          /* Include/object.h */
#define FF_DIGIT_COUNT(number) ((Py_ssize_t)(((PyLongObject *)(number))->long_value.lv_tag >> 3)) /* Include/cpython/longintrepr.h */
#define FF_DIGITS(number) ((PyLongObject *)(number))->long_value.ob_digit
/* Blocks that belong to no arena: sys.getallocatedblocks() (Objects/obmalloc.c). */
#define FF_SET_BLOCK_COUNT(count) (FF_OBMALLOC->mgmt.raw_allocated_blocks = (count))

#else

#define FF_THREAD_KEY _PyRuntime.gilstate.autoTSSkey /* Include/internal/pycore_runtime.h */
#define FF_EXIT_FUNCTIONS _PyRuntime.exitfuncs       /* the same */
#define FF_EXIT_FUNCTION_COUNT _PyRuntime.nexitfuncs /* the same */
#define FF_OPCODE(unit) _Py_OPCODE(unit)             /* Include/cpython/code.h */
#define FF_OPARG(unit) _Py_OPARG(unit)
#define FF_TYPE_CACHE PyInterpreterState_Get()->type_cache /* Include/internal/pycore_interp.h */
#define FF_IS_MONITORED(code) 0
#define FF_IS_IMMORTAL(object) 0
#define FF_DIGIT_COUNT(number) Py_ABS(Py_SIZE(number)) /* Include/cpython/longintrepr.h */
#define FF_DIGITS(number) ((PyLongObject *)(number))->ob_digit
/* The variable is static: _Py_GetAllocatedBlocks() is wrapped (allocation.c). */
#define FF_SET_BLOCK_COUNT(count) (ff_block_count = (count))

#endif

#if FF_SNAPSHOT_STATE >= 313

#include "internal/pycore_freelist.h"
#include "internal/pycore_opcode_metadata.h"
#include "internal/pycore_weakref.h"
#include "opcode_ids.h"

#define FF_OBMALLOC PyInterpreterState_Get()->obmalloc /* Include/internal/pycore_interp.h */
/* An instruction that is replaced at its first run (Python/bytecodes.c, RESUME). */
#define FF_IS_FIRST_RUN(now, original) ((now) == RESUME_CHECK && (original) == RESUME)
#define FF_IS_COMPILED(code) ((code)->co_executors != NULL) /* Include/cpython/code.h */
#define FF_CURRENT_THREAD() PyThreadState_GetUnchecked()    /* Include/cpython/pystate.h */
#define FF_FRAME struct _PyInterpreterFrame            /* Include/internal/pycore_frame.h */
#define FF_FIRST_FRAME(thread) (thread)->current_frame /* Include/cpython/pystate.h */
#define FF_CODE_OF_FRAME(frame) (PyCode_Check((frame)->f_executable) ? (PyCodeObject *)(frame)->f_executable : NULL)
/* Also the pointers to blocks that are no longer in a list (Include/internal/pycore_freelist.h). */
static inline void ff_clear_free_lists(void)
{
    struct _Py_object_freelists *lists = &PyInterpreterState_Get()->object_state.freelists;
    _PyObject_ClearFreeLists(lists, 0);
    memset(lists, 0, sizeof(*lists));
}

#else

#define FF_OBMALLOC (&PyInterpreterState_Get()->obmalloc) /* Include/internal/pycore_interp.h */
#define FF_IS_FIRST_RUN(now, original) 0
#define FF_IS_COMPILED(code) 0
#define FF_CURRENT_THREAD() _PyThreadState_UncheckedGet() /* Include/cpython/pystate.h */
#define FF_CODE_OF_FRAME(frame) (frame)->f_code
#define _Py_FROM_GC(head) ((PyObject *)((PyGC_Head *)(head) + 1)) /* Modules/gcmodule.c, FROM_GC() */
/* What they were: a collection has emptied them. */
static inline void ff_clear_free_lists(void)
{
    PyInterpreterState *state = PyInterpreterState_Get();
    int lists = state->list.numfree, dicts = state->dict_state.numfree, keys = state->dict_state.keys_numfree;
    memset(state->list.free_list + lists, 0, sizeof(state->list.free_list) - (size_t)lists * sizeof(state->list.free_list[0]));
    memset(state->dict_state.free_list + dicts, 0, sizeof(state->dict_state.free_list) - (size_t)dicts * sizeof(state->dict_state.free_list[0]));
    memset(state->dict_state.keys_free_list + keys, 0,
           sizeof(state->dict_state.keys_free_list) - (size_t)keys * sizeof(state->dict_state.keys_free_list[0]));
}
#if FF_SNAPSHOT_STATE >= 311
#define FF_FRAME _PyInterpreterFrame                           /* Include/internal/pycore_frame.h */
#define FF_FIRST_FRAME(thread) (thread)->cframe->current_frame /* Include/cpython/pystate.h */
extern const uint8_t _PyOpcode_Caches[256];                    /* Include/internal/pycore_opcode.h */
extern const uint8_t _PyOpcode_Deopt[256];
#else
#define FF_FRAME PyFrameObject                 /* Include/cpython/frameobject.h */
#define FF_FIRST_FRAME(thread) (thread)->frame /* Include/cpython/pystate.h */
#endif

#endif

/* The exception that is on its way, as one object. */
static inline PyObject *ff_take_error(void)
{
    ff_exception taken = ff_take_exception();
#if FF_HAS_RAISED_EXCEPTION
    return taken;
#else
    PyErr_NormalizeException(&taken.type, &taken.value, &taken.traceback);
    Py_XDECREF(taken.type);
    Py_XDECREF(taken.traceback);
    return taken.value;
#endif
}

#endif
