"""full[n, iy*SH+ky, ix*SW+kx, oc] += x[n,iy,ix,ic] * w[oc,ky,kx,ic]; out = full without its crop (top, bottom, left, right).

One ordinary convolution per output phase (py, px), in that order (spec/device.md rule 4.7): output row oy = py + SH*j meets the
kernel rows ky with (oy + top - ky) divisible by SH, in the order of growing input row, so with ky falling.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.accumulate import Beats
from hwsim.engine.reference.layer import array_layer, window
from hwsim.engine.result import merge
from hwsim.graph.node import Node
from hwsim.ops.weights import Weights

AxisTap = tuple[int, int]  # kernel index, input index under the phase's first output


def conv2d_transpose(node: Node, inputs: Inputs, context: Context) -> Output:
    """Phase after phase, each an array layer with the suffix .pYX; its outputs lie one stride apart."""
    (x,), p = inputs, node.params
    w = Weights.from_fields(p).integers
    oc, kh, kw = w.shape[1:4]
    (sh, sw), (top, bottom, left, right) = p["stride"], p["crop"]
    oh, ow = (x.shape[1] - 1) * sh + kh - top - bottom, (x.shape[2] - 1) * sw + kw - left - right
    y, stats = np.empty((len(x), oh, ow, oc), np.int64), []
    # an output smaller than the stride has fewer phases than the stride; the others would be layers without outputs
    for py in range(min(sh, oh)):
        for px in range(min(sw, ow)):
            size = len(range(py, oh, sh)), len(range(px, ow, sw))
            rows, cols = _axis_taps(py, sh, kh, top), _axis_taps(px, sw, kw, left)
            beats = _beats(x, w, rows, cols, size, context.datapath.tn)
            suffix = f".p{py}{px}" if max(sh, sw) <= 10 else f".p{py}_{px}"
            y[:, py::sh, px::sw], counters = array_layer(node, suffix, slice(None), (len(x), *size), beats, context)
            stats.append(counters)
    return y, merge(stats)


def _axis_taps(phase: int, stride: int, kernel: int, before: int) -> list[AxisTap]:
    """The taps that the outputs of a phase see on one axis, in the order of growing input."""
    return [(k, (phase + before - k) // stride) for k in reversed(range(kernel)) if (phase + before - k) % stride == 0]


def _beats(x: np.ndarray, w: np.ndarray, rows: Sequence[AxisTap], cols: Sequence[AxisTap], size: tuple[int, int],
           tn: int) -> Beats:
    """Tap number t of the phase's own kernel is the beat's ky (kx); a phase without taps is a 1x1 zero kernel."""
    words, oc, _, _, ic = w.shape
    # the device still runs such a layer, and its beats of zeros count like any others
    if not rows or not cols:
        w, rows, cols = np.zeros((words, oc, 1, 1, ic), np.int64), [(0, 0)], [(0, 0)]
    for ty, (ky, iy) in enumerate(rows):
        for tx, (kx, ix) in enumerate(cols):
            taps = window(x, (iy, ix), (1, 1), size)
            for cit in range(-(-ic // tn)):
                lanes = slice(cit * tn, (cit + 1) * tn)
                for word in range(words):
                    yield (ty, tx, cit, word), taps[..., lanes] @ w[word, :, ky, kx, lanes].T
