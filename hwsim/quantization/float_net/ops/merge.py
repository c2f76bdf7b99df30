"""Operators that join tensors (ops/merge.py); an axis of size 1 is broadcast."""
from functools import reduce

import numpy as np

from hwsim.quantization.float_net.ops.params import Params


def _folding(operation):
    return lambda params, *tensors: reduce(operation, tensors)


add = _folding(np.add)
subtract = _folding(np.subtract)
multiply = _folding(np.multiply)
maximum = _folding(np.maximum)
minimum = _folding(np.minimum)


def average(params: Params, *tensors: np.ndarray) -> np.ndarray:
    return add(params, *tensors) / len(tensors)


def concat(params: Params, *tensors: np.ndarray) -> np.ndarray:
    return np.concatenate(tensors, axis=params["axis"])
