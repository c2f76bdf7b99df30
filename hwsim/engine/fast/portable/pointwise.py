"""Operators on one tensor, value by value."""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable.blocks import requantized, rows_of, widened
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def identity(node: Node, inputs: Inputs, context: Context) -> Output:
    """The input itself."""
    return inputs[0], LayerStats()


def prelu(node: Node, inputs: Inputs, context: Context) -> Output:
    """x * (m_pos or, below 0, m_neg) rounded by `shift` and clamped; the fields broadcast over the last axes."""
    (x,), p = inputs, node.params
    factor = max(int(np.abs(p["m_pos"]).max()), int(np.abs(p["m_neg"]).max()))
    largest = context.in_formats[0].largest * factor

    def product(block: tuple[int, slice]) -> tuple[np.ndarray, Any]:
        value = widened(rows_of(x, block), largest)
        m_pos, m_neg, shift = (_place(p[name], x.ndim, block) for name in ("m_pos", "m_neg", "shift"))
        return value * np.where(value >= 0, m_pos, m_neg), shift
    return requantized(x.shape, product, p, context.datapath.rounding)


def _place(field: np.ndarray, rank: int, block: tuple[int, slice]) -> np.ndarray:
    """The rows of a field that varies over them, or all of it: it stands on the input's last axes."""
    return field[block[1]] if field.ndim == rank - 1 else field


def table(node: Node, inputs: Inputs, context: Context) -> Output:
    """table[x - lowest code of the input], int32 of the input's shape."""
    codes = node.params["table"].astype(np.int32)
    return codes[np.subtract(inputs[0], context.in_formats[0].min, dtype=np.int64)], LayerStats()
