"""Pools (spec/arithmetic.md section 6). Padding never counts: a maximum ignores it, an average divides by the real taps."""
import numpy as np

from hwsim.engine.reference.requantize import clamped, scale
from hwsim.engine.result import LayerStats
from hwsim.ops.window import out_hw, pads


def max_pool(node, inputs, context):
    (x,), y = inputs, None
    for values in _windows(x, node.params):
        top = values.max(axis=(1, 2), keepdims=True)
        y = top if y is None else np.concatenate([y, top], axis=1)
    return y.reshape(_shape(x, node.params)), LayerStats()


def global_max_pool(node, inputs, context):
    return inputs[0].max(axis=(1, 2), keepdims=node.params["keepdims"]), LayerStats()


def avg_pool(node, inputs, context):
    """clamp(round(sum * m[i], shift[i]), lo, hi), i the place of the window's real taps in `taps`."""
    (x,), p = inputs, node.params
    multipliers = {int(t): (m, s) for t, m, s in zip(p["taps"], p["m"], p["shift"])}
    means = []
    for values in _windows(x, p):
        m, s = multipliers[values.shape[1] * values.shape[2]]
        means.append(scale(values.sum(axis=(1, 2)), m, s, context.datapath.rounding))
    y, changed = clamped(np.stack(means, axis=1), p["lo"], p["hi"])
    return y.reshape(_shape(x, p)), LayerStats(clamped=changed)


def _shape(x, p):
    return (len(x), *out_hw(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"]), x.shape[3])


def _windows(x, p):
    """The real values (N, rows, columns, C) under each window, oy then ox."""
    (kh, kw), (sh, sw) = p["kernel"], p["stride"]
    top, _, left, _ = pads(x.shape, p["kernel"], p["stride"], (1, 1), p["padding"])
    _, oh, ow, _ = _shape(x, p)
    for oy in range(oh):
        for ox in range(ow):
            y, z = oy * sh - top, ox * sw - left
            yield x[:, max(y, 0):y + kh, max(z, 0):z + kw]
