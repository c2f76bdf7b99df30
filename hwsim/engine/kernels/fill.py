"""Copies on the way into and out of the kernels: input rows narrowed to the kernel's word and padded, and the layer's channels
out of outputs that were computed in whole columns of 16."""
from __future__ import annotations

import numpy as np

from hwsim.engine.host.jit import compiled


def _filled(x: np.ndarray, rows: np.ndarray, first: int, left: int, zero: int) -> None:
    """rows[r, left + i] = x[first + r, i] + zero where there is such an input, else zero.

    x (IH, IW*IC), rows (ROWS, WIDTH*IC); `left` counts values and may be negative; zero is what code 0 is stored as.
    """
    height, width = x.shape
    start, end = max(left, 0), min(rows.shape[1], width + left)
    for r in range(rows.shape[0]):
        iy = first + r
        if iy < 0 or iy >= height or end <= start:
            rows[r, :] = zero
            continue
        rows[r, :start] = zero
        source, target = x[iy, start - left:end - left], rows[r, start:end]
        for i in range(end - start):  # slices first: an index that may be negative keeps the loop from being vectorised
            target[i] = source[i] + zero
        rows[r, end:] = zero


def _kept(wide: np.ndarray, y: np.ndarray) -> None:
    """y (ROWS,OW,OC) = the first OC channels of wide (ROWS,OW,more)."""
    for row in range(y.shape[0]):
        for pixel in range(y.shape[1]):
            for oc in range(y.shape[2]):
                y[row, pixel, oc] = wide[row, pixel, oc]


fill, keep = compiled(_filled), compiled(_kept)
