"""Values while a query is evaluated."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.emulator.promql.syntax import Grouping

Key = tuple[tuple[str, str], ...]
EXACT = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series at one moment; `stamp` is when its value was taken, unix seconds."""

    labels: Mapping[str, str]
    value: float
    stamp: float

    @property
    def key(self) -> Key:
        """All labels but the name, in order: what tells series apart once a name has lost its meaning."""
        return tuple(sorted((label, text) for label, text in self.labels.items() if label != "__name__"))

    def unnamed(self, value: float) -> "Sample":
        """Another value computed from this one, which has no name any more."""
        return Sample(labels=dict(self.key), value=value, stamp=self.stamp)


Vector = list[Sample]
Value = float | Vector
Ranges = dict[Key, list[tuple[float, float]]]


def group_of(sample: Sample, grouping: Grouping) -> Key:
    """The labels that remain of a sample: those named, or all but those."""
    return tuple(pair for pair in sample.key if (pair[0] in grouping.labels) is grouping.keep)


def written(value: float) -> str:
    """A number as Prometheus writes it: `5`, `0.5`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
