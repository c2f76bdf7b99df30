"""Rowpack: the KW*IC lanes of a kernel row packed into whole words, for first layers with few channels (spec/device.md rule 4.8).

The packed layer is an ordinary one with KW = 1, IC = KW*IC (lane kx*IC + ic), input width OW, stride [s,1], pad [t,b,0,0].
"""
from dataclasses import replace

import numpy as np

from hwsim.ops.layer import ArrayLayer


def packs(layer: ArrayLayer) -> bool:
    """A depthwise layer has one lane per channel already: there the option has no meaning."""
    return layer.rowpack and not layer.depthwise


def pack_layer(layer: ArrayLayer, tn: int = 16) -> ArrayLayer:
    """The ordinary ArrayLayer that runs a rowpack layer; any other as it is."""
    if not packs(layer):
        return layer
    words, oc, kh, kw, ic = layer.weights.codes.shape
    top, bottom, _, _ = layer.pad
    weights = replace(layer.weights, codes=layer.weights.codes.reshape(words, oc, kh, 1, kw * ic), flags=_pack_flags(layer, tn))
    ordinary = layer.reshaped(stride=(layer.stride[0], 1), dilation=(layer.dilation[0], 1), pad=(top, bottom, 0, 0),
                              in_hw=(layer.in_hw[0], layer.out_hw[1]), rowpack=False)
    return replace(ordinary, weights=weights)


def pack_input(layer: ArrayLayer, x: np.ndarray) -> np.ndarray:
    """x (IH,IW,IC) as the packed layer reads it: (IH, OW, KW*IC), zeros outside the image."""
    if not packs(layer):
        return x
    (_, width), kw, ic = layer.in_hw, layer.kernel[1], layer.ic
    packed = np.zeros((x.shape[0], layer.out_hw[1], kw * ic), np.int64)
    for kx in range(kw):
        columns = np.arange(layer.out_hw[1]) * layer.stride[1] + kx * layer.dilation[1] - layer.pad[2]
        inside = (columns >= 0) & (columns < width)
        packed[:, inside, kx * ic:(kx + 1) * ic] = x[:, columns[inside]]
    return packed


def _pack_flags(layer: ArrayLayer, tn: int) -> np.ndarray | None:
    """A chunk takes two words when it meets a two-word tile of the unpacked layer."""
    flags, kw, ic = layer.weights.flags, layer.kernel[1], layer.ic
    if flags is None:
        return None
    lanes = np.arange(kw * ic)
    per_lane = flags[:, (lanes % ic) // tn, :, lanes // ic]       # (KW*IC, COT, KH)
    chunks = np.logical_or.reduceat(per_lane, np.arange(0, kw * ic, tn), axis=0)
    return np.ascontiguousarray(chunks.transpose(1, 0, 2)[..., None])
