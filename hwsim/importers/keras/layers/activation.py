"""Activation functions, as layers, as names in `activation`, and as serialized objects there."""
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from hwsim.errors import UnsupportedError
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind
from hwsim.ops.dims import all_known

# Keras name -> function of ops/pointwise.py, where nothing but the name may differ
UNARY = {"tanh": "tanh", "sigmoid": "sigmoid", "softplus": "softplus", "softsign": "softsign", "selu": "selu", "swish": "swish",
         "silu": "swish", "gelu": "gelu", "exponential": "exp", "mish": "mish", "hard_silu": "hard_swish",
         "hard_swish": "hard_swish", "log_sigmoid": "log_sigmoid", "hard_tanh": "hard_tanh", "tanh_shrink": "tanh_shrink"}
IDENTITY = (None, "linear")
ActivationLayer: TypeAlias = Callable[[LayerCall, str, LayerConfig], str]


def activate(call: LayerCall, tensor: str) -> str:
    """`tensor` after the layer's own `activation`, a node `layer:function` where there is one."""
    spec = call.config.get("activation")
    if spec in IDENTITY:
        return tensor
    name, options = _spec(call.config, spec)
    return function(call, tensor, name, options, f":{name.lower()}")


def _spec(config: LayerConfig, spec: Any) -> tuple[str, dict[str, Any]]:
    """(name, options) of an activation given as a text or as a serialized function or layer."""
    if isinstance(spec, str):
        return spec, {}
    if not isinstance(spec, dict) or not isinstance(spec.get("class_name"), str):
        raise config.bad("activation", "a text or a serialized function")
    inner = spec.get("config")
    if spec["class_name"] == "function" and isinstance(inner, str):
        return inner, {}
    return spec["class_name"], inner if isinstance(inner, dict) else {}


def function(call: LayerCall, x: str, name: str, options: dict[str, Any], suffix: str = "") -> str:
    """The tensor `name`(x); `options` are the parameters of a serialized activation layer.

    Errors: UnsupportedError for an unknown function.
    """
    if name in IDENTITY or name == "Linear":
        return x
    if name in LAYERS:
        return LAYERS[name](call, x, LayerConfig(call.config.name, name, options), suffix)
    if name == "relu":
        return call.add("relu", [x], suffix)
    if name == "relu6":
        return call.add("relu", [x], suffix, max_value=6.0)
    if name == "leaky_relu":
        return call.add("relu", [x], suffix, slope=0.2)
    if name == "elu":
        return call.add("unary", [x], suffix, function="elu", args=(1.0,))
    if name == "hard_sigmoid":
        return call.add("unary", [x], suffix, function="hard_sigmoid" if call.keras >= 3 else "hard_sigmoid_keras2")
    if name == "softmax":
        return call.add("softmax", [x], suffix)
    if name in UNARY:
        return call.add("unary", [x], suffix, function=UNARY[name])
    raise UnsupportedError(f"{call.name} ({call.layer.kind}): the activation must be a known function, not {show(name)}")


def relu(call: LayerCall, x: str, config: LayerConfig, suffix: str = "") -> str:
    """ReLU: max_value, negative_slope and threshold as Keras defines them."""
    limit = config.number("max_value") if "max_value" in config else None
    return call.add("relu", [x], suffix, slope=config.number("negative_slope", 0.0),
                    threshold=config.number("threshold", 0.0), max_value=limit)


def leaky_relu(call: LayerCall, x: str, config: LayerConfig, suffix: str = "") -> str:
    """LeakyReLU: the slope is `negative_slope` in Keras 3 and `alpha` before, 0.3 when neither is given."""
    slope = config.number("negative_slope") if "negative_slope" in config else config.number("alpha", 0.3)
    return call.add("relu", [x], suffix, slope=slope)


def elu(call: LayerCall, x: str, config: LayerConfig, suffix: str = "") -> str:
    """ELU: alpha*(e^x - 1) for negative x, alpha 1 when it is not given."""
    return call.add("unary", [x], suffix, function="elu", args=(config.number("alpha", 1.0),))


def thresholded(call: LayerCall, x: str, config: LayerConfig, suffix: str = "") -> str:
    """ThresholdedReLU: x above theta, else 0; theta 1 when it is not given."""
    return call.add("unary", [x], suffix, function="relu_threshold", args=(config.number("theta", 1.0),))


def softmax(call: LayerCall, x: str, config: LayerConfig, suffix: str = "") -> str:
    """Softmax over the last axis. Errors: UnsupportedError for another axis."""
    axis, rank = config.get("axis", -1), len(call.builder.shape(x))
    if axis not in (-1, rank - 1, [-1], [rank - 1]):
        raise config.refuse("axis must be the last one", axis)
    return call.add("softmax", [x], suffix)


def prelu(call: LayerCall) -> str:
    """PReLU with one slope per channel (shared over H and W) or per value; shared axes of size 1 are repeated.

    Errors: FileError for axes that the input has not, UnsupportedError for slopes over an axis of open size.
    """
    shape = call.in_shape[1:]
    shared = call.config.get("shared_axes", [])
    shared = shared if isinstance(shared, list) else [shared]
    if not all(isinstance(axis, int) and 1 <= axis <= len(shape) for axis in shared):
        raise call.config.bad("shared_axes", f"axes in 1..{len(shape)}")
    stored = tuple(1 if axis in shared else size for axis, size in enumerate(shape, 1))
    if not all_known(stored):
        raise call.config.refuse("an input of open size must share its slopes over H and W (shared_axes)", shared)
    alpha = call.read("alpha", stored)
    if set(stored[:-1]) <= {1}:
        alpha = alpha.reshape(-1)
        full: tuple[int, ...] = (call.channels(),)
    elif all_known(shape):
        full = shape
    else:
        raise call.config.refuse("an input of open size must share its slopes over H and W (shared_axes)", shared)
    return call.add("prelu", alpha=np.ascontiguousarray(np.broadcast_to(alpha, full)))


def _named(call: LayerCall) -> str:
    name, options = _spec(call.config, call.config.get("activation", "linear"))
    return function(call, call.x, name, options)


def _layer(convert: ActivationLayer) -> LayerKind:
    return LayerKind(lambda call: convert(call, call.x, call.config))


LAYERS = {"ReLU": relu, "LeakyReLU": leaky_relu, "ELU": elu, "ThresholdedReLU": thresholded, "Softmax": softmax}

KINDS = {
    "Activation": LayerKind(_named),
    "PReLU": LayerKind(prelu, lambda config: (["alpha"], [])),
    **{name: _layer(convert) for name, convert in LAYERS.items()},
}
