"""Pools (spec/arithmetic.md section 6). Padding never counts: a maximum ignores it, an average divides by the real taps."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node
from hwsim.ops.window import out_hw, pads


def max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest value under each window."""
    (x,), p = inputs, node.params
    tops = [values.max(axis=(1, 2)) for values in _windows(x, p)]
    return np.stack(tops, axis=1).reshape(_shape(x, p)), LayerStats()


def global_max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest value of each channel of an image."""
    return inputs[0].max(axis=(1, 2), keepdims=node.params["keepdims"]), LayerStats()


def avg_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """clamp(round(sum * m[i], shift[i]), lo, hi), i the place of the window's real taps in `taps`."""
    (x,), p = inputs, node.params
    multipliers = {int(t): (m, s) for t, m, s in zip(p["taps"], p["m"], p["shift"])}
    means = []
    for values in _windows(x, p):
        # the divisor is the count of real taps, so a window at the border has a multiplier of its own
        m, s = multipliers[values.shape[1] * values.shape[2]]
        means.append(scale(values.sum(axis=(1, 2)), m, s, context.datapath.rounding))
    y, changed = clamped(np.stack(means, axis=1), p["lo"], p["hi"])
    return y.reshape(_shape(x, p)), LayerStats(clamped=changed)


def _shape(x: np.ndarray, p: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """(N, OH, OW, C)."""
    return (len(x), *out_hw(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"]), x.shape[3])


def _windows(x: np.ndarray, p: Mapping[str, Any]) -> Iterator[np.ndarray]:
    """The values of the image (N, rows, columns, C) under each window, row by row of the output."""
    (kh, kw), (sh, sw) = p["kernel"], p["stride"]
    top, _, left, _ = pads(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"])
    _, oh, ow, _ = _shape(x, p)
    for oy in range(oh):
        for ox in range(ow):
            row, col = oy * sh - top, ox * sw - left
            # a slice past the image is cut by numpy itself: only a negative start must be held back
            yield x[:, max(row, 0):row + kh, max(col, 0):col + kw]
