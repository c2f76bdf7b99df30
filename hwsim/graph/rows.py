"""Which rows of its inputs a node needs for some rows of its output, and the nodes that compute just those rows.

A tensor N,H,W,C has H rows; any other is one row. TF same padding is resolved from the whole image: rows outside the image
are padding, rows inside it that a window needs are read. docs/streaming.md lists the rules.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.fixed.formats import INT32
from hwsim.graph.node import Node
from hwsim.graph.shapes import Shapes
from hwsim.ops.spec import Trait
from hwsim.ops.table import ops_with
from hwsim.ops.window import extent, pads

Span = tuple[int, int]  # the first row and the one after the last
Needs = Callable[[Node, Shapes, int, int], tuple[Span, ...]]


@dataclass(frozen=True)
class Rule:
    """Functions of (node, shapes): unit() -> outputs come in multiples of so many rows;
    needs(lo, hi) -> (first, end) rows of each input, monotone and never empty, for output rows lo..hi-1, both multiples of
    the unit or the end; nodes(lo, hi) -> the chain of nodes that makes these rows of those; the last one counts the clamped.
    """

    needs: Needs
    nodes: Callable[[Node, Shapes, int, int], tuple[Node, ...]]
    unit: Callable[[Node, Shapes], int] = lambda node, shapes: 1


def height(shape: Sequence[int]) -> int:
    """How many rows a tensor of concrete `shape` has."""
    return shape[1] if len(shape) == 4 else 1


def unit(node: Node, shapes: Shapes) -> int:
    """Rows of `node` are computed in multiples of this, or up to the last."""
    return _rule(node, shapes).unit(node, shapes)


def needs(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    """((first, end), ...) of each input for the output rows lo..hi-1; `shapes` as graph.shapes.infer gives them."""
    return _rule(node, shapes).needs(node, shapes, lo, hi)


def on_rows(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    """The nodes, each reading the one before, that compute output rows lo..hi-1 from exactly the rows of needs()."""
    return _rule(node, shapes).nodes(node, shapes, lo, hi)


def reachable(node: Node, shapes: Shapes, have: Sequence[int]) -> int:
    """How many output rows, from the first, can be computed when only the first have[i] rows of input i are there."""
    step, total = unit(node, shapes), height(shapes[node.name])

    def lacking(count: int) -> bool:
        ends = needs(node, shapes, 0, min(count * step, total))
        return any(end > there for (_, end), there in zip(ends, have))
    return min(bisect_right(range(1, -(-total // step) + 1), False, key=lacking) * step, total)


def _rule(node: Node, shapes: Shapes) -> Rule:
    if any(len(shapes[name]) != 4 for name in (node.name, *node.inputs)) or node.params.get("axis") == 1 and node.op != "slice":
        return WHOLE
    return RULES[node.op]


def _everything(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    return tuple((0, height(shapes[name])) for name in node.inputs)


WHOLE = Rule(_everything, lambda node, shapes, lo, hi: (node,), lambda node, shapes: height(shapes[node.name]))


def _same(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    """The same rows of every input; an input of one row is broadcast to all."""
    total = height(shapes[node.name])
    return tuple((lo, hi) if height(shapes[name]) == total else (0, 1) for name in node.inputs)


def _own_rows(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    """Parameters that vary over pixels lose the other rows."""
    return (node.but(**{name: value[lo:hi] for name, value in node.params.items()
                        if isinstance(value, np.ndarray) and value.ndim == 3}),)


def _as_it_is(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    return (node,)


def _axis(node: Node, shapes: Shapes) -> tuple[int, int, int, tuple[int, int, int, int]]:
    """(height, extent, stride, rows of padding above) of a sliding window."""
    p, shape = node.params, shapes[node.inputs[0]]
    kernel = p["kernel"] if "kernel" in p else p["codes"].shape[2:4] if "codes" in p else p["weights"].shape[1:3]
    dilation = p.get("dilation", (1, 1))
    pad = pads(shape, kernel, p["stride"], dilation, p["padding"])
    return shape[1], extent(kernel[0], dilation[0]), p["stride"][0], pad


def _within(first: int, end: int, size: int) -> Span:
    """first..end cut to the image, at least one row of it: outputs may see the padding alone, or no input at all."""
    first = max(min(first, end - 1, size - 1), 0)
    return first, max(min(end, size), first + 1)


def _window_span(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[int, int, int, tuple[int, int, int, int]]:
    size, span, stride, pad = _axis(node, shapes)
    return size, lo * stride - pad[0], (hi - 1) * stride + span - pad[0], pad


def _window_needs(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    size, first, end, _ = _window_span(node, shapes, lo, hi)
    return (_within(first, end, size),)


def _window_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    size, first, end, (_, _, left, right) = _window_span(node, shapes, lo, hi)
    low, high = _within(first, end, size)
    return (node.but(padding=(low - first, end - high, left, right)),)


def _transposed(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[int, int, int]:
    """(first, end) input rows; out row o reads input i by tap k where i*S + k = o + top."""
    p, stride = node.params, node.params["stride"][0]
    taps = p["codes"].shape[2] if "codes" in p else p["weights"].shape[1]
    top = p["crop"][0]
    return *_within(-((taps - 1 - lo - top) // stride), (hi - 1 + top) // stride + 1, shapes[node.inputs[0]][1]), taps


def _transposed_needs(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    return (_transposed(node, shapes, lo, hi)[:2],)


def _transposed_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    stride, (top, _, left, right) = node.params["stride"][0], node.params["crop"]
    first, end, taps = _transposed(node, shapes, lo, hi)
    above = lo + top - first * stride
    below = (end - first - 1) * stride + taps - above - (hi - lo)
    return (node.but(crop=(above, below, left, right)),)


def _factor(node: Node, shapes: Shapes) -> int:
    return int(node.params["factor"][0])


def _divided(factor: Callable[[Node, Shapes], int]) -> Needs:
    return lambda node, shapes, lo, hi: ((lo // factor(node, shapes), -(-hi // factor(node, shapes))),)


def _bilinear_needs(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    """One row more on either side where the image goes on."""
    factor = _factor(node, shapes)
    return (_within(lo // factor - 1, hi // factor + 1, shapes[node.inputs[0]][1]),)


def _bilinear_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    """Unclamped, without the rows that only the neighbours were read for, then clamped and counted."""
    factor, ((first, end),) = _factor(node, shapes), _bilinear_needs(node, shapes, lo, hi)
    above, below = lo - first * factor, end * factor - hi
    if not above and not below:
        return (node,)
    crop = Node.make(node.name, "crop", node.inputs, crop=(above, below, 0, 0))
    if node.op == "bilinear":
        return node, crop
    clamp = Node.make(node.name, "qconcat", node.inputs, m=np.array([1]), shift=np.array([0]), axis=3,
                      lo=node.params["lo"], hi=node.params["hi"])
    return node.but(lo=INT32.min, hi=INT32.max), crop, clamp


def _block(node: Node, shapes: Shapes) -> int:
    return int(node.params["block"])


def _gathered(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    return ((lo * node.params["block"], hi * node.params["block"]),)


def _shifted(rows: Callable[[Mapping[str, Any]], int]) -> Needs:
    """needs of a move that takes row o + rows(params) for output row o."""
    def function(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
        by = rows(node.params)
        return (_within(lo + by, hi + by, shapes[node.inputs[0]][1]),)
    return function


def _pad_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    """Rows of padding alone are made from one row of the image, which is then cropped."""
    top, _, left, right = node.params["pad"]
    low, high = _within(lo - top, hi - top, shapes[node.inputs[0]][1])
    above, below = low - (lo - top), hi - top - high
    padded = node.but(pad=(max(above, 0), max(below, 0), left, right))
    if above >= 0 and below >= 0:
        return (padded,)
    return padded, Node.make(node.name, "crop", node.inputs, crop=(max(-above, 0), max(-below, 0), 0, 0))


def _crop_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    return (node.but(crop=(0, 0, *node.params["crop"][2:])),)


def _slice_needs(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Span, ...]:
    by = node.params["start"] if node.params["axis"] == 1 else 0
    return ((lo + by, hi + by),)


def _slice_nodes(node: Node, shapes: Shapes, lo: int, hi: int) -> tuple[Node, ...]:
    return (node.but(start=0, stop=hi - lo) if node.params["axis"] == 1 else node,)


PIXELWISE = Rule(_same, _own_rows)
WINDOW = Rule(_window_needs, _window_nodes)
TRANSPOSED = Rule(_transposed_needs, _transposed_nodes, lambda node, shapes: node.params["stride"][0])
BILINEAR = Rule(_bilinear_needs, _bilinear_nodes, _factor)
RULES = {
    **dict.fromkeys(ops_with(Trait.PIXELWISE), PIXELWISE),
    **dict.fromkeys(ops_with(Trait.WINDOW), WINDOW),
    **dict.fromkeys((*ops_with(Trait.GLOBAL), "reshape", "flatten"), WHOLE),
    **dict.fromkeys(("conv2d_transpose", "qconv2d_transpose"), TRANSPOSED),
    **dict.fromkeys(("bilinear", "qbilinear"), BILINEAR),
    "upsample_nearest": Rule(_divided(_factor), _as_it_is, _factor),
    "depth_to_space": Rule(_divided(_block), _as_it_is, _block),
    "space_to_depth": Rule(_gathered, _as_it_is),
    "pad": Rule(_shifted(lambda p: -p["pad"][0]), _pad_nodes),
    "crop": Rule(_shifted(lambda p: p["crop"][0]), _crop_nodes),
    "slice": Rule(_slice_needs, _slice_nodes),
}
