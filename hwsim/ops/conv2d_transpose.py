"""Transposed convolution: each input pixel adds its kernel, stride apart.

    full[n, iy*SH+ky, ix*SW+kx, oc] += x[n,iy,ix,ic] * w[oc,ky,kx,ic];   out = full cropped by crop = (top, bottom, left, right)

A negative crop extends the output by positions without taps (their value is the bias alone). The specification runs it as one
ordinary convolution per output phase (py, px), in that order (spec/arithmetic.md rule 6.13, spec/device.md rule 4.7):
ops/phases.py gives their taps.
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds, requant
from hwsim.ops.dims import Shape, known, require_positive
from hwsim.ops.kinds import Params
from hwsim.ops.spec import ARRAY, FLOAT, INTEGER, OpSpec


def _shape(kernel_shape: tuple[int, ...], params: Params, in_shapes: Sequence[Shape]) -> Shape:
    oc, kh, kw, ic = kernel_shape
    x = in_shapes[0]
    if len(x) != 4:
        raise GraphError(f"the input of a transposed convolution must be N,H,W,C, not rank {len(x)}")
    if known(x[3]) and x[3] != ic:
        raise GraphError(f"input channels must be {ic}, not {x[3]}")
    (sh, sw), (top, bottom, left, right) = params["stride"], params["crop"]
    height = (x[1] - 1) * sh + (kh - top - bottom)
    width = (x[2] - 1) * sw + (kw - left - right)
    text = "the output of a transposed convolution"
    return (x[0], require_positive(height, text), require_positive(width, text), oc)


def float_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, OH, OW, OC) for float weights. Errors: GraphError for an input of another rank or channel count, or too small."""
    return _shape(params["weights"].shape, params, in_shapes)


def integer_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, OH, OW, OC) for weight codes. Errors: as float_shape."""
    return _shape(params["codes"].shape[1:], params, in_shapes)


GEOMETRY = {"stride": kinds.integers(2, 1), "crop": kinds.integers(4)}

OPS = (
    OpSpec("conv2d_transpose", FLOAT, ARRAY, (1, 1), float_shape,
           {"weights": kinds.array("float", 4), **requant.FLOAT_PARAMS, **GEOMETRY},
           requant.FLOAT_DEFAULTS, requant.float_rules),
    OpSpec("qconv2d_transpose", INTEGER, ARRAY, (1, 1), integer_shape,
           {"codes": kinds.array("int", 5), **requant.PARAMS, **GEOMETRY}, requant.DEFAULTS, requant.rules),
)
