#!/bin/sh
# Makes a virtual environment and an overlay for it, and runs the service with the overlay and without.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-$(command -v python3)}
BUILD=${BUILD:-$PWD/build}

"$PYTHON" -m venv --without-pip "$BUILD/venv"
flashfreeze overlay --python "$BUILD/venv/bin/python" --out "$BUILD/overlay" --build-dir "$BUILD/work" \
    --trace 'service.py --self-test'

# From now on, every program in the environment uses the overlay. To undo this, remove the file.
packages=$("$BUILD/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp "$BUILD/overlay/flashfreeze.pth" "$packages/"

"$BUILD/venv/bin/python" service.py --self-test
"$BUILD/venv/bin/python" -c 'import asyncio, _flashfreeze; print("frozen:", _flashfreeze.is_static(asyncio.run.__code__))'
FLASHFREEZE=off "$BUILD/venv/bin/python" service.py --self-test
