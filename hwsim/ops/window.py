"""Geometry of sliding windows: what convolutions and pools share. Sizes are ints or Dims."""
from collections.abc import Sequence
from typing import Literal, TypeAlias

from hwsim.errors import GraphError
from hwsim.ops.dims import AnySize, ceil_div, known, require_positive

Pair: TypeAlias = tuple[int, int]
"""(rows, columns)."""
Sides: TypeAlias = tuple[int, int, int, int]
"""(top, bottom, left, right)."""
Padding: TypeAlias = Literal["same"] | Sides


def extent(kernel: int, dilation: int) -> int:
    """Input positions that a dilated kernel spans on one axis."""
    return (kernel - 1) * dilation + 1


def out_size(size: AnySize, kernel: int, stride: int, dilation: int, padding: Padding, axis: int) -> AnySize:
    """Output size on `axis` (0 rows, 1 columns) for padding `same` or (top, bottom, left, right).

    Errors: GraphError where the window is larger than the padded input.
    """
    if padding == "same":
        return ceil_div(size, stride)
    before, after = padding[2 * axis: 2 * axis + 2]
    room = size + (before + after - extent(kernel, dilation))
    if known(room) and room < 0:
        raise GraphError(f"a window of {extent(kernel, dilation)} must fit the padded input, not {size + before + after}")
    return require_positive(room // stride + 1, "the output of a window")


def out_hw(shape: Sequence[AnySize], kernel: Pair, stride: Pair, dilation: Pair, padding: Padding) -> tuple[AnySize, AnySize]:
    """(OH, OW) of a window over N,H,W,C `shape`. Errors: GraphError as out_size."""
    rows, cols = (out_size(shape[1 + a], kernel[a], stride[a], dilation[a], padding, a) for a in (0, 1))
    return rows, cols


def pads(shape: Sequence[int], kernel: Pair, stride: Pair, dilation: Pair, padding: Padding) -> Sides:
    """(top, bottom, left, right) for a concrete N,H,W,C shape.

    `same` is TensorFlow's rule: the output is ceil(in/stride) and the odd pad goes to the bottom and right.
    """
    if padding != "same":
        return padding
    (top, bottom), (left, right) = (_same_pads(shape[1 + a], stride[a], extent(kernel[a], dilation[a])) for a in (0, 1))
    return top, bottom, left, right


def _same_pads(size: int, stride: int, span: int) -> tuple[int, int]:
    """(before, after) on one axis, for a window that spans `span` input positions."""
    total = max((ceil_div(size, stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
