"""Operators on one tensor, value by value (spec/arithmetic.md section 6)."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def identity(node: Node, inputs: Inputs, context: Context) -> Output:
    """The codes as they are: only the scale changes."""
    return inputs[0], LayerStats()


def prelu(node: Node, inputs: Inputs, context: Context) -> Output:
    """clamp(round(x * (m_pos if x >= 0 else m_neg), shift), lo, hi), fields on the last axes."""
    (x,), p, rounding = inputs, node.params, context.datapath.rounding
    y = np.empty(x.shape, object)
    # fields per channel or per value of an image: each of their places has one factor for all positions before them
    for place in np.ndindex(p["shift"].shape):
        values = x[..., *place]
        positive, negative = (scale(values, p[m][place], p["shift"][place], rounding) for m in ("m_pos", "m_neg"))
        y[..., *place] = np.where(values >= 0, positive, negative)
    codes, changed = clamped(y, p["lo"], p["hi"])
    return codes, LayerStats(clamped=changed)


def table(node: Node, inputs: Inputs, context: Context) -> Output:
    """table[x - lowest input code]."""
    return node.params["table"][inputs[0] - context.in_formats[0].min], LayerStats()
