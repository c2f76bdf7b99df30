"""Operators that join tensors of one shape; an axis of size 1 is broadcast, as channel attention needs.

float:   add, subtract, multiply, average, maximum, minimum, concat
integer: qadd      clamp(round(sum of x_i*m_i, shift), lo, hi): add, subtract and average
         qmul      clamp(round(a*b*m, shift), lo, hi)
         qmaximum, qminimum   each input requantized by its (m_i, shift_i), then the extreme, then clamp
         qconcat   each input requantized and clamped; identity is m = 1, shift = 0
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import Shape, Size, known, show
from hwsim.ops.kinds import Params
from hwsim.ops.pointwise import CLIP
from hwsim.ops.spec import ANY, FLOAT, INTEGER, VECTOR, OpSpec, Trait


def broadcast_size(a: Size, b: Size) -> Size:
    """The joint size of an axis; two different symbols are settled when there is an input."""
    if a == b or (known(b) and b == 1):
        return a
    if known(a) and a == 1:
        return b
    if known(a) and known(b):
        raise GraphError(f"sizes must be equal or 1 to be joined, not {a} and {b}")
    return a if known(a) else b


def broadcast_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """The shape of all inputs broadcast against each other. Errors: GraphError where ranks or sizes differ."""
    first, *rest = in_shapes
    for shape in rest:
        if len(shape) != len(first):
            raise GraphError(f"inputs must have the same rank, not {show(first)} and {show(shape)}")
        first = tuple(broadcast_size(a, b) for a, b in zip(first, shape))
    return first


def concat_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """The shape of the inputs side by side on `axis`. Errors: GraphError where they differ on another axis."""
    axis, first = params["axis"], in_shapes[0]
    if not 1 <= axis < len(first):
        raise GraphError(f"the axis of a concatenation must be 1..{len(first) - 1}, not {axis}")
    out = list(first)
    for shape in in_shapes[1:]:
        if len(shape) != len(first) or any(
                known(a) and known(b) and a != b for i, (a, b) in enumerate(zip(first, shape)) if i != axis):
            raise GraphError(f"concatenated shapes must agree off axis {axis}, not {show(first)} and {show(shape)}")
        out[axis] = out[axis] + shape[axis]
    return tuple(out)


RANGE = {"lo": kinds.integer(), "hi": kinds.integer()}
VECTOR_M = {"m": kinds.array("int", 1)}
EACH = Trait.PIXELWISE | Trait.PER_INPUT | Trait.EACH


def _float(name: str, arity: tuple[int, int]) -> OpSpec:
    return OpSpec(name, FLOAT, VECTOR, arity, broadcast_shape, CLIP, {"clip": None}, traits=Trait.PIXELWISE)


OPS = (
    *(_float(name, (2, ANY)) for name in ("add", "average", "maximum", "minimum")),
    *(_float(name, (2, 2)) for name in ("subtract", "multiply")),
    OpSpec("concat", FLOAT, VECTOR, (1, ANY), concat_shape, {"axis": kinds.integer(1)}, traits=Trait.PIXELWISE),
    OpSpec("qadd", INTEGER, VECTOR, (1, ANY), broadcast_shape, {**VECTOR_M, "shift": kinds.integer(0, 62), **RANGE},
           traits=Trait.PIXELWISE | Trait.PER_INPUT),
    OpSpec("qmul", INTEGER, VECTOR, (2, 2), broadcast_shape,
           {"m": kinds.integer(0), "shift": kinds.integer(0, 62), **RANGE}, traits=Trait.PIXELWISE),
    *(OpSpec(name, INTEGER, VECTOR, (2, ANY), broadcast_shape, {**VECTOR_M, "shift": kinds.array("int", 1), **RANGE}, traits=EACH)
      for name in ("qmaximum", "qminimum")),
    OpSpec("qconcat", INTEGER, VECTOR, (1, ANY), concat_shape,
           {**VECTOR_M, "shift": kinds.array("int", 1), **RANGE, "axis": kinds.integer(1)}, traits=EACH),
)
