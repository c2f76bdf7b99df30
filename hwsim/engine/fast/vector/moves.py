"""Moves (pad, crop, slice, reshape, nearest upsampling, depth and space) as strided copies; all keep the type of their input."""
from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.vector.box import Box, move, put, wide
from hwsim.engine.fast.vector.sweep import VALUES, pieces
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import in_order
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node


def _moved(x: np.ndarray, shape: tuple[int, ...], boxes: Iterable[Box], context: Context) -> Output:
    y = ARENA.empty(shape, x.dtype)
    move(x, y, boxes, context.threads)
    return y, LayerStats()


def upsample_nearest(node: Node, inputs: Inputs, context: Context) -> Output:
    """Block by block: the first of each group of equal rows, then the others from it."""
    (x,), (fy, fx) = inputs, node.params["factor"]
    n, h, w, c = x.shape
    row, y = w * fx * c, ARENA.empty((n, h * fy, w * fx, c), x.dtype)
    groups = y.reshape(n * h, fy, row)
    # source stride 0 along fx: every pixel is written fx times from one place
    source, target, box = wide(x.reshape(-1), y.reshape(-1), Box((n * h, fx, w, c), (w * c, 0, c, 1), (fy * row, c, fx * c, 1)))

    def run(part: slice) -> None:
        put(source, target, box.part(0, part))
        # the block is still in the cache: copying rows of the output costs less than spreading columns again
        groups[part, 1:] = groups[part, :1]
    in_order(run, pieces(n * h, VALUES // (fy * row)), context.threads)
    return y, LayerStats()


def depth_to_space(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C*B*B) -> (N,H*B,W*B,C), channels in the order DCR or CRD."""
    (x,), b = inputs, node.params["block"]
    n, h, w, depth = x.shape
    make = _grouped if node.params["order"] == "DCR" else _interleaved
    return _moved(x, (n, h * b, w * b, depth // b ** 2), make(n * h, w, depth, b), context)


def _grouped(rows: int, w: int, depth: int, b: int) -> list[Box]:
    """The b * channels values of one row of a block are neighbours in both."""
    run = depth // b
    return [Box((rows, b, w, run), (w * depth, run, depth, 1), (w * depth, w * run, run, 1))]


def _interleaved(rows: int, w: int, depth: int, b: int) -> list[Box]:
    """The channels of a block's pixel lie b*b apart in the source."""
    c = depth // b ** 2
    return [Box(counts=(rows, b, w, c), source=(w * depth, 1, depth, b * b), target=(w * depth, c, b * c, 1), at=dy * b,
                to=dy * w * b * c)
            for dy in range(b)]


def space_to_depth(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C) -> (N,H/B,W/B,B*B*C)."""
    (x,), b = inputs, node.params["block"]
    n, h, w, c = x.shape
    run, rows = b * c, w * b * c
    box = Box((n * h // b, b, w // b, run), (rows, w * c, run, 1), (rows, run, b * run, 1))
    return _moved(x, (n, h // b, w // b, b * run), [box], context)


def pad(node: Node, inputs: Inputs, context: Context) -> Output:
    """Code 0 around (N,H,W,C): `pad` is top, bottom, left, right."""
    (x,), (top, bottom, left, right) = inputs, node.params["pad"]
    n, h, w, c = x.shape
    y = ARENA.empty((n, top + h + bottom, left + w + right, c), x.dtype)
    # only the border is cleared: every other value is written once, by the move
    y[:, :top] = y[:, top + h:] = y[:, :, :left] = y[:, :, left + w:] = 0
    row = y.shape[2] * c
    move(x, y, [Box(counts=(h, 1, 1, w * c), source=(w * c, 0, 0, 1), target=(row, 0, 0, 1), at=i * h * w * c,
                    to=(i * y.shape[1] + top) * row + left * c)
                for i in range(n)], context.threads)
    return y, LayerStats()


def crop(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,H,W,C) without the border `crop`: top, bottom, left, right."""
    (x,), (top, bottom, left, right) = inputs, node.params["crop"]
    n, h, w, c = x.shape
    shape = (n, h - top - bottom, w - left - right, c)
    run = shape[2] * c
    boxes = [Box(counts=(shape[1], 1, 1, run), source=(w * c, 0, 0, 1), target=(run, 0, 0, 1), at=((i * h + top) * w + left) * c,
                 to=i * shape[1] * run)
             for i in range(n)]
    return _moved(x, shape, boxes, context)


def slice_axis(node: Node, inputs: Inputs, context: Context) -> Output:
    """Indices start..stop-1 of one axis."""
    (x,), p = inputs, node.params
    axis, count, inner = p["axis"], p["stop"] - p["start"], prod(x.shape[p["axis"] + 1:])
    rows, columns = prod(x.shape[:min(axis, 2)]), prod(x.shape[2:axis])
    # everything behind the axis is one run of neighbours, so that any axis is a copy of (rows, columns) runs
    run, whole = count * inner, x.shape[axis] * inner
    box = Box((rows, 1, columns, run), (columns * whole, 0, whole, 1), (columns * run, 0, run, 1), p["start"] * inner)
    return _moved(x, (*x.shape[:axis], count, *x.shape[axis + 1:]), [box], context)


def reshape(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,...) -> (N,*shape): a view, as memory keeps its order."""
    return inputs[0].reshape(len(inputs[0]), *node.params["shape"]), LayerStats()


def flatten(node: Node, inputs: Inputs, context: Context) -> Output:
    """(N,...) -> (N,values of an image): a view."""
    return inputs[0].reshape(len(inputs[0]), -1), LayerStats()
