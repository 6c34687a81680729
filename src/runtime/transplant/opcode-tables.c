/* CPython's tables of instructions, which its executable does not export: its headers have them. */
#define NEED_OPCODE_TABLES 1   /* Include/internal/pycore_opcode.h */
#define NEED_OPCODE_METADATA 1 /* Include/internal/pycore_opcode_metadata.h */
#include FF_LAYOUT

#include "flashfreeze.h"

#if FF_SNAPSHOT_STATE >= 311
#if __has_include("internal/pycore_opcode_metadata.h")
#include "internal/pycore_opcode_metadata.h"
#endif
#if __has_include("internal/pycore_opcode.h")
#include "internal/pycore_opcode.h"
#endif
#endif
