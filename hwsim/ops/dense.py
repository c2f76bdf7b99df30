"""Dense on the last axis: acc[..., oc] = bias[oc] + sum over ic of x[..., ic] * w[oc,ic]. On the array: a 1x1 convolution.

The integer layer keeps its codes as (WORDS,OC,1,1,IC), like a convolution.
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds, requant
from hwsim.ops.dims import Shape, known
from hwsim.ops.kinds import Params
from hwsim.ops.spec import ARRAY, FLOAT, INTEGER, OpSpec, Trait


def _shape(oc: int, ic: int, in_shapes: Sequence[Shape]) -> Shape:
    x = in_shapes[0]
    if not known(x[-1]) or x[-1] != ic:
        raise GraphError(f"input features must be {ic}, not {x[-1]}")
    return (*x[:-1], oc)


def float_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(..., OC) for weights (OC, IC). Errors: GraphError where the input does not have IC features."""
    oc, ic = params["weights"].shape
    return _shape(oc, ic, in_shapes)


def integer_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(..., OC) for codes (WORDS,OC,1,1,IC). Errors: GraphError where the input does not have IC features."""
    return _shape(params["codes"].shape[1], params["codes"].shape[4], in_shapes)


def _one_by_one(params: Params) -> str | None:
    kernel = params["codes"].shape[2:4]
    return None if kernel == (1, 1) else f"the kernel of a dense layer must be 1x1, not {kernel}"


OPS = (
    OpSpec("dense", FLOAT, ARRAY, (1, 1), float_shape,
           {"weights": kinds.array("float", 2), **requant.FLOAT_PARAMS}, requant.FLOAT_DEFAULTS, requant.float_rules,
           Trait.PIXELWISE),
    OpSpec("qdense", INTEGER, ARRAY, (1, 1), integer_shape,
           {"codes": kinds.array("int", 5), **requant.PARAMS}, requant.DEFAULTS,
           lambda p: _one_by_one(p) or requant.rules(p), Trait.PIXELWISE),
)
