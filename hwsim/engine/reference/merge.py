"""Operators that join tensors (spec/arithmetic.md section 6). An axis of size 1 is broadcast."""
from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def add(node: Node, inputs: Inputs, context: Context) -> Output:
    """clamp(round(sum of x_i*m_i, shift), lo, hi): one sum and one shift."""
    p = node.params
    # Python integers: the number of inputs is open, so no machine word is wide enough for every sum
    total = reduce(np.add, (x.astype(object) * int(m) for x, m in zip(inputs, p["m"])))
    return _clamped(scale(total, 1, p["shift"], context.datapath.rounding), p)


def multiply(node: Node, inputs: Inputs, context: Context) -> Output:
    """clamp(round(a*b*m, shift), lo, hi)."""
    (a, b), p = inputs, node.params
    return _clamped(scale(a * b, p["m"], p["shift"], context.datapath.rounding), p)


def maximum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest of the requantized inputs, then the clamp."""
    return _clamped(reduce(np.maximum, _requantized(node, inputs, context)), node.params)


def minimum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The least of the requantized inputs, then the clamp."""
    return _clamped(reduce(np.minimum, _requantized(node, inputs, context)), node.params)


def concat(node: Node, inputs: Inputs, context: Context) -> Output:
    """Each input requantized and clamped, side by side along the axis."""
    return _clamped(np.concatenate(_requantized(node, inputs, context), axis=node.params["axis"]), node.params)


def _requantized(node: Node, inputs: Inputs, context: Context) -> list[np.ndarray]:
    """Each input at the output's scale; multiplier 1 with shift 0 means that it is there already."""
    p, rounding = node.params, context.datapath.rounding
    # passed by and not multiplied by 1: gemmlowp rounding has no shift 0
    return [x if (m, s) == (1, 0) else scale(x, m, s, rounding) for x, m, s in zip(inputs, p["m"], p["shift"])]


def _clamped(value: np.ndarray, params: Mapping[str, Any]) -> Output:
    y, changed = clamped(value, params["lo"], params["hi"])
    return y, LayerStats(clamped=changed)
