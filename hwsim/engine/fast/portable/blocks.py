"""Elementwise work in blocks of rows: temporaries stay in cache whatever the size of the frame."""
import numpy as np

from hwsim.engine.fast.portable.requantize import MODES, WORD, clamped, round_shift
from hwsim.engine.result import LayerStats

VALUES = 1 << 16


def blocks(shape):
    """(image, rows) slices that cover an output shape (N, rows, ...) in order."""
    step = max(1, VALUES // max(1, int(np.prod(shape[2:], dtype=np.int64))))
    return [(n, slice(r, min(r + step, shape[1]))) for n in range(shape[0]) for r in range(0, shape[1], step)]


def rows_of(x, block):
    """The part of x (N, rows, ...) that belongs to an output block; a broadcast axis of one row belongs to all."""
    n, rows = block
    return x[n] if x.shape[1] == 1 else x[n, rows]


def widened(x, largest):
    """x as int64, or as Python integers where a magnitude of `largest` would not fit."""
    return x.astype(np.int64 if largest < WORD else object)


def requantized(shape, values, params, rounding):
    """(int32 codes of `shape`, LayerStats): values(block) -> (exact numbers, shift) rounded and clamped, block by block."""
    y, changed = np.empty(shape, np.int32), 0
    for block in blocks(shape):
        number, shift = values(block)
        y[block], count = clamped(round_shift(number, shift, MODES[rounding]), params["lo"], params["hi"])
        changed += count
    return y, LayerStats(clamped=changed)
