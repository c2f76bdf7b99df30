"""Bilinear upsampling by whole factors with half-pixel centres: source = (o + 1/2)/factor - 1/2, clamped to the image.

Integer (spec/arithmetic.md section 6): per axis the weight of the later sample is rint(fraction * 2^11), ties to even, and the
earlier one takes the complement; y = clamp(round(sum of wy*wx*x, 22), lo, hi), the scale is kept.
"""
from hwsim.ops import kinds
from hwsim.ops.moves import FACTOR, upsample_shape
from hwsim.ops.spec import FLOAT, INTEGER, VECTOR, OpSpec, Trait

OPS = (
    OpSpec("bilinear", FLOAT, VECTOR, (1, 1), upsample_shape, FACTOR, traits=Trait.TIED),
    OpSpec("qbilinear", INTEGER, VECTOR, (1, 1), upsample_shape,
           {**FACTOR, "lo": kinds.integer(), "hi": kinds.integer()}),
)
