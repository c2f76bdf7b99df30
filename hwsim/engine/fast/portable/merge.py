"""Operators that join tensors."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable.blocks import blocks, requantized, rows_of, widened
from hwsim.engine.fast.portable.requantize import MODES, clamped, round_shift
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def add(node: Node, inputs: Inputs, context: Context) -> Output:
    """The sum of x*m over all inputs in one rounding by `shift`, clamped; inputs broadcast against each other."""
    p, factors = node.params, [int(m) for m in node.params["m"]]
    largest = sum(abs(m) * fmt.largest for m, fmt in zip(factors, context.in_formats))

    def total(block: tuple[int, slice]) -> tuple[Any, Any]:
        return sum(widened(rows_of(x, block), largest) * m for x, m in zip(inputs, factors)), p["shift"]
    return requantized(_joined_shape(inputs), total, p, context.datapath.rounding)


def multiply(node: Node, inputs: Inputs, context: Context) -> Output:
    """x*z*m rounded by `shift` and clamped; the two inputs broadcast."""
    (a, b), p = inputs, node.params
    largest = context.in_formats[0].largest * context.in_formats[1].largest * p["m"]

    def product(block: tuple[int, slice]) -> tuple[np.ndarray, Any]:
        return widened(rows_of(a, block), largest) * widened(rows_of(b, block), largest) * p["m"], p["shift"]
    return requantized(_joined_shape(inputs), product, p, context.datapath.rounding)


def maximum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest of the inputs, each at the output's scale, clamped."""
    return _extreme(np.maximum, node, inputs, context)


def minimum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The smallest of the inputs, each at the output's scale, clamped."""
    return _extreme(np.minimum, node, inputs, context)


def _extreme(pick: Callable[..., Any], node: Node, inputs: Inputs, context: Context) -> Output:
    p, shape = node.params, _joined_shape(inputs)
    y, changed = np.empty(shape, np.int32), 0
    for block in blocks(shape):
        values = [_rescaled(rows_of(x, block), i, p, context) for i, x in enumerate(inputs)]
        y[block], count = clamped(reduce(pick, values), p["lo"], p["hi"])
        changed += count
    return y, LayerStats(clamped=changed)


def concat(node: Node, inputs: Inputs, context: Context) -> Output:
    """The inputs side by side on `axis`, each at the output's scale and clamped."""
    p, axis = node.params, node.params["axis"]
    parts, changed = [], 0
    for i, x in enumerate(inputs):
        part = np.empty(x.shape, np.int32)
        for block in blocks(x.shape):
            part[block], count = clamped(_rescaled(x[block], i, p, context), p["lo"], p["hi"])
            changed += count
        parts.append(part)
    return np.concatenate(parts, axis=axis), LayerStats(clamped=changed)


def _rescaled(x: np.ndarray, i: int, p: Mapping[str, Any], context: Context) -> np.ndarray:
    """Input i at the output's scale, before the clamp; multiplier 1 with shift 0 leaves it as it is."""
    m, s = int(p["m"][i]), int(p["shift"][i])
    if (m, s) == (1, 0):
        return x.astype(np.int32, copy=False)
    return round_shift(widened(x, context.in_formats[i].largest * abs(m)) * m, s, MODES[context.datapath.rounding])


def _joined_shape(inputs: Inputs) -> tuple[int, ...]:
    return np.broadcast_shapes(*(x.shape for x in inputs))
