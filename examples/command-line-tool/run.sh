#!/bin/sh
# Freezes the tool with everything it imports, and runs it.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-$(command -v python3)}
BUILD=${BUILD:-$PWD/build}

# flashfreeze.config.json says what is frozen: whatever two runs of the tool import. What else it may need one day is
# found on disk, as ever.
flashfreeze relink --python "$PYTHON" --out "$BUILD/report-python" --build-dir "$BUILD/work"

# The new interpreter is the old one with more in it: it runs any program.
"$BUILD/report-python" report summary numbers.csv
"$BUILD/report-python" report json numbers.csv
"$BUILD/report-python" report lines numbers.csv
"$BUILD/report-python" -c 'import json, _flashfreeze; print("frozen:", _flashfreeze.is_static(json.loads.__code__))'
