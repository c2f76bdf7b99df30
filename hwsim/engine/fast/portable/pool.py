"""Pools: one pass per tap over the outputs whose tap lies inside the image."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable.blocks import requantized, rows_of, widened
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node
from hwsim.ops.window import out_hw, pads


def max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest code of every window, (N,OH,OW,C); padding takes no part."""
    (x,) = inputs
    y = np.full(_shape(x, node.params), np.iinfo(np.int32).min, np.int32)
    for out, source in _taps(x, node.params):
        np.maximum(y[out], x[source], out=y[out])
    return y, LayerStats()


def global_max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest code of every channel, (N,1,1,C), or (N,C) without keepdims."""
    return inputs[0].max(axis=(1, 2), keepdims=node.params["keepdims"]), LayerStats()


def avg_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The sum of every window times the m of its count of real taps, rounded and clamped, (N,OH,OW,C)."""
    (x,), p = inputs, node.params
    shape = _shape(x, p)
    total, real = np.zeros(shape, np.int64), np.zeros((1, *shape[1:3], 1), np.int64)
    for out, source in _taps(x, p):
        total[out] += x[source]
        real[out] += 1
    order = np.argsort(p["taps"], kind="stable")
    which = order[np.searchsorted(p["taps"], real, sorter=order)]
    m, shift = p["m"][which], p["shift"][which]
    largest = context.in_formats[0].largest * int(real.max()) * int(np.abs(m).max())

    def product(block: tuple[int, slice]) -> tuple[np.ndarray, Any]:
        place = (0, block[1])
        return widened(rows_of(total, block), largest) * m[place], shift[place]
    return requantized(shape, product, p, context.datapath.rounding)


def _shape(x: np.ndarray, p: Mapping[str, Any]) -> tuple[int, ...]:
    return (len(x), *out_hw(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"]), x.shape[3])


def _taps(x: np.ndarray, p: Mapping[str, Any]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """(output slices, input slices) of each tap (ky, kx)."""
    pad, (_, oh, ow, _) = pads(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"]), _shape(x, p)
    for ky in range(p["kernel"][0]):
        for kx in range(p["kernel"][1]):
            rows, cols = (_inside(*axis) for axis in ((oh, p["stride"][0], ky - pad[0], x.shape[1]),
                                                      (ow, p["stride"][1], kx - pad[2], x.shape[2])))
            yield (slice(None), rows[0], cols[0]), (slice(None), rows[1], cols[1])


def _inside(outputs: int, stride: int, offset: int, size: int) -> tuple[slice, slice]:
    """Outputs o with 0 <= o*stride + offset < size, and those inputs, as two slices of equal length."""
    first = max(0, -(offset // stride))
    count = max(0, min(outputs, (size - 1 - offset) // stride + 1) - first)
    start = first * stride + offset
    return slice(first, first + count), slice(start, start + count * stride, stride) if count else slice(0, 0)
