#!/bin/sh
# Builds CPython with the modules of `import json` frozen, edits the library, and builds again. $SOURCE is CPython's source tree.
set -eu
cd "$(dirname "$0")"
BUILD=${BUILD:-$PWD/build}
DECODER=$SOURCE/Lib/json/decoder.py

build() {
    flashfreeze build --source "$SOURCE" --build-dir "$BUILD" --startup --trace '-c "import json"' --json 2>/dev/null |
        tail -n 1 | sed 's/.*"executed":\[\([^]]*\)\].*/executed: \1/'
}
try() {
    "$BUILD/cpython/python-frozen" -c 'import json; print(json.loads("[1]"), getattr(json.decoder, "EDITED", "unchanged"))'
}

cp -p "$DECODER" "$BUILD.decoder"
trap 'cp -p "$BUILD.decoder" "$DECODER"; rm "$BUILD.decoder"' EXIT

build >/dev/null
echo "no edit: $(build)"
try
printf '\nEDITED = "edited"\n' >> "$DECODER"
echo "one statement: $(build)"
try
printf '# a comment at the end\n' >> "$DECODER"
echo "a comment: $(build)"
