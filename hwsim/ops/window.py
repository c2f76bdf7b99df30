"""Geometry of sliding windows: what convolutions and pools share. Sizes are ints or Dims."""
from hwsim.errors import GraphError
from hwsim.ops.dims import ceil_div, known, require_positive


def extent(kernel, dilation):
    """Input positions that a dilated kernel spans on one axis."""
    return (kernel - 1) * dilation + 1


def out_size(size, kernel, stride, dilation, padding, axis):
    """Output size on `axis` (0 rows, 1 columns) for padding `same` or (top, bottom, left, right)."""
    if padding == "same":
        return ceil_div(size, stride)
    before, after = padding[2 * axis: 2 * axis + 2]
    room = size + (before + after - extent(kernel, dilation))
    if known(room) and room < 0:
        raise GraphError(f"a window of {extent(kernel, dilation)} must fit the padded input, not {size + before + after}")
    return require_positive(room // stride + 1, "the output of a window")


def out_hw(shape, kernel, stride, dilation, padding):
    """(OH, OW) of a window over N,H,W,C `shape`."""
    return tuple(out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding, a) for a in (0, 1))


def pads(shape, kernel, stride, dilation, padding):
    """(top, bottom, left, right) for a concrete N,H,W,C shape.

    `same` is TensorFlow's rule: the output is ceil(in/stride) and the odd pad goes to the bottom and right.
    """
    if padding != "same":
        return padding
    found = []
    for axis in (0, 1):
        size = shape[1 + axis]
        total = max((ceil_div(size, stride[axis]) - 1) * stride[axis] + extent(kernel[axis], dilation[axis]) - size, 0)
        found += [total // 2, total - total // 2]
    return tuple(found)
