"""Operators on one tensor, value by value (ops/pointwise.py)."""
import numpy as np

from hwsim.quantization.float_net.ops.functions import FUNCTIONS
from hwsim.quantization.float_net.ops.fused import clipped, slope


def affine(params, x):
    return x * params["scale"] + params["offset"]


def scale(params, x):
    return x * params["factor"]


def relu(params, x):
    """x at and above the threshold, slope*(x - threshold) below it, limited to max_value."""
    threshold = params["threshold"]
    y = np.where(x >= threshold, x, params["slope"] * (x - threshold))
    return y if params["max_value"] is None else np.minimum(y, params["max_value"])


def prelu(params, x):
    return slope(x, params["alpha"])


def clip(params, x):
    return clipped(x, params["clip"])


def unary(params, x):
    return FUNCTIONS[params["function"]](x, *params["args"])


def softmax(params, x):
    """exp(x) over its sum on the last axis."""
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)
