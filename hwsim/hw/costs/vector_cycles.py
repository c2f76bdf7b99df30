"""The cycles of the vector unit and the address generator: TN channels per cycle (spec/device.md section 5)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hwsim.graph.node import Node
from hwsim.ops.cut import image_shape
from hwsim.ops.dims import ceil_div
from hwsim.ops.spec import ADDRESS, VECTOR, Trait
from hwsim.ops.table import ops_with

BILINEAR_READS = 4

Shape: TypeAlias = tuple[int, ...]


def unit(node: Node) -> str:
    """The unit that runs a node off the array, VECTOR or ADDRESS: a concat whose inputs share the output's scale only moves."""
    if node.op == "qconcat" and _keeps(node):
        return ADDRESS
    return node.spec.unit


def vector_cycles(node: Node, in_shapes: Sequence[Shape], out_shape: Shape, tn: int) -> int:
    """Cycles for one image: OH*OW*ceil(C/TN) words of the output, times the reads of an output; 0 for the address generator.

    in_shapes, out_shape: N,H,W,C or N,C, concrete.
    """
    if unit(node) != VECTOR:
        return 0
    return image_words(out_shape, tn) * reads(node, in_shapes)


def image_words(shape: Shape, tn: int) -> int:
    """Words of TN channels in one image."""
    _, rows, cols, channels = image_shape(shape)
    return rows * cols * ceil_div(channels, tn)


def reads(node: Node, in_shapes: Sequence[Shape]) -> int:
    """How often the vector unit goes over its input per output: the taps of a pool, the four neighbours of bilinear."""
    return READS[node.op](node, in_shapes)


def _once(node: Node, in_shapes: Sequence[Shape]) -> int:
    return 1


def _window(node: Node, in_shapes: Sequence[Shape]) -> int:
    rows, cols = node.params["kernel"]
    return int(rows * cols)


def _image(node: Node, in_shapes: Sequence[Shape]) -> int:
    return in_shapes[0][1] * in_shapes[0][2]


def _neighbours(node: Node, in_shapes: Sequence[Shape]) -> int:
    return BILINEAR_READS


def _keeps(node: Node) -> bool:
    """Whether a concat takes every input as it is: multiplier 1, shift 0."""
    return all(pair == (1, 0) for pair in zip(node.params["m"].tolist(), node.params["shift"].tolist()))


# The reads of every operator of the vector unit, in float graphs too: their cycles need no quantization.
READS: dict[str, Callable[[Node, Sequence[Shape]], int]] = {
         **dict.fromkeys(ops_with(Trait.PIXELWISE, unit=VECTOR), _once),
         **dict.fromkeys(ops_with(Trait.WINDOW, unit=VECTOR), _window),
         **dict.fromkeys(ops_with(Trait.GLOBAL, unit=VECTOR), _image), "bilinear": _neighbours, "qbilinear": _neighbours}
