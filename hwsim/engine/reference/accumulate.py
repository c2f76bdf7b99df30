"""The accumulators of one array layer, beat after beat (spec/arithmetic.md section 2)."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.engine.result import AccEvent
from hwsim.fixed.formats import Datapath, Overflow
from hwsim.fixed.narrow import saturate, wrap

# in mode `error` the run stops at the first event, so what is stored after it is never read
OVERFLOW = {Overflow.WRAP: wrap, Overflow.SATURATE: saturate, Overflow.ERROR: wrap}
NEVER = 1 << 62

Address = tuple[int, int, int | None, int]  # ky, kx, cit, word; cit None: the input tile is the output's own (depthwise)
Beats = Iterable[tuple[Address, np.ndarray]]  # in issue order, each with its adder tree's sums, int64 (N,OH,OW,OC)


@dataclass(frozen=True, eq=False)
class Sums:
    """acc: int64 (N,OH,OW,OC) as stored after the last beat; the counters of result.LayerStats."""

    acc: np.ndarray
    events: int
    first: AccEvent | None
    observed_min: np.ndarray
    observed_max: np.ndarray


def accumulate(layer: str, bias: np.ndarray, image: tuple[int, int, int], beats: Beats, datapath: Datapath) -> Sums:
    """The Sums of an array layer: its bias int64 (OC) plus its beats, one after the other. image: (N, OH, OW)."""
    fmt, overflow = datapath.acc_format, OVERFLOW[datapath.acc_mode]
    stored = np.broadcast_to(bias, (*image, len(bias)))
    exact, low, high = stored, np.full(stored.shape, NEVER), np.full(stored.shape, -NEVER)
    first_beat, first_value = np.full(stored.shape, NEVER), np.zeros(stored.shape, np.int64)
    events, addresses = 0, list[Address]()
    for address, tree in beats:
        # two sums side by side: `exact` is never wrapped and gives the extremes that monitoring reports; `stored` is the device's
        # register, and an event is its sum with a tree that left the range before the overflow rule
        exact = exact + tree
        low, high = np.minimum(low, exact), np.maximum(high, exact)
        total = stored + tree
        outside = (total < fmt.min) | (total > fmt.max)
        events += int(outside.sum())
        # beats come in issue order, so the first one with an event per output is kept and later ones do not replace it
        earliest = outside & (first_beat == NEVER)
        first_beat[earliest], first_value[earliest] = len(addresses), total[earliest]
        addresses.append(address)
        stored = overflow(total, fmt)
    first = _first(layer, first_beat, first_value, addresses, datapath.tm) if events else None
    return Sums(acc=stored, events=events, first=first, observed_min=low.min((0, 1, 2)), observed_max=high.max((0, 1, 2)))


def _first(layer: str, beat: np.ndarray, value: np.ndarray, addresses: Sequence[Address], tm: int) -> AccEvent | None:
    """The event that the array meets first: image, then output tile, row, column, beat, lowest output channel.

    beat, value (N,OH,OW,OC): the number of each output's first beat with an event, NEVER where it has none, and its sum.
    """
    images, rows, cols, channels = beat.shape
    for n in range(images):
        for cot in range(-(-channels // tm)):
            for oy in range(rows):
                for ox in range(cols):
                    # within one pixel of a tile the earliest beat comes first, and argmin takes the lowest channel among equals
                    tile = beat[n, oy, ox, cot * tm:(cot + 1) * tm]
                    if tile.min() < NEVER:
                        oc = cot * tm + int(tile.argmin())
                        ky, kx, cit, word = addresses[tile.min()]
                        return AccEvent(layer=layer, n=n, cot=cot, oy=oy, ox=ox, oc=oc, ky=ky, kx=kx,
                                        cit=cot if cit is None else cit, word=word, value=int(value[n, oy, ox, oc]))
    return None
