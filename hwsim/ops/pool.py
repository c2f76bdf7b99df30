"""Pooling. Padding never counts: a maximum ignores it and an average divides by the real taps only.

float:   max_pool, avg_pool, global_avg_pool, global_max_pool
integer: max_pool (exact), global_max_pool (exact),
         qavg_pool: clamp(round(sum * m[i], shift[i]), lo, hi) where taps[i] is the count of real taps,
         qglobal_avg_pool: ratio = S_in/S_out as (numerator, denominator); graph.place_sizes turns it into qavg_pool
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import Shape, show
from hwsim.ops.kinds import Params
from hwsim.ops.spec import BOTH, FLOAT, INTEGER, KEPT, VECTOR, OpSpec, Trait
from hwsim.ops.window import out_hw


def window_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, OH, OW, C) of a sliding window. Errors: GraphError where no window fits."""
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a pool must be N,H,W,C, not {show(x)}")
    return (x[0], *out_hw(x, params["kernel"], params["stride"], (1, 1), params["padding"]), x[3])


def global_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, 1, 1, C) with `keepdims`, else (N, C)."""
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a pool must be N,H,W,C, not {show(x)}")
    return (x[0], 1, 1, x[3]) if params["keepdims"] else (x[0], x[3])


def _taps(params: Params) -> str | None:
    lengths = {params[name].shape for name in ("taps", "m", "shift")}
    return None if len(lengths) == 1 else "taps, m and shift must have the same length"


WINDOW = {"kernel": kinds.integers(2, 1), "stride": kinds.integers(2, 1), "padding": kinds.padding}
KEEP = {"keepdims": kinds.boolean}
RANGE = {"lo": kinds.integer(), "hi": kinds.integer()}

OPS = (
    OpSpec("max_pool", BOTH, VECTOR, (1, 1), window_shape, WINDOW, traits=KEPT | Trait.WINDOW),
    OpSpec("avg_pool", FLOAT, VECTOR, (1, 1), window_shape, WINDOW, traits=Trait.WINDOW),
    OpSpec("global_avg_pool", FLOAT, VECTOR, (1, 1), global_shape, KEEP, traits=Trait.GLOBAL),
    OpSpec("global_max_pool", BOTH, VECTOR, (1, 1), global_shape, KEEP, traits=KEPT | Trait.GLOBAL),
    OpSpec("qavg_pool", INTEGER, VECTOR, (1, 1), window_shape,
           {**WINDOW, **{name: kinds.array("int", 1) for name in ("taps", "m", "shift")}, **RANGE}, {}, _taps, Trait.WINDOW),
    OpSpec("qglobal_avg_pool", INTEGER, VECTOR, (1, 1), global_shape,
           {**KEEP, "ratio": kinds.integers(2, 1), "mult_bits": kinds.integer(4, 31), **RANGE},
           traits=Trait.GLOBAL | Trait.UNPLACED),
)
