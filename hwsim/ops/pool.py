"""Pooling. Padding never counts: a maximum ignores it and an average divides by the real taps only.

float:   max_pool, avg_pool, global_avg_pool, global_max_pool
integer: max_pool (exact), global_max_pool (exact),
         qavg_pool: clamp(round(sum * m[i], shift[i]), lo, hi) where taps[i] is the count of real taps,
         qglobal_avg_pool: ratio = S_in/S_out as (numerator, denominator); graph.place_sizes turns it into qavg_pool
"""
from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import show
from hwsim.ops.spec import BOTH, FLOAT, INTEGER, KEPT, VECTOR, OpSpec, Trait
from hwsim.ops.window import out_hw


def windowed(params, in_shapes):
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a pool must be N,H,W,C, not {show(x)}")
    return (x[0], *out_hw(x, params["kernel"], params["stride"], (1, 1), params["padding"]), x[3])


def whole(params, in_shapes):
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a pool must be N,H,W,C, not {show(x)}")
    return (x[0], 1, 1, x[3]) if params["keepdims"] else (x[0], x[3])


def _taps(params):
    lengths = {params[name].shape for name in ("taps", "m", "shift")}
    return None if len(lengths) == 1 else "taps, m and shift must have the same length"


WINDOW = {"kernel": kinds.integers(2, 1), "stride": kinds.integers(2, 1), "padding": kinds.padding}
KEEP = {"keepdims": kinds.boolean}
RANGE = {"lo": kinds.integer(), "hi": kinds.integer()}

OPS = (
    OpSpec("max_pool", BOTH, VECTOR, (1, 1), windowed, WINDOW, traits=KEPT | Trait.WINDOW),
    OpSpec("avg_pool", FLOAT, VECTOR, (1, 1), windowed, WINDOW, traits=Trait.WINDOW),
    OpSpec("global_avg_pool", FLOAT, VECTOR, (1, 1), whole, KEEP, traits=Trait.GLOBAL),
    OpSpec("global_max_pool", BOTH, VECTOR, (1, 1), whole, KEEP, traits=KEPT | Trait.GLOBAL),
    OpSpec("qavg_pool", INTEGER, VECTOR, (1, 1), windowed,
           {**WINDOW, **{name: kinds.array("int", 1) for name in ("taps", "m", "shift")}, **RANGE}, {}, _taps, Trait.WINDOW),
    OpSpec("qglobal_avg_pool", INTEGER, VECTOR, (1, 1), whole,
           {**KEEP, "ratio": kinds.integers(2, 1), "mult_bits": kinds.integer(4, 31), **RANGE},
           traits=Trait.GLOBAL | Trait.UNPLACED),
)
