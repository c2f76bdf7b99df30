"""Operators that join float64 tensors, N first (ops/merge.py); an axis of size 1 is broadcast."""
from collections.abc import Callable
from functools import reduce

import numpy as np

from hwsim.quantization.float_net.ops.params import Params


def _folding(operation: np.ufunc) -> Callable[..., np.ndarray]:
    """f(params, *tensors): the operation of the first two, then of the result and the next."""
    return lambda params, *tensors: reduce(operation, tensors)


add = _folding(np.add)
subtract = _folding(np.subtract)
multiply = _folding(np.multiply)
maximum = _folding(np.maximum)
minimum = _folding(np.minimum)


def average(params: Params, *tensors: np.ndarray) -> np.ndarray:
    """The mean of the tensors, value by value."""
    return add(params, *tensors) / len(tensors)


def concat(params: Params, *tensors: np.ndarray) -> np.ndarray:
    """The tensors one after the other on the axis `axis`, counted with N; their other sizes are equal."""
    return np.concatenate(tensors, axis=params["axis"])
