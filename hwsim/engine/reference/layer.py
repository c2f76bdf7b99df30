"""One array layer: its beats accumulated, its accumulators requantized, its counters."""
import numpy as np

from hwsim.engine.reference.accumulate import accumulate
from hwsim.engine.reference.requantize import requantize
from hwsim.engine.result import LayerStats
from hwsim.ops.epilogue import Epilogue


def array_layer(node, suffix, channels, image, beats, context):
    """(codes (N,OH,OW,OC), LayerStats) of the output `channels` of an array node for `beats` over `image` (N, OH, OW)."""
    epilogue, datapath = Epilogue.from_fields(node.params).of(channels), context.datapath
    sums = accumulate(node.name + suffix, epilogue.bias, image, beats, datapath)
    y, changed = requantize(sums.acc, epilogue, context.out_format, datapath.rounding)
    return y, LayerStats(sums.events, sums.first, sums.observed_min, sums.observed_max, changed)


def window(x, start, step, size):
    """x[n, start + i*step, ic] along rows and columns, `size` positions each; 0 outside the image. (N,OH,OW,IC)."""
    rows, cols = (s + d * np.arange(n) for s, d, n in zip(start, step, size))
    out = np.zeros((len(x), len(rows), len(cols), x.shape[3]), np.int64)
    inside_y, inside_x = (rows >= 0) & (rows < x.shape[1]), (cols >= 0) & (cols < x.shape[2])
    out[np.ix_(np.arange(len(x)), inside_y, inside_x)] = x[:, rows[inside_y]][:, :, cols[inside_x]]
    return out
