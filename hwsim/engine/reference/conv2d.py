"""acc[n,oy,ox,oc] = bias[oc] + sum over ky,kx,ic of x[n, oy*SH+ky*DH-top, ox*SW+kx*DW-left, g*ICG+ic] * w[oc,ky,kx,ic]."""
import numpy as np

from hwsim.engine.reference.layer import array_layer, window
from hwsim.engine.result import merge
from hwsim.ops.weights import Weights
from hwsim.ops.window import out_hw, pads


def conv2d(node, inputs, context):
    """Groups run one after another, each a layer of its own; depthwise runs as one layer."""
    (x,), p = inputs, node.params
    w = Weights.from_fields(p).integers
    groups, (oc, kh, kw, icg) = p["groups"], w.shape[1:]
    size = out_hw(x.shape, (kh, kw), p["stride"], p["dilation"], p["padding"])
    image = (len(x), *size)
    taps = _taps(x, p, (kh, kw), size)
    if groups > 1 and groups == oc and icg == 1:
        return array_layer(node, "", slice(None), image, _depthwise_beats(taps, w), context)
    beats = _rowpack_beats if p["rowpack"] else _beats
    parts = []
    for g in range(groups):
        outs, ins = slice(g * oc // groups, (g + 1) * oc // groups), slice(g * icg, (g + 1) * icg)
        suffix = f".g{g}" if groups > 1 else ""
        y, counters = array_layer(node, suffix, outs, image, beats(taps, ins, w[:, outs], context.datapath.tn), context)
        parts.append((y, counters.on_channels(outs, oc)))
    ys, stats = zip(*parts)
    return np.concatenate(ys, axis=3), merge(stats)


def _taps(x, p, kernel, size):
    """taps(ky, kx) -> x[n, oy*SH+ky*DH-top, ox*SW+kx*DW-left, :] as (N,OH,OW,IC)."""
    top, _, left, _ = pads(x.shape, kernel, p["stride"], p["dilation"], p["padding"])
    (dh, dw) = p["dilation"]
    return lambda ky, kx: window(x, (ky * dh - top, kx * dw - left), p["stride"], size)


def _beats(taps, ins, w, tn):
    words, _, kh, kw, ic = w.shape
    for ky in range(kh):
        for kx in range(kw):
            x = taps(ky, kx)[..., ins]
            for cit in range(-(-ic // tn)):
                lanes = slice(cit * tn, (cit + 1) * tn)
                for word in range(words):
                    yield (ky, kx, cit, word), x[..., lanes] @ w[word, :, ky, kx, lanes].T


def _rowpack_beats(taps, ins, w, tn):
    """The KW*IC lanes of a kernel row (lane kx*IC+ic) in chunks of tn; a chunk is the beat's cit and kx is 0."""
    words, oc, kh, kw, ic = w.shape
    for ky in range(kh):
        x = np.concatenate([taps(ky, kx)[..., ins] for kx in range(kw)], axis=3)
        for chunk in range(-(-kw * ic // tn)):
            lanes = slice(chunk * tn, (chunk + 1) * tn)
            for word in range(words):
                yield (ky, 0, chunk, word), x[..., lanes] @ w[word, :, ky].reshape(oc, kw * ic)[:, lanes].T


def _depthwise_beats(taps, w):
    words, _, kh, kw, _ = w.shape
    for ky in range(kh):
        for kx in range(kw):
            for word in range(words):
                yield (ky, kx, None, word), taps(ky, kx) * w[word, :, ky, kx, 0]
