"""Elementwise work in blocks of rows: temporaries stay in cache whatever the size of the frame."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hwsim.engine.fast.portable.requantize import MODES, WORD, clamped, round_shift
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Rounding

VALUES = 1 << 16

Values = Callable[[tuple[int, slice]], tuple[Any, Any]]  # an output block -> (exact integers, shift)


def blocks(shape: tuple[int, ...]) -> list[tuple[int, slice]]:
    """(image, rows) slices that cover an output shape (N, rows, ...) in order."""
    step = max(1, VALUES // max(1, int(np.prod(shape[2:], dtype=np.int64))))
    return [(n, slice(r, min(r + step, shape[1]))) for n in range(shape[0]) for r in range(0, shape[1], step)]


def rows_of(x: np.ndarray, block: tuple[int, slice]) -> np.ndarray:
    """The part of x (N, rows, ...) that belongs to an output block; a broadcast axis of one row belongs to all."""
    n, rows = block
    return x[n] if x.shape[1] == 1 else x[n, rows]


def widened(x: np.ndarray, largest: int) -> np.ndarray:
    """x as int64, or as Python integers where a magnitude of `largest` would not fit."""
    return x.astype(np.int64 if largest < WORD else object)


def requantized(shape: tuple[int, ...], values: Values, params: Mapping[str, Any],
                rounding: Rounding) -> tuple[np.ndarray, LayerStats]:
    """(int32 codes of `shape`, LayerStats): values(block) -> (exact numbers, shift) rounded and clamped, block by block."""
    y, changed = np.empty(shape, np.int32), 0
    for block in blocks(shape):
        number, shift = values(block)
        y[block], count = clamped(round_shift(number, shift, MODES[rounding]), params["lo"], params["hi"])
        changed += count
    return y, LayerStats(clamped=changed)
