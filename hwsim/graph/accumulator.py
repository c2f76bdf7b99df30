"""How wide an accumulator must be, from formats and weights alone (spec/arithmetic.md section 7). Integers only.

Of the four numbers that are never mixed, two are here: `datatype` (any weights, any inputs) and `weights` (these weights, any
inputs); beside them the published cost model `daq_rule`, which is no bound.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.ops.cut import ARRAY_OPS, cut
from hwsim.ops.dims import Shape
from hwsim.ops.layer import ArrayLayer

LEAST, MOST = 8, 48
ROOM = 64


@dataclass(frozen=True, eq=False)
class SumRange:
    """lo, hi: int64 (OC), the ends of the sums that an output channel can reach.

    prefix_safe: every partial sum in every order lies in lo..hi too.
    """

    lo: np.ndarray
    hi: np.ndarray
    prefix_safe: bool

    @property
    def channel_bits(self) -> tuple[int, ...]:
        """The narrowest signed word of each output channel."""
        return tuple(signed_bits(int(lo), int(hi)) for lo, hi in zip(self.lo, self.hi))

    @property
    def bits(self) -> int:
        """The narrowest signed word that holds the sums of every output channel."""
        return max(self.channel_bits)


def signed_bits(lo: int, hi: int) -> int:
    """The width of the narrowest two's-complement word that holds lo..hi and 0."""
    return max((~lo).bit_length() if lo < 0 else 0, hi.bit_length() if hi > 0 else 0) + 1


def weights_range(layer: ArrayLayer, fmt: IntFormat) -> SumRange:
    """The SumRange of an ArrayLayer for any input codes of `fmt`: both words and the bias (by its own sign) included."""
    weights = layer.weights.integers
    axes = (0, 2, 3, 4)  # words and taps: all but the output channel
    low, high = weights * fmt.min, weights * fmt.max
    lo = np.minimum(low, high).sum(axis=axes) + np.minimum(layer.epilogue.bias, 0)
    hi = np.maximum(low, high).sum(axis=axes) + np.maximum(layer.epilogue.bias, 0)
    return SumRange(lo, hi, fmt.min <= 0 <= fmt.max)


def datatype_range(layer: ArrayLayer, fmt: IntFormat) -> tuple[int, int]:
    """(lo, hi) of KH*KW*IC products of any weights and input codes of these formats, without bias."""
    ends = [w * x for w in layer.weights.extremes for x in (fmt.min, fmt.max)]
    return layer.weights.taps * min(ends), layer.weights.taps * max(ends)


def datatype_bits(layer: ArrayLayer, fmt: IntFormat) -> int:
    """The narrowest signed word that holds datatype_range."""
    return signed_bits(*datatype_range(layer, fmt))


def daq_rule(layer: ArrayLayer, fmt: IntFormat) -> int:
    """The published cost model: A+W-1, plus ceil(log2(KH*KW-1)) and ceil(log2(IC-1)) where there is more than one."""
    kh, kw, ic = map(int, layer.weights.codes.shape[2:])
    grown = [(count - 2).bit_length() for count in (kh * kw, ic) if count > 1]
    return fmt.bits + layer.weights.format.bits - 1 + sum(grown)


def array_layers(graph: Graph, formats: Mapping[str, IntFormat]) -> Iterator[tuple[ArrayLayer, IntFormat]]:
    """(ArrayLayer, format of its input codes) of every array node, in order, for an image in which every phase has outputs."""
    shapes = infer(graph)
    for node in graph.nodes:
        if node.op in ARRAY_OPS:
            source = node.inputs[0]
            for part in cut(node, _large(node, shapes[source])):
                yield part.layer, formats[source]


def _large(node: Node, shape: Shape) -> tuple[int, ...]:
    """`shape` with one image, its size large enough for any window and any phase of `node`."""
    p = node.params
    window = sum(p["codes"].shape[2:4]) * max(p.get("dilation", (1, 1)))
    size = ROOM + window + sum(p.get("stride", ())) + sum(map(abs, p.get("crop", ())))
    return (1, *[size] * (len(shape) - 2), shape[-1])


def safe_bits(graph: Graph, formats: Mapping[str, IntFormat]) -> int:
    """The accumulator width `auto`: max(8, the largest `weights` width over the layers).

    Errors: QuantizeError where a layer needs more than 48 bits.
    """
    widest = LEAST
    for layer, fmt in array_layers(graph, formats):
        bits = weights_range(layer, fmt).bits
        if bits > MOST:
            raise QuantizeError(f"{layer.name}: the accumulator must be at most {MOST} bits, not {bits} as its weights need")
        widest = max(widest, bits)
    return widest


def bias_bits(net: IntegerGraph) -> int:
    """The narrowest accumulator that holds every bias, at least 8."""
    biases = [node.params["bias"] for node in net.nodes if node.op in ARRAY_OPS]
    return max([LEAST, *(signed_bits(int(bias.min(initial=0)), int(bias.max(initial=0))) for bias in biases)])
