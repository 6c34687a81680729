"""The common part of the scripts that compile sources at build time (src/pipeline/prepared): from a JSON file to a JSON file."""

import warnings

from request_files import answer_with, read_request


def compile_sources(compiled, *errors):
    """Answers with the results of `compiled` for the sources of the request, without those for which it gives None, warns,
    fails with one of the errors, or exceeds a limit of the interpreter."""
    warnings.simplefilter("error")
    found = []
    for entry in read_request():
        try:
            found.append(compiled(entry))
        except (MemoryError, OverflowError, RecursionError, ValueError, Warning, *errors):
            pass
    answer_with([entry for entry in found if entry is not None])
