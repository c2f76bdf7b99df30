"""Moves: values change place and nothing else (ops/moves.py)."""
import numpy as np

from hwsim.engine.result import LayerStats


def upsample_nearest(node, inputs, context):
    (x,), (fy, fx) = inputs, node.params["factor"]
    rows, cols = np.arange(x.shape[1] * fy) // fy, np.arange(x.shape[2] * fx) // fx
    return x[:, rows][:, :, cols], LayerStats()


def depth_to_space(node, inputs, context):
    """out[n, h*B+dy, w*B+dx, c] = x[n, h, w, in channel], the channel by `order`."""
    (x,), block, order = inputs, node.params["block"], node.params["order"]
    n, h, w, depth = x.shape
    c = np.arange(depth // block ** 2)
    y = np.empty((n, h * block, w * block, len(c)), np.int64)
    for dy in range(block):
        for dx in range(block):
            channel = (dy * block + dx) * len(c) + c if order == "DCR" else c * block ** 2 + dy * block + dx
            y[:, dy::block, dx::block] = x[..., channel]
    return y, LayerStats()


def space_to_depth(node, inputs, context):
    """out[n, h, w, (dy*B + dx)*C + c] = x[n, h*B+dy, w*B+dx, c]."""
    (x,), block = inputs, node.params["block"]
    return np.concatenate([x[:, dy::block, dx::block] for dy in range(block) for dx in range(block)], axis=3), LayerStats()


def pad(node, inputs, context):
    """Zeros around the image."""
    (x,), (top, bottom, left, right) = inputs, node.params["pad"]
    n, h, w, c = x.shape
    y = np.zeros((n, top + h + bottom, left + w + right, c), np.int64)
    y[:, top:top + h, left:left + w] = x
    return y, LayerStats()


def crop(node, inputs, context):
    (x,), (top, bottom, left, right) = inputs, node.params["crop"]
    return x[:, top:x.shape[1] - bottom, left:x.shape[2] - right], LayerStats()


def slice_axis(node, inputs, context):
    p = node.params
    return inputs[0].take(range(p["start"], p["stop"]), axis=p["axis"]), LayerStats()


def reshape(node, inputs, context):
    """The same values in row-major order; flatten is a reshape to one axis."""
    (x,) = inputs
    return x.reshape(len(x), *node.params.get("shape", (-1,))), LayerStats()
