"""What a run of an integer network hands back, the same from every engine."""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AccEvent:
    """The first accumulator overflow of a layer: its address in issue order and the exact sum that left the range.

    `layer` is the array layer's name with its suffix (.g0, .p01); cot, oy, ox, oc, ky, kx, cit count within that layer; n: image.
    """

    layer: str
    n: int
    cot: int
    oy: int
    ox: int
    oc: int
    ky: int
    kx: int
    cit: int
    word: int
    value: int


@dataclass(frozen=True, eq=False)
class LayerStats:
    """Counters of one node; None where they were not asked for (monitor=False) or do not apply.

    events:   (beat, output channel) pairs whose exact sum, stored accumulator plus tree, left the accumulator (array nodes)
    first:    the first of them
    observed_min, observed_max: int64 (OC): extremes of the exact partial sums after each beat, never wrapped or clipped
    clamped:  outputs that the final clamp changed (every node with lo and hi)
    """

    events: int | None = None
    first: AccEvent | None = None
    observed_min: np.ndarray | None = None
    observed_max: np.ndarray | None = None
    clamped: int | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """tensors: name -> int32 codes, N first: the graph's outputs and whatever was asked for by name (dump)."""

    outputs: tuple[str, ...]
    tensors: Mapping[str, np.ndarray]
    stats: Mapping[str, LayerStats]

    def __getitem__(self, name):
        return self.tensors[name]
