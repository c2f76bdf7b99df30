"""Vector operators as integers (spec/arithmetic.md section 6): merges, pools, activations of their own, tables, moves."""
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import TypeAlias

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed.formats import BILINEAR_SHIFT, GEMMLOWP_SHIFT
from hwsim.graph.fuse import channels_of
from hwsim.graph.node import Node
from hwsim.ops.spec import BOTH
from hwsim.ops.table import OPS
from hwsim.quantization.conversion import ConversionContext, int_array
from hwsim.quantization.float_net.ops.table import FLOAT_OPS

Convert: TypeAlias = Callable[[Node, ConversionContext], Node]


def _same(node: Node, context: ConversionContext) -> Node:
    return node


def _identity(node: Node, context: ConversionContext) -> Node:
    return Node.make(node.name, "identity", node.inputs)


def _add(signs: tuple[int, int], mean: bool) -> Convert:
    """Sums with the given signs repeated over the inputs; `mean` of n inputs divides by n: M_i = S_i/S_out or S_i/(S_out*n)."""
    def convert(node: Node, context: ConversionContext) -> Node:
        divisor = context.scale(node.name) * (len(node.inputs) if mean else 1)
        ratios = [context.scale(name) / divisor * signs[min(i, 1)] for i, name in enumerate(node.inputs)]
        m, shift = context.shared(node.name, ratios)
        return Node.make(node.name, "qadd", node.inputs, m=int_array(m), shift=shift, **_clamp(node, context))
    return convert


def _multiply(node: Node, context: ConversionContext) -> Node:
    a, b = map(context.scale, node.inputs)
    m, _, shift = context.folded(node.name, a * b / context.scale(node.name))
    return Node.make(node.name, "qmul", node.inputs, m=m, shift=shift, **_clamp(node, context))


def _each(node: Node, context: ConversionContext, op: str, **params: object) -> Node:
    """An operator that requantizes each input on its own; an input at the output's scale passes as it is (m 1, shift 0)."""
    pairs = [(1, 0) if context.scales[name] == context.scales[node.name]
             else context.folded(node.name, context.scale(name) / context.scale(node.name))[::2] for name in node.inputs]
    m, shift = zip(*pairs)
    return Node.make(node.name, op, node.inputs, m=int_array(m), shift=int_array(shift), **_clamp(node, context), **params)


def _maximum(node: Node, context: ConversionContext) -> Node:
    return _each(node, context, "qmaximum")


def _minimum(node: Node, context: ConversionContext) -> Node:
    return _each(node, context, "qminimum")


def _concat(node: Node, context: ConversionContext) -> Node:
    return _each(node, context, "qconcat", axis=node.params["axis"])


def _prelu(node: Node, context: ConversionContext) -> Node:
    """Slopes per channel or per value: equal slopes share one search."""
    alpha = node.params["alpha"]
    ratio = context.scale(node.inputs[0]) / context.scale(node.name)
    distinct, where = np.unique(alpha, return_inverse=True)
    fields = zip(*(context.folded(node.name, ratio, a) for a in distinct))
    m_pos, m_neg, shift = (int_array(values)[where].reshape(alpha.shape) for values in fields)
    return _qprelu(node, context, m_pos, m_neg, shift)


def _clip(node: Node, context: ConversionContext) -> Node:
    return _by_one_factor(node, context, 1)


def _by_one_factor(node: Node, context: ConversionContext, sign: int) -> Node:
    """Requantization by +M or -M = S_in/S_out, whatever the input's sign, and the clamp."""
    m, _, shift = context.folded(node.name, context.scale(node.inputs[0]) / context.scale(node.name))
    channels = channels_of(node, context.shapes[node.name])
    factor = np.full(channels, sign * m, np.int64)
    return _qprelu(node, context, factor, factor, np.full(channels, shift, np.int64))


