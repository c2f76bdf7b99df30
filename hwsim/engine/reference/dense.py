"""acc[...,oc] = bias[oc] + sum over ic of x[...,ic] * w[oc,ic]: a 1x1 convolution over the positions before the last axis."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.reference.accumulate import Beats
from hwsim.engine.reference.layer import array_layer
from hwsim.graph.node import Node
from hwsim.ops.weights import Weights


def dense(node: Node, inputs: Inputs, context: Context) -> Output:
    """One array layer on an image of as many pixels as there are positions."""
    (x,), p = inputs, node.params
    w = Weights.from_fields(p).integers[:, :, 0, 0]
    n, cols, ic = len(x), x.shape[-2] if x.ndim > 2 else 1, x.shape[-1]
    rows = x[0].size // (cols * ic)
    beats = _beats(x.reshape(n, rows, cols, ic), w, context.datapath.tn)
    y, stats = array_layer(node, "", slice(None), (n, rows, cols), beats, context)
    return y.reshape(*x.shape[:-1], -1), stats


def _beats(x: np.ndarray, w: np.ndarray, tn: int) -> Beats:
    """Input tile of tn features, word; w (WORDS,OC,IC)."""
    words, _, ic = w.shape
    for cit in range(-(-ic // tn)):
        lanes = slice(cit * tn, (cit + 1) * tn)
        for word in range(words):
            yield (0, 0, cit, word), x[..., lanes] @ w[word, :, lanes].T
