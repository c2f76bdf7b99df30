"""acc[...,oc] = bias[oc] + sum over ic of x[...,ic] * w[oc,ic]: a 1x1 convolution over the positions before the last axis."""
from hwsim.engine.reference.layer import array_layer
from hwsim.ops.weights import Weights


def dense(node, inputs, context):
    (x,), p = inputs, node.params
    w = Weights.from_fields(p).integers[:, :, 0, 0]
    n, cols, ic = len(x), x.shape[-2] if x.ndim > 2 else 1, x.shape[-1]
    pixels = x.reshape(n, x[0].size // (cols * ic), cols, ic)
    y, stats = array_layer(node, "", slice(None), pixels.shape[:3], _beats(pixels, w, context.datapath.tn), context)
    return y.reshape(*x.shape[:-1], -1), stats


def _beats(x, w, tn):
    words, _, ic = w.shape
    for cit in range(-(-ic // tn)):
        lanes = slice(cit * tn, (cit + 1) * tn)
        for word in range(words):
            yield (0, 0, cit, word), x[..., lanes] @ w[word, :, lanes].T
