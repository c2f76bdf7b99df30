"""The codes that every tensor can hold: ranges propagated through the integer graph, per channel (spec/arithmetic.md section 7).

A range is (lo, hi), two integer arrays over the last axis. Every rule is sound: it may be wider than the truth, never
narrower. Scaling is monotone on each side of zero, so the ends and the codes next to zero decide.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, Datapath, IntFormat, Overflow, Rounding
from hwsim.fixed.narrow import clamp, saturate
from hwsim.fixed.rounding import round_shift
from hwsim.graph.accumulator import SumRange
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import Shapes
from hwsim.ops.cut import ARRAY_OPS, cut
from hwsim.ops.epilogue import Folded, Raw, Stage, ThreeStep, stage_of
from hwsim.ops.layer import ArrayLayer

Range: TypeAlias = tuple[Any, Any]
"""(lo, hi) of a tensor: integers, or arrays (C) of int64 or Python integers; an integer stands for every channel."""


@dataclass(frozen=True)
class Scope:
    """What the rules read besides the node and its input ranges: the formats and shapes of every tensor, and the datapath."""

    formats: Mapping[str, IntFormat]
    shapes: Shapes
    datapath: Datapath

    def on_channels(self, node: Node) -> bool:
        """Whether the node works along the last axis."""
        return bool(node.params["axis"] == len(self.shapes[node.name]) - 1)


def reachable(graph: Graph, formats: Mapping[str, IntFormat], shapes: Shapes,
              datapath: Datapath) -> tuple[dict[str, Range], dict[str, SumRange]]:
    """(tensor -> (lo, hi), array node -> SumRange) of a placed integer graph for concrete shapes.

    A SumRange covers every partial sum: each input range is widened to hold 0, which padding and idle lanes are.
    """
    ranges: dict[str, Range] = {}
    sums: dict[str, SumRange] = {}
    scope = Scope(formats, shapes, datapath)
    for node in graph.nodes:
        read = [ranges[name] for name in node.inputs]
        if node.op in ARRAY_OPS:
            sums[node.name] = node_sums(node, shapes[node.inputs[0]], _with_zero(read[0]), datapath.tm)
            codes = _array(node, sums[node.name], formats[node.name], datapath)
        else:
            codes = RULES[node.op](node, read, scope)
        ranges[node.name] = _per_channel(codes, formats[node.name], shapes[node.name][-1])
    return ranges, sums


def node_sums(node: Node, in_shape: tuple[int, ...], x: Range, tm: int) -> SumRange:
    """The SumRange of an array node for inputs within x = (lo, hi) per channel, both words and the bias by its own sign."""
    oc = len(node.params["bias"])
    lo, hi = np.full(oc, np.iinfo(np.int64).max), np.full(oc, np.iinfo(np.int64).min)
    for piece in cut(node, in_shape, tm):
        outs, layer = piece.out_channels, piece.layer
        least, most = _layer_sums(layer, *(end[piece.in_channels] for end in x))
        lo[outs], hi[outs] = np.minimum(lo[outs], least), np.maximum(hi[outs], most)
    return SumRange(lo, hi, True)


def _layer_sums(layer: ArrayLayer, xlo: np.ndarray, xhi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(least, most) sum of each output channel, bias included, for inputs in xlo..xhi (IC)."""
    weights = layer.weights.integers
    lanes = (layer.oc, 1, 1, 1) if layer.depthwise else (1, 1, 1, layer.ic)
    ends = weights * xlo.reshape(lanes), weights * xhi.reshape(lanes)
    axes = (0, 2, 3, 4)
    return (np.minimum(*ends).sum(axis=axes) + np.minimum(layer.epilogue.bias, 0),
            np.maximum(*ends).sum(axis=axes) + np.maximum(layer.epilogue.bias, 0))


def _with_zero(x: Range) -> Range:
    return np.minimum(x[0], 0), np.maximum(x[1], 0)


def _per_channel(codes: Range, fmt: IntFormat, channels: int) -> Range:
    """The range inside its format, int64 (channels)."""
    lo, hi = (np.broadcast_to(saturate(np.asarray(end).astype(np.int64), fmt), channels) for end in codes)
    return lo, hi


def _anything(node: Node, read: list[Range], scope: Scope) -> Range:
    fmt = scope.formats[node.name]
    return fmt.min, fmt.max


def _array(node: Node, sums: SumRange, fmt: IntFormat, datapath: Datapath) -> Range:
    """What the requantizer makes of the sums; past the accumulator a wrap can give any of its codes."""
    word = datapath.acc_format
    inside = (sums.lo >= word.min) & (sums.hi <= word.max)
    if datapath.acc_mode is Overflow.WRAP:
        lo, hi = np.where(inside, sums.lo, word.min), np.where(inside, sums.hi, word.max)
    else:
        lo, hi = saturate(sums.lo, word), saturate(sums.hi, word)
    stage = stage_of(node.params)
    return _ends([_STAGES[type(stage)](acc, stage, fmt, datapath.rounding) for acc in _corners(lo, hi)], node.params)


def _folded(acc: np.ndarray, stage: Folded, fmt: IntFormat, rounding: Rounding) -> np.ndarray:
    return _scaled(acc, np.where(acc >= 0, stage.m_pos, stage.m_neg), stage.shift, rounding)


def _three_step(acc: np.ndarray, stage: ThreeStep, fmt: IntFormat, rounding: Rounding) -> np.ndarray:
    """The corners of all three steps: between them each step is monotone on either side of zero."""
    word = IntFormat(fmt.bits)
    t = saturate(_scaled(acc, stage.m1, stage.shift1, rounding), word)
    t = np.where(t < 0, saturate(_scaled(t, stage.alpha_q, ALPHA_SHIFT, rounding), word), t)
    return _scaled(t, stage.m2, stage.shift2, rounding)


