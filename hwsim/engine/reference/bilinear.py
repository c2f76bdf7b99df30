"""Bilinear upsampling by whole factors, half-pixel centres (ops/bilinear.py), in integers."""
from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node

ONE = 1 << 11  # the weights of two neighbours sum to this

Neighbours = tuple[tuple[int, int], tuple[int, int]]  # (input index, weight) of the one before and the one after


def bilinear(node: Node, inputs: Inputs, context: Context) -> Output:
    """clamp(round(sum over the four neighbours of wy*wx*x, 22), lo, hi)."""
    (x,), p = inputs, node.params
    rows = [_neighbours(oy, p["factor"][0], x.shape[1]) for oy in range(x.shape[1] * p["factor"][0])]
    cols = [_neighbours(ox, p["factor"][1], x.shape[2]) for ox in range(x.shape[2] * p["factor"][1])]
    # exact until one rounding by 22 at the end: rounding rows first and columns then would give other bits
    total = np.zeros((len(x), len(rows), len(cols), x.shape[3]), np.int64)
    for oy, row in enumerate(rows):
        for ox, col in enumerate(cols):
            total[:, oy, ox] = sum(wy * wx * x[:, iy, ix] for iy, wy in row for ix, wx in col)
    y, changed = clamped(scale(total, 1, 22, context.datapath.rounding), p["lo"], p["hi"])
    return y, LayerStats(clamped=changed)


def _neighbours(o: int, factor: int, size: int) -> Neighbours:
    """The two inputs between which output index o lies, on an axis of `size` inputs."""
    source = min(max(Fraction(2 * o + 1, 2 * factor) - Fraction(1, 2), Fraction(0)), Fraction(size - 1))
    before = floor(source)
    later = round((source - before) * ONE)
    return (before, ONE - later), (min(before + 1, size - 1), later)
