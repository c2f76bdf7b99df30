"""What a run of an integer network hands back, the same from every engine, and how the counters of parts are merged."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value")


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

    def on_channels(self, channels: slice, count: int) -> LayerStats:
        """The same counters where this part fills `channels` of a node's `count`: no sum of the others was seen."""
        if self.observed_min is None or self.observed_max is None:
            return self
        ends = np.iinfo(np.int64)
        low, high = np.full(count, ends.max), np.full(count, ends.min)
        low[channels], high[channels] = self.observed_min, self.observed_max
        return replace(self, observed_min=low, observed_max=high)


def merge(parts: Sequence[LayerStats], order: Callable[[AccEvent], Any] | None = None) -> LayerStats:
    """The counters of several parts of one node together: its array layers, its bands of rows, or the samples of a set.

    Counts add up, extremes join; a counter that some part lacks is None. `first` is the least of the first events by `order`;
    without one the parts are in the order of the array, and it is that of the first part that has one.
    Every engine may use it: it is part of what LayerStats means, and no arithmetic of a layer.
    """
    events = [part.first for part in parts if part.first is not None]
    first = min(events, key=order) if order and len(events) > 1 else next(iter(events), None)
    return LayerStats(events=_join(sum, [part.events for part in parts]), first=first,
                      observed_min=_join(_least, [part.observed_min for part in parts]),
                      observed_max=_join(_most, [part.observed_max for part in parts]),
                      clamped=_join(sum, [part.clamped for part in parts]))


def _join(join: Callable[[list[Value]], Value], values: list[Value | None]) -> Value | None:
    """join() of the values, None if one is not there."""
    there = [value for value in values if value is not None]
    return join(there) if len(there) == len(values) else None


def _least(values: list[np.ndarray]) -> np.ndarray:
    return reduce(np.minimum, values)


def _most(values: list[np.ndarray]) -> np.ndarray:
    return reduce(np.maximum, values)


@dataclass(frozen=True, eq=False)
class Result:
    """tensors: name -> int32 codes, N first: the graph's outputs and whatever was asked for by name (dump)."""

    outputs: tuple[str, ...]
    tensors: Mapping[str, np.ndarray]
    stats: Mapping[str, LayerStats]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.tensors[name]
