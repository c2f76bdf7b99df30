"""Cutting an array node into ordinary convolutions: groups, transposed phases, dense (DEVICE.md, Cycles of an array layer)."""
from dataclasses import dataclass

import numpy as np

from hwsim.ops.layer import ArrayLayer
from hwsim.ops.phases import AxisPhase, axis_phase
from hwsim.ops.spec import ARRAY, INTEGER
from hwsim.ops.table import ops_with
from hwsim.ops.window import out_hw, pads

ARRAY_OPS = ops_with(dialect=INTEGER, unit=ARRAY)
FIELDS = ("bias", "m_pos", "m_neg", "shift", "alpha_q", "m2", "shift2")


@dataclass(frozen=True)
class Cut:
    """`layer` reads in_channels of the node's input and fills out[:, rows, cols, out_channels]."""

    layer: ArrayLayer
    in_channels: slice
    rows: slice
    cols: slice
    out_channels: slice


def image_shape(shape):
    """A concrete tensor shape seen as N,H,W,C: what a dense layer's input is to the array."""
    n, *middle, c = shape
    middle = [1] * (2 - len(middle)) + middle
    return (n, int(np.prod(middle[:-1], dtype=np.int64)), middle[-1], c)


def cut(node, in_shape, tm=16):
    """The Cuts of an array node for a concrete input shape, in the order in which the array runs them."""
    return _CUT[node.op](node, image_shape(in_shape), tm)


def _conv(node, shape, tm):
    p = node.params
    groups, (oc, kh, kw, icg) = p["groups"], p["codes"].shape[1:]
    geometry = {"stride": p["stride"], "dilation": p["dilation"], "in_hw": shape[1:3], "rowpack": p["rowpack"],
                "pad": pads(shape, (kh, kw), p["stride"], p["dilation"], p["padding"]),
                "out_hw": out_hw(shape, (kh, kw), p["stride"], p["dilation"], p["padding"])}
    if groups == 1 or (groups == oc and icg == 1):
        return (_whole(node, groups > 1, geometry),)
    return tuple(_group(node, g, oc // groups, icg, geometry, tm) for g in range(groups))


def _whole(node, depthwise, geometry):
    layer = ArrayLayer(node.name, "", depthwise, node.params["codes"], flags=node.params["flags"],
                       **_fields(node.params, slice(None)), **_word(node.params), **geometry)
    everything = slice(None)
    return Cut(layer, everything, everything, everything, everything)


def _group(node, g, ocg, icg, geometry, tm):
    outs = slice(g * ocg, (g + 1) * ocg)
    layer = ArrayLayer(node.name, f".g{g}", False, node.params["codes"][:, outs],
                       flags=_group_flags(node.params["flags"], outs, tm),
                       **_fields(node.params, outs), **_word(node.params), **geometry)
    return Cut(layer, slice(g * icg, (g + 1) * icg), slice(None), slice(None), outs)


def _group_flags(flags, outs, tm):
    """A group's tile takes two words when it meets a selected tile of the whole layer."""
    if flags is None:
        return None
    per_channel = np.repeat(flags, tm, axis=0)[outs]
    starts = np.arange(0, len(per_channel), tm)
    return np.logical_or.reduceat(per_channel, starts, axis=0)


def _transpose(node, shape, tm):
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


def _phase(node, py, px, y, x, shape):
    p = node.params
    (sh, sw), (in_h, in_w) = p["stride"], shape[1:3]
    bottom = y.count - 1 + len(y.taps) - y.pad - in_h
    right = x.count - 1 + len(x.taps) - x.pad - in_w
    layer = ArrayLayer(node.name, f".p{py}{px}" if max(sh, sw) <= 10 else f".p{py}_{px}", False,
                       _taps(p["codes"], y.taps, x.taps), flags=_tap_flags(p["flags"], y.taps, x.taps),
                       stride=(1, 1), dilation=(1, 1), pad=(y.pad, bottom, x.pad, right),
                       in_hw=(in_h, in_w), out_hw=(y.count, x.count), **_fields(p, slice(None)), **_word(p))
    return Cut(layer, slice(None), slice(py, None, sh), slice(px, None, sw), slice(None))


def _taps(codes, rows, cols):
    if -1 in rows:
        return np.zeros((*codes.shape[:2], 1, 1, codes.shape[4]), np.int64)
    return codes[:, :, rows][:, :, :, cols]


def _tap_flags(flags, rows, cols):
    if flags is None:
        return None
    if -1 in rows:
        return np.zeros((*flags.shape[:2], 1, 1), bool)
    return flags[:, :, rows][:, :, :, cols]


def _dense(node, shape, tm):
    geometry = {"stride": (1, 1), "dilation": (1, 1), "pad": (0, 0, 0, 0), "in_hw": shape[1:3], "out_hw": shape[1:3]}
    return (_whole(node, False, geometry),)


def _fields(params, outs):
    return {name: None if params[name] is None else params[name][outs] for name in FIELDS} | {
        "lo": params["lo"], "hi": params["hi"]}


def _word(params):
    return {"w_format": params["w_format"], "w_bits": params["w_bits"]}


_CUT = {"qconv2d": _conv, "qconv2d_transpose": _transpose, "qdense": _dense}