def _raw(acc: np.ndarray, stage: Raw, fmt: IntFormat, rounding: Rounding) -> np.ndarray:
    return acc


_STAGES: Mapping[type[Stage], Callable[..., np.ndarray]] = {Folded: _folded, ThreeStep: _three_step, Raw: _raw}


def _corners(lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, ...]:
    """The ends of lo..hi and its codes next to zero on either side."""
    return lo, hi, np.clip(-1, lo, hi), np.clip(0, lo, hi)


def _scaled(value: Any, m: Any, s: Any, rounding: Rounding) -> np.ndarray:
    """round(value*m, s) of Python integers, element by element; m = 1 with s = 0 keeps the value under every rounding."""
    def element(v: int, k: int, n: int) -> int:
        return int(v) if (k, n) == (1, 0) else round_shift(int(v) * int(k), int(n), rounding)
    scaled: np.ndarray = np.frompyfunc(element, 3, 1)(value, m, s)
    return scaled


def _ends(values: Sequence[np.ndarray], params: Mapping[str, Any]) -> Range:
    """(lo, hi) over several candidate arrays, clamped as the operator does."""
    clamped = [clamp(np.asarray(value, object), params["lo"], params["hi"]) for value in values]
    return np.minimum.reduce(clamped), np.maximum.reduce(clamped)


def _same(node: Node, read: list[Range], scope: Scope) -> Range:
    return read[0]


def _shuffled(node: Node, read: list[Range], scope: Scope) -> Range:
    """Channels change place: any output channel may hold any code of the input."""
    return read[0][0].min(), read[0][1].max()


def _slice(node: Node, read: list[Range], scope: Scope) -> Range:
    lo, hi = read[0]
    channels = slice(node.params["start"], node.params["stop"])
    return (lo[channels], hi[channels]) if scope.on_channels(node) else read[0]


def _pad(node: Node, read: list[Range], scope: Scope) -> Range:
    return _with_zero(read[0])


def _prelu(node: Node, read: list[Range], scope: Scope) -> Range:
    p, fmt = node.params, scope.formats[node.name]
    lo, hi = _ends([_folded(x, Folded.from_fields(p), fmt, scope.datapath.rounding) for x in _corners(*read[0])], p)
    axes = tuple(range(lo.ndim - 1))
    return lo.min(axis=axes), hi.max(axis=axes)


def _table(node: Node, read: list[Range], scope: Scope) -> Range:
    table, first = node.params["table"], scope.formats[node.inputs[0]].min
    parts = [table[lo - first:hi - first + 1] for lo, hi in zip(*read[0])]
    return np.array([part.min() for part in parts]), np.array([part.max() for part in parts])


def _add(node: Node, read: list[Range], scope: Scope) -> Range:
    """One sum, one shift: the extremes of every term."""
    p = node.params
    terms = [np.sort([lo.astype(object) * int(m), hi.astype(object) * int(m)], axis=0) for (lo, hi), m in zip(read, p["m"])]
    return _ends([_scaled(sum(term[end] for term in terms), 1, p["shift"], scope.datapath.rounding) for end in (0, 1)], p)


def _multiply(node: Node, read: list[Range], scope: Scope) -> Range:
    (a, b), p = read, node.params
    products = [x.astype(object) * y for x in a for y in b]
    return _ends([_scaled(product, p["m"], p["shift"], scope.datapath.rounding) for product in products], p)


def _requantized(node: Node, read: list[Range], scope: Scope) -> list[Range]:
    """The range of every input after its own multiplier and shift."""
    p = node.params
    return [_ends([_scaled(end, m, s, scope.datapath.rounding) for end in x], p) for x, m, s in zip(read, p["m"], p["shift"])]


def _maximum(node: Node, read: list[Range], scope: Scope) -> Range:
    lows, highs = zip(*_requantized(node, read, scope))
    return reduce(np.maximum, lows), reduce(np.maximum, highs)


def _minimum(node: Node, read: list[Range], scope: Scope) -> Range:
    lows, highs = zip(*_requantized(node, read, scope))
    return reduce(np.minimum, lows), reduce(np.minimum, highs)


def _concat(node: Node, read: list[Range], scope: Scope) -> Range:
    parts = _requantized(node, read, scope)
    if scope.on_channels(node):
        return np.concatenate([lo for lo, _ in parts]), np.concatenate([hi for _, hi in parts])
    return min(lo.min() for lo, _ in parts), max(hi.max() for _, hi in parts)


def _average(node: Node, read: list[Range], scope: Scope) -> Range:
    p, (lo, hi) = node.params, read[0]
    return _ends([_scaled(end.astype(object) * int(taps), m, s, scope.datapath.rounding)
                  for end in (lo, hi) for taps, m, s in zip(p["taps"], p["m"], p["shift"])], p)


def _bilinear(node: Node, read: list[Range], scope: Scope) -> Range:
    """A weighted mean stays between its inputs."""
    return _ends(read[0], node.params)


# The rule of every operator of a placed graph but the array layers: function(node, ranges of its inputs, scope) -> range.
RULES: dict[str, Callable[[Node, list[Range], Scope], Range]] = {
         "input": _anything, "identity": _same, "max_pool": _same, "global_max_pool": _same, "upsample_nearest": _same,
         "crop": _same, "depth_to_space": _shuffled, "space_to_depth": _shuffled, "reshape": _shuffled, "flatten": _shuffled,
         "slice": _slice, "pad": _pad, "qprelu": _prelu, "qtable": _table, "qadd": _add, "qmul": _multiply,
         "qmaximum": _maximum, "qminimum": _minimum, "qconcat": _concat, "qavg_pool": _average, "qbilinear": _bilinear}
