#!/bin/sh
# Freezes the tool with everything it imports, and runs it.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-$(command -v python3)}
BUILD=${BUILD:-$PWD/build}

# flashfreeze.config.json selects what two runs of the tool import. Any other module that the tool imports is loaded from
# disk.
flashfreeze relink --python "$PYTHON" --out "$BUILD/report-python" --build-dir "$BUILD/work"

# The new interpreter runs any program that the old one runs.
"$BUILD/report-python" report summary numbers.csv
"$BUILD/report-python" report json numbers.csv
"$BUILD/report-python" report lines numbers.csv
"$BUILD/report-python" -c 'import json, _flashfreeze; print("frozen:", _flashfreeze.is_static(json.loads.__code__))'
