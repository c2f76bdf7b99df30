"""Operators on one tensor, value by value (spec/arithmetic.md section 6)."""
import numpy as np

from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats


def identity(node, inputs, context):
    """The codes as they are: only the scale changes."""
    return inputs[0], LayerStats()


def prelu(node, inputs, context):
    """clamp(round(x * (m_pos if x >= 0 else m_neg), shift), lo, hi), fields on the last axes."""
    (x,), p, rounding = inputs, node.params, context.datapath.rounding
    y = np.empty(x.shape, object)
    for place in np.ndindex(p["shift"].shape):
        here = (..., *place)
        positive, negative = (scale(x[here], p[m][place], p["shift"][place], rounding) for m in ("m_pos", "m_neg"))
        y[here] = np.where(x[here] >= 0, positive, negative)
    y, changed = clamped(y, p["lo"], p["hi"])
    return y, LayerStats(clamped=changed)


def table(node, inputs, context):
    """table[x - lowest input code]."""
    return node.params["table"][inputs[0] - context.in_formats[0].min], LayerStats()
