"""Arithmetic on tensors and constants. A constant is a number or one number per channel; operands come in the order written."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from hwsim.importers.keras.layer_config import is_number
from hwsim.importers.keras.layers.call import LayerCall, Tensor
from hwsim.importers.keras.layers.merge import join_tensors
from hwsim.importers.keras.layers.norm import scale_tensor, vector


def add(call: LayerCall, x: Any, y: Any) -> str:
    """x + y of two tensors, or of a tensor and a constant."""
    if _both(x, y):
        return join_tensors(call, "add", [x, y])
    tensor, constant = _sorted(call, x, y)
    return scale_tensor(call, tensor, *_line(call, tensor, 1.0, constant))


def subtract(call: LayerCall, x: Any, y: Any) -> str:
    """x - y of two tensors, or of a tensor and a constant in either order."""
    if _both(x, y):
        return join_tensors(call, "subtract", [x, y])
    if isinstance(x, Tensor):
        scale, offset = _line(call, x, 1.0, y)
        return scale_tensor(call, x, scale, -offset)
    return scale_tensor(call, _tensor(call, y), *_line(call, y, -1.0, x))


def multiply(call: LayerCall, x: Any, y: Any) -> str:
    """x * y of two tensors, or of a tensor and a constant."""
    if _both(x, y):
        return join_tensors(call, "multiply", [x, y])
    tensor, constant = _sorted(call, x, y)
    return scale_tensor(call, tensor, *_line(call, tensor, constant, 0.0))


def divide(call: LayerCall, x: Any, y: Any) -> str:
    """x/y; a tensor in the divisor becomes its reciprocal. Errors: UnsupportedError for a divisor of 0."""
    if isinstance(y, Tensor):
        inverse = call.add("unary", [y], ":reciprocal", function="reciprocal")
        return multiply(call, x, Tensor(inverse))
    scale, offset = _line(call, _tensor(call, x), y, 0.0)
    if not scale.all():
        raise call.config.refuse("a divisor must not be 0", y)
    return scale_tensor(call, x, 1 / scale, offset)


def maximum(call: LayerCall, x: Any, y: Any) -> str:
    """max(x, y) of two tensors, or of a tensor and one number: a ReLU for 0, else a clip."""
    if _both(x, y):
        return join_tensors(call, "maximum", [x, y])
    tensor, constant = _sorted(call, x, y)
    limit = _number(call, constant)
    return call.add("relu", [tensor]) if limit == 0 else call.add("clip", [tensor], clip=(limit, None))


def minimum(call: LayerCall, x: Any, y: Any) -> str:
    """min(x, y) of two tensors, or of a tensor and one number, as a clip."""
    if _both(x, y):
        return join_tensors(call, "minimum", [x, y])
    tensor, constant = _sorted(call, x, y)
    return call.add("clip", [tensor], clip=(None, _number(call, constant)))


def clip(call: LayerCall, x: Any, low: Any, high: Any) -> str:
    """x limited to low..high; None is no limit. Errors: UnsupportedError for low > high."""
    low, high = (None if limit is None else _number(call, limit) for limit in (low, high))
    if low is not None and high is not None and low > high:
        raise call.config.refuse("the lower limit must be at most the upper one", [low, high])
    return call.add("clip", [_tensor(call, x)], clip=(low, high))


def power(call: LayerCall, x: Any, y: Any) -> str:
    """x^2, x^1, x^0.5 and x^-1. Errors: UnsupportedError for another exponent."""
    functions = {2: "square", 0.5: "sqrt", -1: "reciprocal"}
    if isinstance(y, Tensor) or y not in (1, *functions):
        raise call.config.refuse("an exponent must be 2, 1, 0.5 or -1", y)
    return x if y == 1 else call.add("unary", [_tensor(call, x)], function=functions[y])


def add_all(call: LayerCall, values: Sequence[Any]) -> str:
    """The sum of one tensor or more."""
    return join_tensors(call, "add", values) if len(values) > 1 else _tensor(call, *values)


def _both(x: object, y: object) -> bool:
    return isinstance(x, Tensor) and isinstance(y, Tensor)


def _sorted(call: LayerCall, x: Any, y: Any) -> tuple[Tensor, Any]:
    """(tensor, constant) of two operands in either order."""
    return (x, y) if isinstance(x, Tensor) else (_tensor(call, y), x)


def _tensor(call: LayerCall, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise call.config.refuse("an operand must be a tensor", value)
    return value


def _number(call: LayerCall, value: Any) -> float:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not is_number(value):
        raise call.config.refuse("a constant must be one number", value)
    return float(value)


def _line(call: LayerCall, tensor: str, scale: Any, offset: Any) -> tuple[np.ndarray, np.ndarray]:
    """(scale, offset) of x*scale + offset as one value per channel of `tensor`."""
    channels = call.builder.shape(tensor)[-1]
    if not isinstance(channels, int):
        raise call.config.refuse("the number of channels must be known", str(channels))
    factors, terms = (vector(call.config, "constant", value, channels) for value in (scale, offset))
    return factors, terms
