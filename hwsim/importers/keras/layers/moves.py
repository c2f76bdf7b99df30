"""Layers that move values: upsampling, padding, cropping, reshaping; and those that do nothing at inference."""
from typing import Any

from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind


def upsample(call: LayerCall) -> str:
    """UpSampling2D; bilinear has half-pixel centres in Keras 2 and 3."""
    config = call.config
    config.channels_last()
    call.image()
    ops = {"nearest": "upsample_nearest", "bilinear": "bilinear"}
    return call.add(ops[config.choice("interpolation", "nearest", tuple(ops))], factor=config.pair("size", (2, 2)))


def _sides(config: LayerConfig, key: str) -> tuple[int, ...]:
    """(top, bottom, left, right) of one number, two symmetric numbers or two pairs."""
    value = config.get(key, 1)
    value = [value, value] if isinstance(value, int) else value
    if not isinstance(value, list) or len(value) != 2:
        raise config.bad(key, "1, 2 or 2x2 integers")
    sides = [side for axis in value for side in (axis if isinstance(axis, list) else [axis, axis])]
    if len(sides) != 4 or not all(isinstance(side, int) and 0 <= side < 1 << 16 for side in sides):
        raise config.bad(key, "1, 2 or 2x2 integers in 0..65535")
    return tuple(sides)


def zero_pad(call: LayerCall) -> str:
    """The output tensor of a ZeroPadding2D."""
    call.config.channels_last()
    return call.add("pad", pad=_sides(call.config, "padding"))


def crop(call: LayerCall) -> str:
    """The output tensor of a Cropping2D."""
    call.config.channels_last()
    return call.add("crop", crop=_sides(call.config, "cropping"))


def flatten(call: LayerCall) -> str:
    """The output tensor of a Flatten; a flat input stays as it is."""
    call.config.channels_last()
    return call.x if len(call.in_shape) == 2 else call.add("flatten")


def reshape(call: LayerCall) -> str:
    """The output tensor of a Reshape."""
    return reshape_tensor(call, call.x, call.config.get("target_shape"))


def reshape_tensor(call: LayerCall, x: str, target: Any) -> str:
    """`x` with the shape `target` (without N), one size of which may be -1; reshapes in a row become one or none.

    Errors: UnsupportedError for other sizes.
    """
    good = isinstance(target, list) and target and all(type(t) is int and (t > 0 or t == -1) for t in target)
    if not good or target.count(-1) > 1:
        raise call.config.refuse("the target shape must be positive integers, at most one of them -1", target)
    source = call.builder.node(x)
    x = source.inputs[0] if source.op == "reshape" else x
    tensor = call.add("reshape", [x], shape=tuple(target))
    return x if call.builder.shape(tensor) == call.builder.shape(x) else tensor


def same(call: LayerCall) -> str:
    """The input itself: noise, dropout and regularizers do nothing at inference."""
    return call.x


IDENTITY = ("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity",
            "SpatialDropout2D")

KINDS = {
    "UpSampling2D": LayerKind(upsample), "ZeroPadding2D": LayerKind(zero_pad), "Cropping2D": LayerKind(crop),
    "Flatten": LayerKind(flatten), "Reshape": LayerKind(reshape), "InputLayer": LayerKind(same),
    **{name: LayerKind(same) for name in IDENTITY},
}
