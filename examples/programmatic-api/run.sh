#!/bin/sh
# Runs a Node.js program that calls flashfreeze. It imports the package, so that has to be in node_modules, here or in a
# directory above: `npm install flashfreeze-0.1.0.tgz` with the package that `npm pack` makes.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-$(command -v python3)}
BUILD=${BUILD:-$PWD/build}

node freeze.mjs "$PYTHON" "$BUILD/python"
"$BUILD/python" -c 'import json, _flashfreeze; print("frozen:", _flashfreeze.is_static(json.loads.__code__))'
