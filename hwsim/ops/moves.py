"""Operators that move values and change none; the address generator does them (nearest resize included).

depth_to_space orders: DCR  in channel = (dy*B + dx)*C + c (TensorFlow), CRD  in channel = c*B*B + dy*B + dx (PixelShuffle).
space_to_depth:        out channel = (dy*B + dx)*C + c.
"""
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import Shape, all_known, known, require_positive, show
from hwsim.ops.kinds import Kind, Params, ShapeRule
from hwsim.ops.spec import ADDRESS, BOTH, MOVED, OpSpec


def _image(in_shapes: Sequence[Shape]) -> Shape:
    """The one input shape, N,H,W,C; raises GraphError for another rank."""
    if len(in_shapes[0]) != 4:
        raise GraphError(f"the input must be N,H,W,C, not {show(in_shapes[0])}")
    return in_shapes[0]


def upsample_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H*FH, W*FW, C) for factor = (FH, FW)."""
    n, h, w, c = _image(in_shapes)
    return (n, h * params["factor"][0], w * params["factor"][1], c)


def depth_to_space_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H*B, W*B, C/B^2). Errors: GraphError unless C is a multiple of B^2."""
    n, h, w, c = _image(in_shapes)
    block = params["block"]
    if not known(c) or c % (block * block):
        raise GraphError(f"channels must be a multiple of {block * block}, not {c}")
    return (n, h * block, w * block, c // (block * block))


def space_to_depth_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H/B, W/B, C*B^2). Errors: GraphError unless H and W, where known, are multiples of B."""
    n, h, w, c = _image(in_shapes)
    block = params["block"]
    for size in (h, w):
        if known(size) and size % block:
            raise GraphError(f"height and width must be multiples of {block}, not {show((h, w))}")
    return (n, h // block, w // block, c * block * block)


def pad_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H+top+bottom, W+left+right, C)."""
    n, h, w, c = _image(in_shapes)
    top, bottom, left, right = params["pad"]
    return (n, h + (top + bottom), w + (left + right), c)


def crop_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H-top-bottom, W-left-right, C). Errors: GraphError where nothing is left."""
    n, h, w, c = _image(in_shapes)
    top, bottom, left, right = params["crop"]
    text = "the size after cropping"
    return (n, require_positive(h - (top + bottom), text), require_positive(w - (left + right), text), c)


def slice_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """The input with stop - start entries on `axis`. Errors: GraphError where the slice leaves the axis."""
    x, axis = list(in_shapes[0]), params["axis"]
    if not 1 <= axis < len(x):
        raise GraphError(f"the axis of a slice must be 1..{len(x) - 1}, not {axis}")
    if known(x[axis]) and params["stop"] > x[axis]:
        raise GraphError(f"the end of a slice must be at most {x[axis]}, not {params['stop']}")
    x[axis] = require_positive(params["stop"] - params["start"], "the size of a slice")
    return tuple(x)


def reshape_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, *shape), one size of which may be -1. Errors: GraphError where the values do not fit or a size is open."""
    target = params["shape"]
    total, rest = _values(in_shapes[0], "a reshape"), prod(t for t in target if t != -1)
    if (total % rest if -1 in target else total != rest):
        raise GraphError(f"a reshape must keep {total} values, not {show(target)}")
    return (in_shapes[0][0], *(total // rest if t == -1 else t for t in target))


def flatten_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, H*W*C). Errors: GraphError where a size is open."""
    return (in_shapes[0][0], _values(in_shapes[0], "a flatten"))


def _values(shape: Shape, title: str) -> int:
    """How many values an image of `shape` holds; `title` names the operator in the error for an open size."""
    sizes = shape[1:]
    if not all_known(sizes):
        raise GraphError(f"{title} must know its input size, not {show(sizes)}")
    return prod(sizes)


def _target(value: Any) -> str | None:
    """A kind: the target shape of a reshape, without N."""
    good = kinds.integers(None, -1)(value) is None and 0 not in value and value.count(-1) <= 1
    return None if good else "positive integers, at most one of them -1"


FACTOR = {"factor": kinds.integers(2, 1)}
BLOCK = {"block": kinds.integer(1)}


def _move(name: str, shape: ShapeRule, params: Mapping[str, Kind], defaults: Mapping[str, object] | None = None) -> OpSpec:
    return OpSpec(name, BOTH, ADDRESS, (1, 1), shape, params, defaults or {}, traits=MOVED)


OPS = (
    _move("upsample_nearest", upsample_shape, FACTOR),
    _move("depth_to_space", depth_to_space_shape, {**BLOCK, "order": kinds.choice("DCR", "CRD")}, {"order": "DCR"}),
    _move("space_to_depth", space_to_depth_shape, BLOCK),
    _move("pad", pad_shape, {"pad": kinds.integers(4, 0)}),
    _move("crop", crop_shape, {"crop": kinds.integers(4, 0)}),
    _move("slice", slice_shape, {"axis": kinds.integer(1), "start": kinds.integer(0), "stop": kinds.integer(1)}),
    _move("reshape", reshape_shape, {"shape": _target}),
    _move("flatten", flatten_shape, {}),
)
