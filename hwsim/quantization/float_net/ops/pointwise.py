"""Operators on one float64 tensor (N,...,C), value by value, which keep its shape (ops/pointwise.py)."""
import numpy as np

from hwsim.quantization.float_net.ops.functions import FUNCTIONS
from hwsim.quantization.float_net.ops.fused import clipped, slope
from hwsim.quantization.float_net.ops.params import Params


def affine(params: Params, x: np.ndarray) -> np.ndarray:
    """x*scale + offset, both float64 (C), one per channel."""
    return x * params["scale"] + params["offset"]


def scale(params: Params, x: np.ndarray) -> np.ndarray:
    """x times `factor`, a number or float64 (C), one per channel."""
    return x * params["factor"]


def relu(params: Params, x: np.ndarray) -> np.ndarray:
    """x at and above the threshold, slope*(x - threshold) below it, limited to max_value."""
    threshold = params["threshold"]
    y = np.where(x >= threshold, x, params["slope"] * (x - threshold))
    return y if params["max_value"] is None else np.minimum(y, params["max_value"])


def prelu(params: Params, x: np.ndarray) -> np.ndarray:
    """x where x >= 0, else alpha*x; alpha float64, per channel (C) or per value of an image."""
    return slope(x, params["alpha"])


def clip(params: Params, x: np.ndarray) -> np.ndarray:
    """x within the limits of `clip`."""
    return clipped(x, params["clip"])


def unary(params: Params, x: np.ndarray) -> np.ndarray:
    """The function of that name in functions.py, value by value."""
    return FUNCTIONS[params["function"]](x, *params["args"])


def softmax(params: Params, x: np.ndarray) -> np.ndarray:
    """exp(x) over its sum on the last axis, the channels: values in 0..1."""
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)
