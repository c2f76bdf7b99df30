"""Data movement as strided copies: a box is a grid of four axes, each with its stride in the source and in the target."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from math import gcd, prod

import numpy as np

from hwsim.engine.fast.vector import moving
from hwsim.engine.fast.vector.sweep import VALUES, pieces
from hwsim.engine.host.threads import in_order

WIDEST = 8  # bytes that are moved as one integer
SPLIT = (0, 2, 3)  # axes that parts for threads are cut along: j is short, and its values lie near each other


@dataclass(frozen=True)
class Box:
    """counts (rows, j, columns, run) and the strides of these axes in values; at, to: where the box begins.

    The axis `run` holds neighbours in the target, in most moves in the source too.
    """

    counts: tuple[int, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    at: int = 0
    to: int = 0

    def parts(self, size: int) -> list[Box]:
        """Boxes of about `size` values, cut along the first axis that is longer than 1: rows, else columns, else the run."""
        axis = next((a for a in SPLIT if self.counts[a] > 1), 0)
        step = size * self.counts[axis] // prod(self.counts)
        return [self.part(axis, piece) for piece in pieces(self.counts[axis], step)]

    def part(self, axis: int, piece: slice) -> Box:
        """The box of a slice of one axis."""
        counts = (*self.counts[:axis], piece.stop - piece.start, *self.counts[axis + 1:])
        return replace(self, counts=counts, at=self.at + piece.start * self.source[axis],
                       to=self.to + piece.start * self.target[axis])

    def widened(self, most: int) -> tuple[Box, int]:
        """(box, width): as many neighbours as everything is a multiple of, at most `most`, taken as one value."""
        if self.source[3] != 1 or self.target[3] != 1:
            return self, 1
        # every count, stride and place must be a multiple of the width, or a wide value would begin inside another
        width = gcd(most, self.counts[3], *self.source[:3], *self.target[:3], self.at, self.to)
        source, target = ((*(step // width for step in steps[:3]), 1) for steps in (self.source, self.target))
        return Box(counts=(*self.counts[:3], self.counts[3] // width), source=source, target=target, at=self.at // width,
                   to=self.to // width), width


def move(x: np.ndarray, y: np.ndarray, boxes: Iterable[Box], threads: int) -> None:
    """The boxes of x into their places in y, both C-contiguous."""
    parts = []
    for box in boxes:
        source, target, whole = wide(x.reshape(-1), y.reshape(-1), box)
        parts.append([partial(put, source, target, part) for part in whole.parts(VALUES)])
    # parts of different boxes alternate: what several boxes read in the same place is read again while it is in the cache
    in_order(lambda task: task(), [task for group in zip_longest(*parts) for task in group if task], threads)


def put(x: np.ndarray, y: np.ndarray, box: Box) -> None:
    """One box of flat x into flat y."""
    inside = box.counts[3] >= moving.FEW and box.source[3] == 1
    (moving.box_along if inside else moving.box_across)(x[box.at:], y[box.to:], np.array((box.counts, box.source, box.target)))


def wide(x: np.ndarray, y: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray, Box]:
    """(x, y, box), x and y flat, with neighbouring values taken as one, where both arrays hold them alike."""
    if x.dtype != y.dtype:
        return x, y, box
    box, width = box.widened(WIDEST // x.itemsize if _aligned(x) and _aligned(y) else 1)
    return _as_wide(x, width), _as_wide(y, width), box


def _aligned(x: np.ndarray) -> bool:
    """Whether x begins where a value of WIDEST bytes may: an unaligned view would be of another type to numba."""
    return x.__array_interface__["data"][0] % WIDEST == 0


def _as_wide(x: np.ndarray, width: int) -> np.ndarray:
    """Flat x as integers of `width` values; a rest at the end is no part of any box."""
    return x[:x.size // width * width].view(f"i{x.itemsize * width}")
