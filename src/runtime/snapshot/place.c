/* Where the snapshot lies in this file, and what program it is: Flashfreeze writes it here after the link. In a file of its own, so
 * that the compiler knows it nowhere. */
#include FF_LAYOUT

#include "restore.h"

const ff_snapshot_place ff_place = {"flashfreeze at ", 0, 0, 0, 0};
const ff_program_entry ff_program = {"flashfreeze run", FF_ENTRY_NONE, "", ""};
