"""Cutting an array node into ordinary convolutions: groups, transposed phases, dense (spec/device.md section 4)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from hwsim.ops.epilogue import Epilogue
from hwsim.ops.geometry import Geometry
from hwsim.ops.kinds import Params
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.phases import AxisPhase, axis_phase
from hwsim.ops.spec import ARRAY, INTEGER
from hwsim.ops.table import ops_with
from hwsim.ops.weights import Weights
from hwsim.ops.window import out_hw, pads

Image: TypeAlias = tuple[int, int, int, int]  # N, H, W, C

ARRAY_OPS = ops_with(dialect=INTEGER, unit=ARRAY)


class ArrayNode(Protocol):
    """What cut() reads of a node of a graph."""

    @property
    def name(self) -> str:
        """Of the node and its output tensor."""

    @property
    def op(self) -> str:
        """One of ARRAY_OPS."""

    @property
    def params(self) -> Params:
        """As its OpSpec lists them."""


@dataclass(frozen=True)
class Cut:
    """`layer` reads in_channels of the node's input and fills out[:, rows, cols, out_channels]."""

    layer: ArrayLayer
    in_channels: slice
    rows: slice
    cols: slice
    out_channels: slice


def image_shape(shape: tuple[int, ...]) -> Image:
    """A concrete tensor shape (N first) as N,H,W,C: missing axes are 1, more of them make rows; so the array sees any tensor."""
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
    layer = ArrayLayer(name=node.name, suffix="", geometry=geometry, weights=Weights.from_fields(node.params),
                       epilogue=Epilogue.from_fields(node.params))
    everything = slice(None)
    return Cut(layer=layer, in_channels=everything, rows=everything, cols=everything, out_channels=everything)


def _group(node: ArrayNode, g: int, ocg: int, icg: int, geometry: Geometry, tm: int) -> Cut:
    outs = slice(g * ocg, (g + 1) * ocg)
    layer = ArrayLayer(name=node.name, suffix=f".g{g}", geometry=geometry, weights=Weights.from_fields(node.params).of(outs, tm),
                       epilogue=Epilogue.from_fields(node.params).of(outs))
    return Cut(layer=layer, in_channels=slice(g * icg, (g + 1) * icg), rows=slice(None), cols=slice(None), out_channels=outs)


def _transpose(node: ArrayNode, shape: Image, tm: int) -> tuple[Cut, ...]:
    p = node.params
    kh, kw = p["codes"].shape[2:4]
    (sh, sw), (top, bottom, left, right) = p["stride"], p["crop"]
    height = (shape[1] - 1) * sh + kh - top - bottom
    width = (shape[2] - 1) * sw + kw - left - right
    cuts = []
    for py in range(sh):
        for px in range(sw):
            rows, cols = axis_phase(py, sh, kh, top, height), axis_phase(px, sw, kw, left, width)
            if -1 in rows.taps or -1 in cols.taps:
                rows, cols = AxisPhase((-1,), 0, rows.count), AxisPhase((-1,), 0, cols.count)
            cuts.append(_phase(node, py, px, rows, cols, shape))
    return tuple(piece for piece in cuts if 0 not in piece.layer.out_hw)


def _phase(node: ArrayNode, py: int, px: int, rows: AxisPhase, cols: AxisPhase, shape: Image) -> Cut:
    """Phase (py, px): every SH-th output row from py on, every SW-th column from px on."""
    (sh, sw), (in_h, in_w) = node.params["stride"], shape[1:3]
    bottom = rows.count - 1 + len(rows.taps) - rows.pad - in_h
    right = cols.count - 1 + len(cols.taps) - cols.pad - in_w
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(rows.pad, bottom, cols.pad, right),
                        in_hw=(in_h, in_w), out_hw=(rows.count, cols.count))
    kernel = Weights.from_fields(node.params)
    weights = kernel.without_taps() if -1 in rows.taps else kernel.at_taps(rows.taps, cols.taps)
    layer = ArrayLayer(name=node.name, suffix=f".p{py}{px}" if max(sh, sw) <= 10 else f".p{py}_{px}", geometry=geometry,
                       weights=weights, epilogue=Epilogue.from_fields(node.params))
    return Cut(layer=layer, in_channels=slice(None), rows=slice(py, None, sh), cols=slice(px, None, sw), out_channels=slice(None))


def _dense(node: ArrayNode, shape: Image, tm: int) -> tuple[Cut, ...]:
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(0, 0, 0, 0), in_hw=(shape[1], shape[2]), out_hw=(shape[1], shape[2]))
    return (_whole(node, geometry),)


_CUT = {"qconv2d": _conv, "qconv2d_transpose": _transpose, "qdense": _dense}
