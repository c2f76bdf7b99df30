"""Layers that are y = x*scale + offset per channel at inference: BatchNormalization, Normalization, Rescaling."""
from typing import Any

import numpy as np

from hwsim.importers.keras.layer_config import LayerConfig, is_number
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind, WeightNames


def batch_norm(call: LayerCall) -> str:
    """gamma/sqrt(var+eps) and beta - mean*that, all in float64 (spec/arithmetic.md section 1).

    Errors: UnsupportedError for variance + epsilon that is not positive.
    """
    config, channels = call.config, call.channels()
    _last_axis(call)
    epsilon = config.number("epsilon", 1e-3)
    mean, variance = (call.read(name, (channels,)) for name in ("moving_mean", "moving_variance"))
    gamma = call.read("gamma", (channels,)) if config.boolean("scale", True) else np.ones(channels)
    beta = call.read("beta", (channels,)) if config.boolean("center", True) else np.zeros(channels)
    if (variance + epsilon <= 0).any():
        raise config.refuse("variance + epsilon must be positive", float(np.min(variance + epsilon)))
    scale = gamma / np.sqrt(variance + epsilon)
    return call.add("affine", scale=scale, offset=beta - mean * scale)


def normalization(call: LayerCall) -> str:
    """(x - mean)/max(sqrt(variance), 1e-7) with constants from the configuration or from adapt().

    Errors: UnsupportedError for a negative variance.
    """
    config, channels = call.config, call.channels()
    _last_axis(call)
    if "mean" in config:
        mean, variance = (vector(config, key, config.get(key), channels) for key in ("mean", "variance"))
    else:
        mean, variance = (call.read(name, (channels,)) for name in ("mean", "variance"))
    if (variance < 0).any():
        raise config.refuse("variance must not be negative", float(variance.min()))
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if config.boolean("invert", False):
        return call.add("affine", scale=deviation, offset=mean)
    return call.add("affine", scale=1 / deviation, offset=-mean / deviation)


def rescaling(call: LayerCall) -> str:
    """x*scale + offset; a single positive factor only changes the scale of the tensor."""
    scale, offset = (vector(call.config, key, call.config.get(key, default), call.channels())
                     for key, default in (("scale", 1.0), ("offset", 0.0)))
    return scale_tensor(call, call.x, scale, offset)


def scale_tensor(call: LayerCall, x: str, scale: np.ndarray, offset: np.ndarray, suffix: str = "") -> str:
    """The tensor x*scale + offset for two vectors of one value per channel."""
    if not offset.any() and scale[0] > 0 and (scale == scale[0]).all():
        return call.add("scale", [x], suffix, factor=float(scale[0]))
    return call.add("affine", [x], suffix, scale=scale, offset=offset)


def vector(config: LayerConfig, key: str, value: Any, channels: int) -> np.ndarray:
    """A number or a list of one number per channel (perhaps inside lists of length 1), as `channels` float64 values.

    Errors: UnsupportedError for anything else.
    """
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    values = value if isinstance(value, list) else [value] * channels
    if len(values) != channels or not all(map(is_number, values)):
        raise config.refuse(f"{key} must be a number or {channels} numbers", value)
    return np.array(values, np.float64)


def _last_axis(call: LayerCall) -> None:
    """Raises UnsupportedError unless `axis` is the channel axis."""
    rank, axis = len(call.in_shape), call.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, rank - 1):
        raise call.config.refuse(f"axis must be the last one, {rank - 1}", axis)


def _batch_slots(config: LayerConfig) -> WeightNames:
    trained = [name for name, key in (("gamma", "scale"), ("beta", "center")) if config.boolean(key, True)]
    return trained, ["moving_mean", "moving_variance"]


def _normalization_slots(config: LayerConfig) -> WeightNames:
    return [], [] if "mean" in config else ["mean", "variance", "count"]


KINDS = {
    "BatchNormalization": LayerKind(batch_norm, _batch_slots),
    "Normalization": LayerKind(normalization, _normalization_slots),
    "Rescaling": LayerKind(rescaling),
}
