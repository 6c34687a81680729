#!/bin/sh
# Builds CPython with its own Makefile and with frozen modules, edits the library and runs `make` again. $SOURCE is CPython's
# source tree, $FLASHFREEZE_HOME is the directory of Makefile.inc, and $CONFIGURE_ARGS are passed to CPython's configure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-$here/build}
FLASHFREEZE_HOME=${FLASHFREEZE_HOME:-$(cd "$here/../.." && pwd)}
JOBS=${JOBS:-2}
DECODER=$SOURCE/Lib/json/decoder.py
export FLASHFREEZE_HOME

mkdir -p "$BUILD"
cd "$BUILD"
test -f Makefile || "$SOURCE/configure" ${CONFIGURE_ARGS:-} >configure.log
cp "$here/GNUmakefile" GNUmakefile
make -s -j"$JOBS" >make.log

run="make -s -f Makefile -f - run" # RUNSHARED: the path of a shared libpython that is not installed
try() {
    printf 'run: ; @$(RUNSHARED) ./$(BUILDPYTHON) -c "$$CODE"\n' | CODE=$1 $run
}
actions() {
    grep -E '^(compile|generate|cc):' make.log | sed 's/  .*//' | tr '\n' ' '
}

try 'import _flashfreeze as f; print("frozen:", f.info()["active"])'
if make -q freeze-startup; then echo 'up to date'; fi

cp "$DECODER" flashfreeze/decoder.py
# The original is restored with a new timestamp, so that make notices.
trap 'cp "$BUILD/flashfreeze/decoder.py" "$DECODER"' EXIT
printf '\nEDITED = "edited"\n' >> "$DECODER"
make -j"$JOBS" >make.log
echo "one statement: $(actions)"
try 'import json.decoder; print(json.decoder.EDITED)'
