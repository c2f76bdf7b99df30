"""The named functions of ops/pointwise.py: f(x, *args), float64 of any shape -> float64 of that shape, value by value.

Defaults are those of Keras and ONNX where they agree. Nothing raises: what leaves float64 is infinite or NaN.
"""
import math
from collections.abc import Callable

import numpy as np

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_ERF = np.frompyfunc(math.erf, 1, 1)


def erf(x: np.ndarray) -> np.ndarray:
    """The Gauss error function, as math.erf gives it for each value."""
    return np.asarray(_ERF(x), np.float64)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-x)), without overflow on either side."""
    power = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, power) / (1 + power)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """x where x >= 0, else alpha*(exp(x) - 1)."""
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """x where x >= 0, else alpha*(exp(x/alpha) - 1)."""
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the normal distribution function of x."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """The approximation of gelu by tanh."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def hard_sigmoid(x: np.ndarray, alpha: float = 1 / 6, beta: float = 0.5) -> np.ndarray:
    """Keras 3 and torch: relu6(x + 3)/6."""
    return np.clip(alpha * x + beta, 0.0, 1.0)


def hard_sigmoid_keras2(x: np.ndarray) -> np.ndarray:
    """Keras 2 and the default of ONNX."""
    return hard_sigmoid(x, 0.2)


def hard_shrink(x: np.ndarray, limit: float = 0.5) -> np.ndarray:
    """x where |x| > limit, else 0."""
    return np.where(np.abs(x) > limit, x, 0.0)


def soft_shrink(x: np.ndarray, limit: float = 0.5) -> np.ndarray:
    """x moved towards 0 by limit, at most to 0."""
    return np.sign(x) * np.maximum(np.abs(x) - limit, 0)


def leaky_relu(x: np.ndarray, slope: float = 0.01) -> np.ndarray:
    """x where x >= 0, else slope*x."""
    return np.where(x >= 0, x, slope * x)


def relu_threshold(x: np.ndarray, threshold: float = 1.0) -> np.ndarray:
    """x above the threshold, else 0."""
    return np.where(x > threshold, x, 0.0)


def selu(x: np.ndarray, alpha: float = SELU_ALPHA, scale: float = SELU_SCALE) -> np.ndarray:
    """scale times elu."""
    return scale * elu(x, alpha)


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "abs": np.abs, "celu": celu, "elu": elu, "erf": erf, "exp": np.exp, "gelu": gelu, "gelu_tanh": gelu_tanh,
    "hard_shrink": hard_shrink, "hard_sigmoid": hard_sigmoid, "hard_sigmoid_keras2": hard_sigmoid_keras2,
    "hard_swish": lambda x: x * hard_sigmoid(x), "hard_tanh": lambda x: np.clip(x, -1.0, 1.0), "leaky_relu": leaky_relu,
    "log": np.log, "log_sigmoid": lambda x: -softplus(-x), "mish": lambda x: x * np.tanh(softplus(x)), "negative": np.negative,
    "reciprocal": np.reciprocal, "relu": lambda x: np.maximum(x, 0.0), "relu_threshold": relu_threshold,
    "rsqrt": lambda x: 1 / np.sqrt(x), "selu": selu, "sigmoid": sigmoid, "soft_shrink": soft_shrink, "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)), "sqrt": np.sqrt, "square": np.square, "swish": lambda x: x * sigmoid(x),
    "tanh": np.tanh, "tanh_shrink": lambda x: x - np.tanh(x),
}
