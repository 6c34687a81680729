"""The common part of the scripts that compile sources at build time (src/pipeline/prepared): from a JSON file to a JSON file."""

import json
import sys
import warnings


def compile_sources(compiled, *errors):
    """Writes the results of `compiled` for the sources of the request into the answer (the script's arguments name both files), without
    those for which it gives None, warns, fails with one of the errors, or exceeds a limit of the interpreter."""
    warnings.simplefilter("error")
    found = []
    answer, request = sys.argv[1:]
    with open(request, encoding="utf-8") as file:
        sources = json.load(file)
    for entry in sources:
        try:
            found.append(compiled(entry))
        except (MemoryError, OverflowError, RecursionError, ValueError, Warning, *errors):
            pass
    # Into a file: standard output belongs to what others print.
    with open(answer, "w", encoding="ascii") as file:
        json.dump([entry for entry in found if entry is not None], file)
