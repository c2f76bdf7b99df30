"""Functions of one tensor, by the names that frameworks give them."""
from collections.abc import Callable
from typing import Any

from hwsim.importers.keras.layer_config import is_number
from hwsim.importers.keras.layers.activation import function
from hwsim.importers.keras.layers.call import LayerCall

UNARY = ("abs", "erf", "exp", "log", "negative", "reciprocal", "rsqrt", "sqrt", "square")
FLOATS = ("float16", "bfloat16", "float32", "float64", "DT_HALF", "DT_BFLOAT16", "DT_FLOAT", "DT_DOUBLE")


def unary(name: str) -> Callable[[LayerCall, str], str]:
    """The operation `name` of ops/pointwise.py."""
    return lambda call, x: call.add("unary", [x], function=name)


def activation(name: str) -> Callable[[LayerCall, str], str]:
    """The activation function that Keras calls `name`."""
    return lambda call, x: function(call, x, name, {})


def leaky_relu(call: LayerCall, x: str, slope: Any) -> str:
    """LeakyReLU as TensorFlow defines it: slope 0.2 when it is not given."""
    return call.add("relu", [x], slope=_number(call, slope, 0.2))


def elu(call: LayerCall, x: str, alpha: Any) -> str:
    """ELU, alpha 1 when it is not given."""
    return call.add("unary", [x], function="elu", args=(_number(call, alpha, 1.0),))


def relu_layer(call: LayerCall, x: str, slope: Any, limit: Any, threshold: Any) -> str:
    """keras.activations.relu with its options."""
    return call.add("relu", [x], slope=_number(call, slope, 0.0), threshold=_number(call, threshold, 0.0),
                    max_value=None if limit is None else _number(call, limit, 0.0))


def gelu(exact: bool) -> Callable[[LayerCall, str, Any], str]:
    """Gelu by erf or by tanh as `approximate` says, `exact` when it is not given."""
    def convert(call: LayerCall, x: str, approximate: Any) -> str:
        by_erf = exact if approximate is None else not approximate
        return call.add("unary", [x], function="gelu" if by_erf else "gelu_tanh")
    return convert


def swish(call: LayerCall, x: str, beta: Any) -> str:
    """x * sigmoid(x). Errors: UnsupportedError for another beta than 1."""
    if beta not in (None, 1, 1.0):
        raise call.config.refuse("beta must be 1", beta)
    return call.add("unary", [x], function="swish")


def softmax(call: LayerCall, x: str, axis: Any) -> str:
    """Softmax over the last axis. Errors: UnsupportedError for another axis."""
    if axis not in (None, -1, len(call.builder.shape(x)) - 1):
        raise call.config.refuse("axis must be the last one", axis)
    return call.add("softmax", [x])


def cast(call: LayerCall, x: str, dtype: Any) -> str:
    """`x` itself for a cast to a float type. Errors: UnsupportedError for others."""
    if dtype not in FLOATS:
        raise call.config.refuse("a cast must be to a float type", dtype)
    return x


def identity(call: LayerCall, x: str) -> str:
    """`x` itself."""
    return x


def _number(call: LayerCall, value: Any, default: float) -> float:
    value = default if value is None else value
    if not is_number(value):
        raise call.config.refuse("an option must be a number", value)
    return float(value)
