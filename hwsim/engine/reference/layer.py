"""One array layer: its beats accumulated, its accumulators requantized, its counters."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Output
from hwsim.engine.reference.accumulate import Beats, accumulate
from hwsim.engine.reference.requantize import requantize
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node
from hwsim.ops.epilogue import Epilogue


def array_layer(node: Node, suffix: str, channels: slice, image: tuple[int, int, int], beats: Beats, context: Context) -> Output:
    """(codes int64 (N,OH,OW,OC), LayerStats) of the output `channels` of an array node for `beats` over `image` (N, OH, OW)."""
    epilogue, datapath = Epilogue.from_fields(node.params).of(channels), context.datapath
    sums = accumulate(node.name + suffix, epilogue.bias, image, beats, datapath)
    y, changed = requantize(sums.acc, epilogue, context.out_format, datapath.rounding)
    return y, LayerStats(events=sums.events, first=sums.first, observed_min=sums.observed_min, observed_max=sums.observed_max,
                         clamped=changed)


def window(x: np.ndarray, start: tuple[int, int], step: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """int64 (N,OH,OW,IC) = x[n, start + i*step, ic] along rows and columns, `size` (OH, OW) positions; 0 outside the image."""
    rows, cols = (first + stride * np.arange(count) for first, stride, count in zip(start, step, size))
    # a position outside the image reads code 0, whatever the format
    y = np.zeros((len(x), *size, x.shape[3]), np.int64)
    inside_rows, inside_cols = (rows >= 0) & (rows < x.shape[1]), (cols >= 0) & (cols < x.shape[2])
    y[np.ix_(np.arange(len(x)), inside_rows, inside_cols)] = x[:, rows[inside_rows]][:, :, cols[inside_cols]]
    return y
