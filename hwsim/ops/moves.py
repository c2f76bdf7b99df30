"""Operators that move values and change none; the address generator does them (nearest resize included).

depth_to_space orders: DCR  in channel = (dy*B + dx)*C + c (TensorFlow), CRD  in channel = c*B*B + dy*B + dx (PixelShuffle).
space_to_depth:        out channel = (dy*B + dx)*C + c.
"""
from math import prod

from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import known, require_positive, show
from hwsim.ops.spec import ADDRESS, BOTH, MOVED, OpSpec


def _image(in_shapes):
    if len(in_shapes[0]) != 4:
        raise GraphError(f"the input must be N,H,W,C, not {show(in_shapes[0])}")
    return in_shapes[0]


def upsampled(params, in_shapes):
    n, h, w, c = _image(in_shapes)
    return (n, h * params["factor"][0], w * params["factor"][1], c)


def depth_to_space(params, in_shapes):
    n, h, w, c = _image(in_shapes)
    block = params["block"]
    if c % (block * block):
        raise GraphError(f"channels must be a multiple of {block * block}, not {c}")
    return (n, h * block, w * block, c // (block * block))


def space_to_depth(params, in_shapes):
    n, h, w, c = _image(in_shapes)
    block = params["block"]
    for size in (h, w):
        if known(size) and size % block:
            raise GraphError(f"height and width must be multiples of {block}, not {show((h, w))}")
    return (n, h // block, w // block, c * block * block)


def padded(params, in_shapes):
    n, h, w, c = _image(in_shapes)
    top, bottom, left, right = params["pad"]
    return (n, h + (top + bottom), w + (left + right), c)


def cropped(params, in_shapes):
    n, h, w, c = _image(in_shapes)
    top, bottom, left, right = params["crop"]
    text = "the size after cropping"
    return (n, require_positive(h - (top + bottom), text), require_positive(w - (left + right), text), c)


def sliced(params, in_shapes):
    x, axis = list(in_shapes[0]), params["axis"]
    if not 1 <= axis < len(x):
        raise GraphError(f"the axis of a slice must be 1..{len(x) - 1}, not {axis}")
    if known(x[axis]) and params["stop"] > x[axis]:
        raise GraphError(f"the end of a slice must be at most {x[axis]}, not {params['stop']}")
    x[axis] = require_positive(params["stop"] - params["start"], "the size of a slice")
    return tuple(x)


def reshaped(params, in_shapes):
    n, *tail = in_shapes[0]
    target = params["shape"]
    if not all(known(t) for t in tail):
        raise GraphError(f"a reshape must know its input size, not {show(tail)}")
    total, rest = prod(tail), prod(t for t in target if t != -1)
    if (total % rest if -1 in target else total != rest):
        raise GraphError(f"a reshape must keep {total} values, not {show(target)}")
    return (n, *(total // rest if t == -1 else t for t in target))


def flattened(params, in_shapes):
    n, *tail = in_shapes[0]
    if not all(known(t) for t in tail):
        raise GraphError(f"a flatten must know its input size, not {show(tail)}")
    return (n, prod(tail))


def _target(value):
    good = kinds.integers(None, -1)(value) is None and 0 not in value and value.count(-1) <= 1
    return None if good else "positive integers, at most one of them -1"


FACTOR = {"factor": kinds.integers(2, 1)}
BLOCK = {"block": kinds.integer(1)}


def _move(name, shape, params, defaults=None):
    return OpSpec(name, BOTH, ADDRESS, (1, 1), shape, params, defaults or {}, traits=MOVED)


OPS = (
    _move("upsample_nearest", upsampled, FACTOR),
    _move("depth_to_space", depth_to_space, {**BLOCK, "order": kinds.choice("DCR", "CRD")}, {"order": "DCR"}),
    _move("space_to_depth", space_to_depth, BLOCK),
    _move("pad", padded, {"pad": kinds.integers(4, 0)}),
    _move("crop", cropped, {"crop": kinds.integers(4, 0)}),
    _move("slice", sliced, {"axis": kinds.integer(1), "start": kinds.integer(0), "stop": kinds.integer(1)}),
    _move("reshape", reshaped, {"shape": _target}),
    _move("flatten", flattened, {}),
)
