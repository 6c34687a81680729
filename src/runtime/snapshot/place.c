/* Where the snapshot lies in this file: Flashfreeze writes it here after the link. In a file of its own, so that the compiler knows
 * it nowhere. */
#include FF_LAYOUT

#include "restore.h"

const ff_snapshot_place ff_place = {"flashfreeze at ", 0, 0};
