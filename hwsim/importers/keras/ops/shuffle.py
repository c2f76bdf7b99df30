"""Moves: depth and space, reshape and the transposes that are one of the two, concatenation, splitting, padding."""
from collections.abc import Sequence
from typing import Any

from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.merge import concatenate_tensors
from hwsim.importers.keras.layers.moves import reshape_tensor
from hwsim.ops.dims import Shape, all_known, known


def depth_to_space(call: LayerCall, x: str, block: Any, data_format: Any) -> str:
    """Channels become blocks of pixels, in TensorFlow's channel order (DCR)."""
    return call.add("depth_to_space", [x], block=_block(call, block, data_format))


def space_to_depth(call: LayerCall, x: str, block: Any, data_format: Any) -> str:
    """Blocks of pixels become channels, in TensorFlow's channel order."""
    return call.add("space_to_depth", [x], block=_block(call, block, data_format))


def _block(call: LayerCall, block: Any, data_format: Any) -> int:
    if data_format not in (None, "NHWC", "channels_last"):
        raise call.config.refuse("data_format must be NHWC", data_format)
    if type(block) is not int or not 1 <= block <= 1024:
        raise call.config.refuse("the block size must be 1..1024", block)
    return block


def concat(call: LayerCall, values: Sequence[str], axis: Any) -> str:
    """The tensors side by side on `axis`, the last one when it is not given."""
    return concatenate_tensors(call, values, -1 if axis is None else axis)


def split(call: LayerCall, x: str, count: Any, axis: Any) -> list[str]:
    """The equal or listed parts of `x` on its channel axis, one tensor each.

    Errors: UnsupportedError for another axis or other sizes.
    """
    shape = call.builder.shape(x)
    size, last = shape[-1], len(shape) - 1
    if axis not in (-1, last) or not known(size):
        raise call.config.refuse(f"a split must be on the channel axis {last}", axis)
    whole = type(count) is int and count > 0 and size % count == 0
    sizes = [size // count] * count if whole else count
    good = isinstance(sizes, list) and 0 < len(sizes) <= size and all(type(s) is int and s > 0 for s in sizes)
    if not good or sum(sizes) != size:
        raise call.config.refuse(f"the parts of a split must add up to {size} channels", count)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [call.add("slice", [x], f":part{i}", axis=last, start=start, stop=start + part)
            for i, (start, part) in enumerate(zip(starts, sizes))]


def reshape(call: LayerCall, x: str, shape: Any) -> str:
    """The tensor in `shape`, whose first entry is N or -1. Errors: UnsupportedError for another shape."""
    if not isinstance(shape, list) or len(shape) < 2 or shape[0] not in (-1, None):
        raise call.config.refuse("a shape must begin with -1 for N", shape)
    return reshape_tensor(call, x, shape[1:])


def transpose(call: LayerCall, x: str, axes: Any) -> str:
    """A transpose between two reshapes that together are depth_to_space or space_to_depth; others have no operator.

    Errors: UnsupportedError for others.
    """
    source = call.builder.node(x)
    match = None
    if source.op == "reshape" and len(source.params["shape"]) == 5:
        match = _pixel_shuffle(call.builder.shape(source.inputs[0]), call.builder.shape(x)[1:], axes)
    if match is None:
        raise call.config.refuse("a transpose must be part of depth_to_space or space_to_depth", axes)
    op, params = match
    moved = call.add(op, [source.inputs[0]], ":moved", **params)
    target = [call.builder.shape(x)[axis] for axis in axes[1:]]
    return call.add("reshape", [moved], shape=tuple(target))


def _pixel_shuffle(image: Shape, parts: Shape, axes: Any) -> tuple[str, dict[str, Any]] | None:
    """(op, params) for an image seen as (N, *parts) and transposed by `axes`, or None."""
    sizes = (*image[1:], *parts)
    if len(image) != 4 or not all_known(sizes):
        return None
    height, width, channels, a, b, c, d, e = sizes
    if axes == [0, 1, 3, 2, 4, 5] and (a, b) == (height, width) and c == d:
        return "depth_to_space", {"block": c}
    if axes == [0, 1, 4, 2, 5, 3] and (a, b) == (height, width) and d == e:
        return "depth_to_space", {"block": d, "order": "CRD"}
    if axes == [0, 1, 3, 2, 4, 5] and (a * b, c * d, e) == (height, width, channels) and b == d:
        return "space_to_depth", {"block": b}
    return None


def pad(call: LayerCall, x: str, paddings: Any, mode: Any, value: Any) -> str:
    """Zero padding of H and W. Errors: UnsupportedError for padding with other values or of other axes."""
    if (mode or "constant").lower() != "constant" or value not in (None, 0, 0.0):
        raise call.config.refuse("padding must be with zeros", [mode, value])
    good = isinstance(paddings, list) and len(paddings) == 4 and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(p) is int and 0 <= p < 1 << 16 for p in pair) for pair in paddings)
    if not good or paddings[0] != [0, 0] or paddings[3] != [0, 0]:
        raise call.config.refuse("padding must be of H and W only", paddings)
    return call.add("pad", [x], pad=(*paddings[1], *paddings[2]))


def mean(call: LayerCall, x: str, axes: Any, keepdims: Any) -> str:
    """The mean over H and W."""
    return _whole(call, "global_avg_pool", x, axes, keepdims)


def largest(call: LayerCall, x: str, axes: Any, keepdims: Any) -> str:
    """The maximum over H and W."""
    return _whole(call, "global_max_pool", x, axes, keepdims)


def _whole(call: LayerCall, op: str, x: str, axes: Any, keepdims: Any) -> str:
    """A reduction over H and W."""
    if len(call.builder.shape(x)) != 4 or not isinstance(axes, list) or sorted(axes) not in ([1, 2], [-3, -2]):
        raise call.config.refuse("a reduction must be over H and W of an image, axes [1, 2]", axes)
    return call.add(op, [x], keepdims=bool(keepdims))