def _qprelu(node: Node, context: ConversionContext, m_pos: np.ndarray, m_neg: np.ndarray, shift: np.ndarray) -> Node:
    return Node.make(node.name, "qprelu", node.inputs, m_pos=m_pos, m_neg=m_neg, shift=shift, **_clamp(node, context))


def _unary(node: Node, context: ConversionContext) -> Node:
    if node.params["function"] == "negative":
        return _by_one_factor(node, context, -1)
    return _table(node, context)


def _table(node: Node, context: ConversionContext) -> Node:
    """clip(rint(f(q*S_in)/S_out)) over all input codes q; infinity takes the nearest end, NaN (outside f's domain) takes 0."""
    word = context.words[node.inputs[0]]
    values = np.arange(word.min, word.max + 1) * context.scale(node.inputs[0])
    with np.errstate(all="ignore"):
        codes = np.rint(FLOAT_OPS[node.op](node.params, values) / context.scale(node.name))
    codes = np.clip(np.where(np.isnan(codes), 0.0, codes), *context.code_range(node.name))
    return Node.make(node.name, "qtable", node.inputs, table=codes.astype(np.int64))


def _average_pool(node: Node, context: ConversionContext) -> Node:
    """One (m, shift) per count of real taps that can occur: M = S_in/(S_out*taps)."""
    p, ratio = node.params, _pool_ratio(node, context)
    taps = possible_taps(p["kernel"], p["padding"])
    m, _, shift = zip(*(context.folded(node.name, ratio / count) for count in taps))
    return Node.make(node.name, "qavg_pool", node.inputs, kernel=p["kernel"], stride=p["stride"], padding=p["padding"],
                     taps=int_array(taps), m=int_array(m), shift=int_array(shift), **_clamp(node, context))


def possible_taps(kernel: tuple[int, int], padding: str | tuple[int, int, int, int]) -> tuple[int, ...]:
    """The counts of real taps that windows of `kernel` can have, ascending: the whole window, or any part where it pads."""
    rows, cols = kernel
    if padding == (0, 0, 0, 0):
        return (rows * cols,)
    return tuple(sorted({r * c for r, c in product(range(1, rows + 1), range(1, cols + 1))}))


def _global_average(node: Node, context: ConversionContext) -> Node:
    ratio = _pool_ratio(node, context)
    return Node.make(node.name, "qglobal_avg_pool", node.inputs, keepdims=node.params["keepdims"],
                     ratio=ratio.as_integer_ratio(), mult_bits=context.config.mult_bits, **_clamp(node, context))


def _pool_ratio(node: Node, context: ConversionContext) -> Fraction:
    """S_in/S_out of the float64 scales, exact: a global average learns its taps only from the image."""
    return Fraction(context.scale(node.inputs[0])) / Fraction(context.scale(node.name))


def _bilinear(node: Node, context: ConversionContext) -> Node:
    if context.config.rounding == "gemmlowp":
        raise QuantizeError(f"{node.name}: gemmlowp rounding must have shifts of at least {GEMMLOWP_SHIFT}, not {BILINEAR_SHIFT}")
    return Node.make(node.name, "qbilinear", node.inputs, factor=node.params["factor"], **context.limits(node.name, None))


def _clamp(node: Node, context: ConversionContext) -> dict[str, int]:
    return context.limits(node.name, node.params.get("clip"))


IN_BOTH = (name for name, spec in OPS.items() if spec.dialect == BOTH)   # moves and maxima: no arithmetic, so no integer form
VECTOR: dict[str, Convert] = {
    "scale": _identity, "prelu": _prelu, "clip": _clip, "unary": _unary, "relu": _table,
    "add": _add((1, 1), False), "subtract": _add((1, -1), False), "average": _add((1, 1), True), "multiply": _multiply,
    "maximum": _maximum, "minimum": _minimum, "concat": _concat, "bilinear": _bilinear,
    "avg_pool": _average_pool, "global_avg_pool": _global_average, **dict.fromkeys(IN_BOTH, _same),
}
