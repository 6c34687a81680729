"""What there is to say of a column."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Summary:
    """A column in a few numbers."""

    count: int
    mean: float
    median: float


def summarise(column):
    """The summary of a column of numbers, None of one of texts."""
    if not column or isinstance(column[0], str):
        return None
    return Summary(len(column), statistics.fmean(column), statistics.median(column))
