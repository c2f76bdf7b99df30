"""Sliding windows over an image, in blocks of output rows and columns, so that their copies stay small."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from hwsim.ops.window import Pair, Sides, extent, out_hw, pads
from hwsim.quantization.float_net.ops.params import Params

BLOCK_VALUES = 1 << 20  # float64 values of one block of windows: 8 MiB, which the allocator hands out again


def geometry(params: Params, shape: tuple[int, ...], kernel: Pair) -> tuple[Pair, Pair, Sides, Pair]:
    """(stride, dilation, pad, (OH, OW)) of a window on an input of `shape`."""
    stride, dilation = params["stride"], params.get("dilation", (1, 1))
    pad = pads(shape, kernel, stride, dilation, params["padding"])
    rows, cols = out_hw(shape, kernel, stride, dilation, pad)
    return stride, dilation, pad, (int(rows), int(cols))


def blocks(params: Params, x: np.ndarray, kernel: Pair, fill: float = 0.0) -> Iterator[tuple[int, slice, slice, np.ndarray]]:
    """Yields (n, rows, cols, windows): slices of the output and a view (rows, cols, KH, KW, C) of what they see.

    Positions outside the image hold `fill`.
    """
    stride, dilation, pad, (height, width) = geometry(params, x.shape, kernel)
    values = x.shape[3] * kernel[0] * kernel[1]
    cols = min(width, max(1, BLOCK_VALUES // values))
    rows = min(height, max(1, BLOCK_VALUES // (values * cols)))
    for n, oy, ox in product(range(len(x)), range(0, height, rows), range(0, width, cols)):
        area = [(first, min(first + count, size)) for first, count, size in ((oy, rows, height), (ox, cols, width))]
        tile = x[n]
        for axis in (0, 1):
            tile = _cut(tile, axis, area[axis], stride[axis], extent(kernel[axis], dilation[axis]), pad[2 * axis], fill)
        yield n, slice(*area[0]), slice(*area[1]), _windows(tile, kernel, stride, dilation)


def _cut(tile: np.ndarray, axis: int, outputs: Pair, stride: int, span: int, before: int, fill: float) -> np.ndarray:
    """The inputs on `axis` that `outputs` (first, end) see, padded where they lie outside."""
    low = outputs[0] * stride - before
    high = (outputs[1] - 1) * stride + span - before
    inside = [slice(None)] * 3
    inside[axis] = slice(max(low, 0), max(min(high, tile.shape[axis]), 0))
    part = tile[tuple(inside)]
    missing = [(0, 0)] * 3
    missing[axis] = (min(max(-low, 0), high - low), 0)
    missing[axis] = (missing[axis][0], high - low - missing[axis][0] - part.shape[axis])
    return np.pad(part, missing, constant_values=fill) if any(missing[axis]) else part


def _windows(tile: np.ndarray, kernel: Pair, stride: Pair, dilation: Pair) -> np.ndarray:
    """The windows of a padded tile (h,w,C), a view (rows, cols, KH, KW, C)."""
    spans = (extent(kernel[0], dilation[0]), extent(kernel[1], dilation[1]))
    view = np.lib.stride_tricks.sliding_window_view(tile, spans, (0, 1))
    return view[::stride[0], ::stride[1], :, ::dilation[0], ::dilation[1]].transpose(0, 1, 3, 4, 2)
