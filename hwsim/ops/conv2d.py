"""Convolution, any stride, dilation and groups; depthwise is groups = IC = OC.

    acc[n,oy,ox,oc] = bias[oc] + sum over ky,kx,ic of x[n, oy*SH+ky*DH-top, ox*SW+kx*DW-left, g*ICG+ic] * w[oc,ky,kx,ic]

float   `conv2d`:  weights (OC,KH,KW,ICG) float64, bias (OC)
integer `qconv2d`: codes (WORDS,OC,KH,KW,ICG), bias (OC), requantization fields (see ops/requant.py)
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds, requant
from hwsim.ops.dims import Shape, known
from hwsim.ops.kinds import Params
from hwsim.ops.spec import ARRAY, FLOAT, INTEGER, OpSpec, Trait
from hwsim.ops.window import out_hw


def _shape(kernel_shape: tuple[int, ...], params: Params, in_shapes: Sequence[Shape]) -> Shape:
    oc, kh, kw, icg = kernel_shape
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a convolution must be N,H,W,C, not rank {len(x)}")
    if known(x[3]) and x[3] != icg * params["groups"]:
        raise GraphError(f"input channels must be {icg * params['groups']}, not {x[3]}")
    return (x[0], *out_hw(x, (kh, kw), params["stride"], params["dilation"], params["padding"]), oc)


def float_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, OH, OW, OC) for float weights. Errors: GraphError for an input of another rank or channel count, or too small."""
    return _shape(params["weights"].shape, params, in_shapes)


def integer_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, OH, OW, OC) for weight codes. Errors: as float_shape."""
    return _shape(params["codes"].shape[1:], params, in_shapes)


def _groups_divide(shape: tuple[int, ...], params: Params) -> str | None:
    if shape[0] % params["groups"]:
        return f"groups must divide the {shape[0]} output channels, not {params['groups']}"
    return None


GEOMETRY = {"stride": kinds.integers(2, 1), "dilation": kinds.integers(2, 1),
            "padding": kinds.padding, "groups": kinds.integer(1)}
GEOMETRY_DEFAULTS = {"stride": (1, 1), "dilation": (1, 1), "padding": (0, 0, 0, 0), "groups": 1}

OPS = (
    OpSpec("conv2d", FLOAT, ARRAY, (1, 1), float_shape,
           {"weights": kinds.array("float", 4), **requant.FLOAT_PARAMS, **GEOMETRY},
           {**requant.FLOAT_DEFAULTS, **GEOMETRY_DEFAULTS},
           lambda p: _groups_divide(p["weights"].shape, p) or requant.float_rules(p), Trait.WINDOW),
    OpSpec("qconv2d", INTEGER, ARRAY, (1, 1), integer_shape,
           {"codes": kinds.array("int", 5), **requant.PARAMS, **GEOMETRY, "rowpack": kinds.boolean},
           {**requant.DEFAULTS, **GEOMETRY_DEFAULTS, "rowpack": False},
           lambda p: _groups_divide(p["codes"].shape[1:], p) or requant.rules(p), Trait.WINDOW),
)
