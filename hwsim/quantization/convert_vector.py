"""Vector operators as integers (spec/arithmetic.md section 6): merges, pools, activations of their own, tables, moves."""
from fractions import Fraction
from itertools import product

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.graph.fuse import channels_of
from hwsim.graph.node import Node
from hwsim.ops.spec import BOTH
from hwsim.ops.table import OPS
from hwsim.quantization.conversion import int_array
from hwsim.quantization.float_net.ops.table import FLOAT_OPS

BILINEAR_SHIFT = 22


def _same(node, plan):
    return node


def _identity(node, plan):
    return Node.make(node.name, "identity", node.inputs)


def _add(signs, mean):
    """Sums with the given signs repeated over the inputs; `mean` of n inputs divides by n: M_i = S_i/S_out or S_i/(S_out*n)."""
    def convert(node, plan):
        divisor = plan.scale(node.name) * (len(node.inputs) if mean else 1)
        ratios = [plan.scale(name) / divisor * signs[min(i, 1)] for i, name in enumerate(node.inputs)]
        m, shift = plan.shared(node.name, ratios)
        return Node.make(node.name, "qadd", node.inputs, m=int_array(m), shift=shift, **_clamp(node, plan))
    return convert


def _multiply(node, plan):
    a, b = map(plan.scale, node.inputs)
    m, _, shift = plan.folded(node.name, a * b / plan.scale(node.name))
    return Node.make(node.name, "qmul", node.inputs, m=m, shift=shift, **_clamp(node, plan))


def _each(node, plan, op, **params):
    """An operator that requantizes each input on its own; an input at the output's scale passes as it is (m 1, shift 0)."""
    found = [(1, 0) if plan.scales[name] == plan.scales[node.name]
             else plan.folded(node.name, plan.scale(name) / plan.scale(node.name))[::2] for name in node.inputs]
    m, shift = zip(*found)
    return Node.make(node.name, op, node.inputs, m=int_array(m), shift=int_array(shift), **_clamp(node, plan), **params)


def _maximum(node, plan):
    return _each(node, plan, "qmaximum")


def _minimum(node, plan):
    return _each(node, plan, "qminimum")


def _concat(node, plan):
    return _each(node, plan, "qconcat", axis=node.params["axis"])


def _prelu(node, plan):
    """Slopes per channel or per value: equal slopes share one search."""
    alpha = node.params["alpha"]
    ratio = plan.scale(node.inputs[0]) / plan.scale(node.name)
    distinct, where = np.unique(alpha, return_inverse=True)
    fields = zip(*(plan.folded(node.name, ratio, a) for a in distinct))
    m_pos, m_neg, shift = (int_array(values)[where].reshape(alpha.shape) for values in fields)
    return _qprelu(node, plan, m_pos, m_neg, shift)


def _clip(node, plan):
    return _by_one_factor(node, plan, 1)


def _by_one_factor(node, plan, sign):
    """Requantization by +M or -M = S_in/S_out, whatever the input's sign, and the clamp."""
    m, _, shift = plan.folded(node.name, plan.scale(node.inputs[0]) / plan.scale(node.name))
    channels = channels_of(node, plan.shapes[node.name])
    factor = np.full(channels, sign * m, np.int64)
    return _qprelu(node, plan, factor, factor, np.full(channels, shift, np.int64))


def _qprelu(node, plan, m_pos, m_neg, shift):
    return Node.make(node.name, "qprelu", node.inputs, m_pos=m_pos, m_neg=m_neg, shift=shift, **_clamp(node, plan))


def _unary(node, plan):
    if node.params["function"] == "negative":
        return _by_one_factor(node, plan, -1)
    return _table(node, plan)


def _table(node, plan):
    """clip(rint(f(q*S_in)/S_out)) over all input codes q; infinity takes the nearest end, NaN (outside f's domain) takes 0."""
    read, made = plan.words[node.inputs[0]], plan.words[node.name]
    values = np.arange(read.min, read.max + 1) * plan.scale(node.inputs[0])
    with np.errstate(all="ignore"):
        codes = np.rint(FLOAT_OPS[node.op](node.params, values) / plan.scale(node.name))
    codes = np.clip(np.where(np.isnan(codes), 0.0, codes), made.min, made.max)
    return Node.make(node.name, "qtable", node.inputs, table=codes.astype(np.int64))


def _average_pool(node, plan):
    """One (m, shift) per count of real taps that can occur: M = S_in/(S_out*taps)."""
    p, ratio = node.params, _pool_ratio(node, plan)
    taps = possible_taps(p["kernel"], p["padding"])
    m, _, shift = zip(*(plan.folded(node.name, ratio / count) for count in taps))
    return Node.make(node.name, "qavg_pool", node.inputs, kernel=p["kernel"], stride=p["stride"], padding=p["padding"],
                     taps=int_array(taps), m=int_array(m), shift=int_array(shift), **_clamp(node, plan))


def possible_taps(kernel, padding):
    """The counts of real taps that windows of `kernel` can have, ascending: the whole window, or any part where it pads."""
    rows, cols = kernel
    if padding == (0, 0, 0, 0):
        return (rows * cols,)
    return tuple(sorted({r * c for r, c in product(range(1, rows + 1), range(1, cols + 1))}))


def _global_average(node, plan):
    ratio = _pool_ratio(node, plan)
    return Node.make(node.name, "qglobal_avg_pool", node.inputs, keepdims=node.params["keepdims"],
                     ratio=ratio.as_integer_ratio(), mult_bits=plan.config.mult_bits, **_clamp(node, plan))


def _pool_ratio(node, plan):
    """S_in/S_out of the float64 scales, exact: a global average learns its taps only from the image."""
    return Fraction(plan.scale(node.inputs[0])) / Fraction(plan.scale(node.name))


def _bilinear(node, plan):
    if plan.config.rounding == "gemmlowp":
        raise QuantizeError(f"{node.name}: gemmlowp rounding must have shifts of at least 31, not {BILINEAR_SHIFT}")
    return Node.make(node.name, "qbilinear", node.inputs, factor=node.params["factor"], **plan.limits(node.name, None))


def _clamp(node, plan):
    return plan.limits(node.name, node.params.get("clip"))


IN_BOTH = (name for name, spec in OPS.items() if spec.dialect == BOTH)   # moves and maxima: no arithmetic, so no integer form
VECTOR = {
    "scale": _identity, "prelu": _prelu, "clip": _clip, "unary": _unary, "relu": _table,
    "add": _add((1, 1), False), "subtract": _add((1, -1), False), "average": _add((1, 1), True), "multiply": _multiply,
    "maximum": _maximum, "minimum": _minimum, "concat": _concat, "bilinear": _bilinear,
    "avg_pool": _average_pool, "global_avg_pool": _global_average, **dict.fromkeys(IN_BOTH, _same),
}
