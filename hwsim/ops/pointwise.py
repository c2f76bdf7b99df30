"""Operators on one tensor, value by value.

float:   affine (y = x*scale + offset per channel), scale (one positive factor), relu, prelu, clip,
         unary (a named function of kinds below), softmax (float only)
integer: identity  the codes are kept, the scale changes (spec/arithmetic.md rule 6.4)
         qprelu    y = clamp(round(x * (m_pos if x >= 0 else m_neg), shift), lo, hi), fields per channel or per (H,W,C)
         qtable    y = table[x - lowest input code]
"""
from collections.abc import Sequence

from hwsim.errors import GraphError
from hwsim.ops import kinds
from hwsim.ops.dims import Shape, known
from hwsim.ops.kinds import Params, ShapeRule
from hwsim.ops.spec import ADDRESS, FLOAT, INTEGER, MOVED, VECTOR, OpSpec, Trait

FUNCTIONS = ("abs", "celu", "elu", "erf", "exp", "gelu", "gelu_tanh", "hard_shrink", "hard_sigmoid", "hard_sigmoid_keras2",
             "hard_swish", "hard_tanh", "leaky_relu", "log", "log_sigmoid", "mish", "negative", "reciprocal", "relu",
             "relu_threshold", "rsqrt", "selu", "sigmoid", "soft_shrink", "softplus", "softsign", "sqrt", "square", "swish",
             "tanh", "tanh_shrink")


def same_shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """The shape of the one input."""
    return in_shapes[0]


def per_channel(names: Sequence[str]) -> ShapeRule:
    """A shape rule: each named array must match the input's last axes."""
    def shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
        x = in_shapes[0]
        for name in names:
            value = params[name]
            tail = x[len(x) - value.ndim:]
            if value.ndim >= len(x) or any(known(t) and v != t for v, t in zip(value.shape, tail)):
                raise GraphError(f"{name} must match the last axes of {tail}, not {value.shape}")
        return x
    return shape


PIXELWISE = Trait.PIXELWISE
CLIP = {"clip": kinds.optional(kinds.clip_range)}

OPS = (
    OpSpec("affine", FLOAT, VECTOR, (1, 1), per_channel(("scale", "offset")),
           {"scale": kinds.array("float", 1), "offset": kinds.array("float", 1)}, traits=PIXELWISE),
    OpSpec("scale", FLOAT, ADDRESS, (1, 1), same_shape, {"factor": kinds.real}, traits=PIXELWISE | MOVED),
    OpSpec("relu", FLOAT, VECTOR, (1, 1), same_shape,
           {"slope": kinds.real, "threshold": kinds.real, "max_value": kinds.optional(kinds.real)},
           {"slope": 0.0, "threshold": 0.0, "max_value": None}, traits=PIXELWISE),
    OpSpec("prelu", FLOAT, VECTOR, (1, 1), per_channel(("alpha",)),
           {"alpha": kinds.array("float", 1, 3), **CLIP}, {"clip": None}, traits=PIXELWISE),
    OpSpec("clip", FLOAT, VECTOR, (1, 1), same_shape, {"clip": kinds.clip_range}, traits=PIXELWISE),
    OpSpec("unary", FLOAT, VECTOR, (1, 1), same_shape,
           {"function": kinds.choice(*FUNCTIONS), "args": kinds.reals}, {"args": ()}, traits=PIXELWISE),
    OpSpec("softmax", FLOAT, VECTOR, (1, 1), same_shape, traits=PIXELWISE),
    OpSpec("identity", INTEGER, ADDRESS, (1, 1), same_shape, traits=PIXELWISE | MOVED),
    OpSpec("qprelu", INTEGER, VECTOR, (1, 1), per_channel(("m_pos", "m_neg", "shift")),
           {name: kinds.array("int", 1, 3) for name in ("m_pos", "m_neg", "shift")}
           | {"lo": kinds.integer(), "hi": kinds.integer()}, traits=PIXELWISE),
    OpSpec("qtable", INTEGER, VECTOR, (1, 1), same_shape, {"table": kinds.array("int", 1)}, traits=PIXELWISE),
)
