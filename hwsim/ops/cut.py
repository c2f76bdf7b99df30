"""Cutting an array node into ordinary convolutions: groups, transposed phases, dense (spec/device.md section 4)."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from hwsim.ops.epilogue import Epilogue
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.phases import AxisPhase, axis_phase
from hwsim.ops.spec import ARRAY, INTEGER
from hwsim.ops.table import ops_with
from hwsim.ops.weights import Weights
from hwsim.ops.window import out_hw, pads

Image: TypeAlias = tuple[int, int, int, int]  # N, H, W, C

ARRAY_OPS = ops_with(dialect=INTEGER, unit=ARRAY)


class ArrayNode(Protocol):
    """What is read of a graph's node."""

    @property
    def name(self) -> str: ...

    @property
    def op(self) -> str: ...

    @property
    def params(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Cut:
    """`layer` reads in_channels of the node's input and fills out[:, rows, cols, out_channels]."""

    layer: ArrayLayer
    in_channels: slice
    rows: slice
    cols: slice
    out_channels: slice


def image_shape(shape: tuple[int, ...]) -> Image:
    """A concrete tensor shape seen as N,H,W,C: what a dense layer's input is to the array."""
    n, *middle, c = shape
    middle = [1] * (2 - len(middle)) + middle
    return (n, int(np.prod(middle[:-1], dtype=np.int64)), middle[-1], c)


def cut(node: ArrayNode, in_shape: tuple[int, ...], tm: int = 16) -> tuple[Cut, ...]:
    """The Cuts of an array node for a concrete input shape, in the order in which the array runs them."""
    return _CUT[node.op](node, image_shape(in_shape), tm)


def _conv(node: ArrayNode, shape: Image, tm: int) -> tuple[Cut, ...]:
    p = node.params
    groups, (oc, kh, kw, icg) = p["groups"], p["codes"].shape[1:]
    depthwise = groups == oc and icg == 1 and groups > 1
    geometry = Geometry(stride=p["stride"], dilation=p["dilation"], in_hw=(shape[1], shape[2]),
                        depthwise=depthwise, rowpack=p["rowpack"],
                        pad=pads(shape, (kh, kw), p["stride"], p["dilation"], p["padding"]),
                        out_hw=out_hw(shape, (kh, kw), p["stride"], p["dilation"], p["padding"]))
    if groups == 1 or depthwise:
        return (_whole(node, geometry),)
    return tuple(_group(node, g, oc // groups, icg, geometry, tm) for g in range(groups))


def _whole(node: ArrayNode, geometry: Geometry) -> Cut:
    layer = ArrayLayer(node.name, "", geometry, Weights.from_fields(node.params), Epilogue.from_fields(node.params))
    everything = slice(None)
    return Cut(layer, everything, everything, everything, everything)


def _group(node: ArrayNode, g: int, ocg: int, icg: int, geometry: Geometry, tm: int) -> Cut:
    outs = slice(g * ocg, (g + 1) * ocg)
    layer = ArrayLayer(node.name, f".g{g}", geometry, Weights.from_fields(node.params).of(outs, tm),
                       Epilogue.from_fields(node.params).of(outs))
    return Cut(layer, slice(g * icg, (g + 1) * icg), slice(None), slice(None), outs)


def _transpose(node: ArrayNode, shape: Image, tm: int) -> tuple[Cut, ...]:
    p = node.params
    kh, kw = p["codes"].shape[2:4]
    (sh, sw), (top, bottom, left, right) = p["stride"], p["crop"]
    height = (shape[1] - 1) * sh + kh - top - bottom
    width = (shape[2] - 1) * sw + kw - left - right
    cuts = []
    for py in range(sh):
        for px in range(sw):
            y, x = axis_phase(py, sh, kh, top, height), axis_phase(px, sw, kw, left, width)
            if -1 in y.taps or -1 in x.taps:
                y, x = AxisPhase((-1,), 0, y.count), AxisPhase((-1,), 0, x.count)
            cuts.append(_phase(node, py, px, y, x, shape))
    return tuple(c for c in cuts if 0 not in c.layer.out_hw)


def _phase(node: ArrayNode, py: int, px: int, y: AxisPhase, x: AxisPhase, shape: Image) -> Cut:
    (sh, sw), (in_h, in_w) = node.params["stride"], shape[1:3]
    bottom = y.count - 1 + len(y.taps) - y.pad - in_h
    right = x.count - 1 + len(x.taps) - x.pad - in_w
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(y.pad, bottom, x.pad, right),
                        in_hw=(in_h, in_w), out_hw=(y.count, x.count))
    whole = Weights.from_fields(node.params)
    weights = whole.without_taps() if -1 in y.taps else whole.at_taps(y.taps, x.taps)
    layer = ArrayLayer(node.name, f".p{py}{px}" if max(sh, sw) <= 10 else f".p{py}_{px}", geometry, weights,
                       Epilogue.from_fields(node.params))
    return Cut(layer, slice(None), slice(py, None, sh), slice(px, None, sw), slice(None))


def _dense(node: ArrayNode, shape: Image, tm: int) -> tuple[Cut, ...]:
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(0, 0, 0, 0), in_hw=(shape[1], shape[2]), out_hw=(shape[1], shape[2]))
    return (_whole(node, geometry),)


_CUT = {"qconv2d": _conv, "qconv2d_transpose": _transpose, "qdense": _dense}
