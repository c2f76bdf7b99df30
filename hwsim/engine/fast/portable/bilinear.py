"""Bilinear upsampling: rows, then columns, exact sums of 11-bit weights and one rounding by 22."""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable.blocks import requantized
from hwsim.graph.node import Node

BITS = 11


def bilinear(node: Node, inputs: Inputs, context: Context) -> Output:
    """(int32 codes (N,IH*FY,IW*FX,C), LayerStats) of a qbilinear node."""
    (x,), p = inputs, node.params
    fy, fx = p["factor"]
    rows, cols = axis(x.shape[1], fy), axis(x.shape[2], fx)

    def total(block: tuple[int, slice]) -> tuple[np.ndarray, Any]:
        n, at = block
        upper, lower, wy = (part[at] for part in rows)
        wy = wy[:, None, None]
        tall = x[n, upper] * ((1 << BITS) - wy) + x[n, lower] * wy
        left, right, wx = cols
        return tall[:, left] * ((1 << BITS) - wx[:, None]) + tall[:, right] * wx[:, None], 2 * BITS
    shape = (len(x), x.shape[1] * fy, x.shape[2] * fx, x.shape[3])
    return requantized(shape, total, p, context.datapath.rounding)


def axis(size: int, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(index before, index after, weight of the one after) int64 of every output position on one axis."""
    steps = 2 * np.arange(size * factor) + 1 - factor   # the source position in units of 1/(2*factor)
    before, rest = np.divmod(steps, 2 * factor)
    later, tie = np.divmod(rest << BITS, 2 * factor)
    later = later + (2 * tie > 2 * factor - (later & 1))
    return np.clip(before, 0, size - 1), np.clip(before + 1, 0, size - 1), later
