"""Moves, as views where numpy has one."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def upsample_nearest(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C) -> (N,H*FY,W*FX,C): every pixel FY*FX times."""
    fy, fx = node.params["factor"]
    return inputs[0].repeat(fy, axis=1).repeat(fx, axis=2), LayerStats()


def depth_to_space(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C*B*B) -> (N,H*B,W*B,C), channels in the order DCR or CRD."""
    (x,), b = inputs, node.params["block"]
    n, h, w, depth = x.shape
    if node.params["order"] == "DCR":
        parts = x.reshape(n, h, w, b, b, depth // b ** 2).transpose(0, 1, 3, 2, 4, 5)
    else:
        parts = x.reshape(n, h, w, depth // b ** 2, b, b).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, h * b, w * b, depth // b ** 2), LayerStats()


def space_to_depth(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C) -> (N,H/B,W/B,B*B*C)."""
    (x,), b = inputs, node.params["block"]
    n, h, w, c = x.shape
    parts = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
    return parts.reshape(n, h // b, w // b, b * b * c), LayerStats()


def pad(node: Node, inputs: Inputs, context: Context) -> Output:
    """Code 0 around (N,H,W,C): `pad` is top, bottom, left, right."""
    top, bottom, left, right = node.params["pad"]
    return np.pad(inputs[0], ((0, 0), (top, bottom), (left, right), (0, 0))), LayerStats()


def crop(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C) without the border `crop`: top, bottom, left, right."""
    (x,), (top, bottom, left, right) = inputs, node.params["crop"]
    return x[:, top:x.shape[1] - bottom, left:x.shape[2] - right], LayerStats()


def slice_axis(node: Node, inputs: Inputs, context: Context) -> Output:
    """Indices start..stop-1 of one axis."""
    p = node.params
    return inputs[0][(slice(None),) * p["axis"] + (slice(p["start"], p["stop"]),)], LayerStats()


def reshape(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,...) -> (N,*shape), in the order of memory."""
    return inputs[0].reshape(len(inputs[0]), *node.params["shape"]), LayerStats()


def flatten(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,...) -> (N,values of an image), in the order of memory."""
    return inputs[0].reshape(len(inputs[0]), -1), LayerStats()
