"""Pooling of float64 (N,IH,IW,C) to (N,OH,OW,C) (ops/pool.py). Padding never counts."""
from collections.abc import Callable

import numpy as np

from hwsim.quantization.float_net.ops.params import Params
from hwsim.quantization.float_net.ops.window import blocks, geometry


def max_pool(params: Params, x: np.ndarray) -> np.ndarray:
    """The largest real value of every window."""
    return _pooled(params, x, lambda windows: windows.max(axis=(2, 3)), -np.inf)


def avg_pool(params: Params, x: np.ndarray) -> np.ndarray:
    """Sums over the real taps, divided by their number."""
    taps = _pooled(params, np.ones((1, *x.shape[1:3], 1)), lambda windows: windows.sum(axis=(2, 3)), 0.0)
    return _pooled(params, x, lambda windows: windows.sum(axis=(2, 3)), 0.0) / taps


def _pooled(params: Params, x: np.ndarray, reduce: Callable[[np.ndarray], np.ndarray], fill: float) -> np.ndarray:
    """reduce(windows (rows, cols, KH, KW, C)) -> (rows, cols, C) of all windows; outside the image stands `fill`."""
    out = np.empty((len(x), *geometry(params, x.shape, params["kernel"])[3], x.shape[3]))
    for n, rows, cols, windows in blocks(params, x, params["kernel"], fill):
        out[n, rows, cols] = reduce(windows)
    return out


def global_avg_pool(params: Params, x: np.ndarray) -> np.ndarray:
    """The mean of every channel over the image: (N,1,1,C) with `keepdims`, else (N,C)."""
    return np.asarray(x.mean(axis=(1, 2), keepdims=params["keepdims"]))


def global_max_pool(params: Params, x: np.ndarray) -> np.ndarray:
    """The largest value of every channel of the image: (N,1,1,C) with `keepdims`, else (N,C)."""
    return np.asarray(x.max(axis=(1, 2), keepdims=params["keepdims"]))
