"""Moves: values change place and nothing else (ops/moves.py)."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def upsample_nearest(node: Node, inputs: Inputs, context: Context) -> Output:
    """out[n, oy, ox, c] = x[n, oy // FY, ox // FX, c]."""
    (x,), (fy, fx) = inputs, node.params["factor"]
    rows, cols = np.arange(x.shape[1] * fy) // fy, np.arange(x.shape[2] * fx) // fx
    return x[:, rows][:, :, cols], LayerStats()


def depth_to_space(node: Node, inputs: Inputs, context: Context) -> Output:
    """out[n, h*B+dy, w*B+dx, c] = x[n, h, w, in channel], the channel by `order`."""
    (x,), block, order = inputs, node.params["block"], node.params["order"]
    n, h, w, depth = x.shape
    c = np.arange(depth // block ** 2)
    y = np.empty((n, h * block, w * block, len(c)), np.int64)
    for dy in range(block):
        for dx in range(block):
            place = dy * block + dx
            # DCR: the block's place is the slow index of the channel; CRD: it is the fast one
            channel = place * len(c) + c if order == "DCR" else c * block ** 2 + place
            y[:, dy::block, dx::block] = x[..., channel]
    return y, LayerStats()


def space_to_depth(node: Node, inputs: Inputs, context: Context) -> Output:
    """out[n, h, w, (dy*B + dx)*C + c] = x[n, h*B+dy, w*B+dx, c]."""
    (x,), block = inputs, node.params["block"]
    return np.concatenate([x[:, dy::block, dx::block] for dy in range(block) for dx in range(block)], axis=3), LayerStats()


def pad(node: Node, inputs: Inputs, context: Context) -> Output:
    """Zeros around the image."""
    (x,), (top, bottom, left, right) = inputs, node.params["pad"]
    n, h, w, c = x.shape
    y = np.zeros((n, top + h + bottom, left + w + right, c), np.int64)
    y[:, top:top + h, left:left + w] = x
    return y, LayerStats()


def crop(node: Node, inputs: Inputs, context: Context) -> Output:
    """The image without some rows and columns at its borders."""
    (x,), (top, bottom, left, right) = inputs, node.params["crop"]
    return x[:, top:x.shape[1] - bottom, left:x.shape[2] - right], LayerStats()


def slice_axis(node: Node, inputs: Inputs, context: Context) -> Output:
    """Positions start..stop-1 of one axis."""
    p = node.params
    return inputs[0].take(range(p["start"], p["stop"]), axis=p["axis"]), LayerStats()


def reshape(node: Node, inputs: Inputs, context: Context) -> Output:
    """The same values in row-major order; flatten is a reshape to one axis."""
    (x,) = inputs
    return x.reshape(len(x), *node.params.get("shape", (-1,))), LayerStats()
