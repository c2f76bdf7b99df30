"""The accumulators of one array layer, beat after beat (spec/arithmetic.md section 2)."""
from dataclasses import dataclass

import numpy as np

from hwsim.engine.result import AccEvent
from hwsim.fixed.formats import Overflow
from hwsim.fixed.narrow import saturate, wrap

# in mode `error` the run stops at the first event, so what is stored after it is never read
OVERFLOW = {Overflow.WRAP: wrap, Overflow.SATURATE: saturate, Overflow.ERROR: wrap}
NEVER = 1 << 62


@dataclass(frozen=True, eq=False)
class Sums:
    """acc: int64 (N,OH,OW,OC) as stored after the last beat; the counters of result.LayerStats."""

    acc: np.ndarray
    events: int
    first: AccEvent | None
    observed_min: np.ndarray
    observed_max: np.ndarray


def accumulate(layer, bias, image, beats, datapath):
    """The Sums of a layer whose `beats` yield ((ky, kx, cit, word), tree), tree int64 (N,OH,OW,OC), in issue order.

    image: (N, OH, OW). cit is None for depthwise beats, whose input tile is the output's own.
    """
    fmt, overflow = datapath.acc_format, OVERFLOW[datapath.acc_mode]
    stored = np.broadcast_to(bias, (*image, len(bias)))
    exact, low, high = stored, NEVER, -NEVER
    first_beat, first_value = np.full(stored.shape, NEVER), np.zeros(stored.shape, np.int64)
    events, addresses = 0, []
    for address, tree in beats:
        exact = exact + tree
        low, high = np.minimum(low, exact), np.maximum(high, exact)
        total = stored + tree
        outside = (total < fmt.min) | (total > fmt.max)
        events += int(outside.sum())
        fresh = outside & (first_beat == NEVER)
        first_beat[fresh], first_value[fresh] = len(addresses), total[fresh]
        addresses.append(address)
        stored = overflow(total, fmt)
    first = _first(layer, first_beat, first_value, addresses, datapath.tm) if events else None
    return Sums(stored, events, first, low.min((0, 1, 2)), high.max((0, 1, 2)))


def _first(layer, beat, value, addresses, tm):
    """The event that the array meets first: image, then output tile, row, column, beat, lowest output channel."""
    images, rows, cols, channels = beat.shape
    for n in range(images):
        for cot in range(-(-channels // tm)):
            for oy in range(rows):
                for ox in range(cols):
                    tile = beat[n, oy, ox, cot * tm:(cot + 1) * tm]
                    if tile.min() < NEVER:
                        oc = cot * tm + int(tile.argmin())
                        ky, kx, cit, word = addresses[tile.min()]
                        return AccEvent(layer, n, cot, oy, ox, oc, ky, kx, cot if cit is None else cit, word,
                                        int(value[n, oy, ox, oc]))
    return None
