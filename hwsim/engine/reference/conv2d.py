"""acc[n,oy,ox,oc] = bias[oc] + sum over ky,kx,ic of x[n, oy*SH+ky*DH-top, ox*SW+kx*DW-left, g*ICG+ic] * w[oc,ky,kx,ic]."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.accumulate import Beats
from hwsim.engine.reference.layer import array_layer, window
from hwsim.engine.result import merge
from hwsim.graph.node import Node
from hwsim.ops.weights import Weights
from hwsim.ops.window import out_hw, pads

Taps = Callable[[int, int], np.ndarray]  # (ky, kx) -> what every output reads there, (N,OH,OW,IC)


def conv2d(node: Node, inputs: Inputs, context: Context) -> Output:
    """Groups run one after another, each a layer of its own; depthwise runs as one layer."""
    (x,), p = inputs, node.params
    w = Weights.from_fields(p).integers
    groups, (oc, kh, kw, icg) = p["groups"], w.shape[1:]
    size = out_hw(x.shape, (kh, kw), p["stride"], p["dilation"], p["padding"])
    image = (len(x), *size)
    taps = _taps(x, p, (kh, kw), size)
    # depthwise is one layer and not a chain of groups of one channel: its beats take a tile of channels at once
    if groups > 1 and groups == oc and icg == 1:
        return array_layer(node, "", slice(None), image, _depthwise_beats(taps, w), context)
    beats = _rowpack_beats if p["rowpack"] else _beats
    parts = []
    for g in range(groups):
        outs, ins = slice(g * oc // groups, (g + 1) * oc // groups), slice(g * icg, (g + 1) * icg)
        # every group is a layer of the device, with counters and events under its own name
        suffix = f".g{g}" if groups > 1 else ""
        y, counters = array_layer(node, suffix, outs, image, beats(taps, ins, w[:, outs], context.datapath.tn), context)
        parts.append((y, counters.on_channels(outs, oc)))
    ys, stats = zip(*parts)
    return np.concatenate(ys, axis=3), merge(stats)


def _taps(x: np.ndarray, p: Mapping[str, Any], kernel: tuple[int, int], size: tuple[int, int]) -> Taps:
    """taps(ky, kx) = x[n, oy*SH+ky*DH-top, ox*SW+kx*DW-left, :]."""
    top, _, left, _ = pads(x.shape, kernel, p["stride"], p["dilation"], p["padding"])
    dh, dw = p["dilation"]
    return lambda ky, kx: window(x, (ky * dh - top, kx * dw - left), p["stride"], size)


def _beats(taps: Taps, ins: slice, w: np.ndarray, tn: int) -> Beats:
    """Kernel row, kernel column, input tile of tn channels, word; w (WORDS,OC,KH,KW,IC)."""
    words, _, kh, kw, ic = w.shape
    for ky in range(kh):
        for kx in range(kw):
            x = taps(ky, kx)[..., ins]
            for cit in range(-(-ic // tn)):
                lanes = slice(cit * tn, (cit + 1) * tn)
                for word in range(words):
                    yield (ky, kx, cit, word), x[..., lanes] @ w[word, :, ky, kx, lanes].T


def _rowpack_beats(taps: Taps, ins: slice, w: np.ndarray, tn: int) -> Beats:
    """The KW*IC lanes of a kernel row (lane kx*IC+ic) in chunks of tn; a chunk is the beat's cit and kx is 0."""
    words, oc, kh, kw, ic = w.shape
    for ky in range(kh):
        # the array fills its lanes across taps: a chunk may begin in one tap and end in the next
        x = np.concatenate([taps(ky, kx)[..., ins] for kx in range(kw)], axis=3)
        for chunk in range(-(-kw * ic // tn)):
            lanes = slice(chunk * tn, (chunk + 1) * tn)
            for word in range(words):
                yield (ky, 0, chunk, word), x[..., lanes] @ w[word, :, ky].reshape(oc, kw * ic)[:, lanes].T


def _depthwise_beats(taps: Taps, w: np.ndarray) -> Beats:
    """Kernel row, kernel column, word: every channel meets only its own kernel."""
    words, _, kh, kw, _ = w.shape
    for ky in range(kh):
        for kx in range(kw):
            for word in range(words):
                yield (ky, kx, None, word), taps(ky, kx) * w[word, :, ky, kx, 0]
