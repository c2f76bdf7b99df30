"""Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose: kernels reordered to (OC,KH,KW,ICG), activations added after."""
from typing import Any

import numpy as np

from hwsim.importers.keras.layer_config import MAX_SPAN, LayerConfig
from hwsim.importers.keras.layers.activation import activate
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind, Slots
from hwsim.ops.window import Pair, extent


def conv2d(call: LayerCall) -> str:
    """The output tensor of a Conv2D; grouped kernels keep their channels in group order, as Keras does.

    Errors: FileError for groups that do not divide the channels and filters.
    """
    config = call.config
    channels = call.image()[2]
    filters, groups, kernel = config.integer("filters"), config.integer("groups", 1), config.pair("kernel_size")
    if channels % groups or filters % groups:
        raise config.bad("groups", f"a divisor of {channels} input channels and {filters} filters")
    weights = call.read("kernel", (*kernel, channels // groups, filters)).transpose(3, 0, 1, 2)
    out = call.add("conv2d", weights=weights, bias=_bias(call, filters), groups=groups, **_geometry(config))
    return activate(call, out)


def depthwise(call: LayerCall) -> str:
    """The output tensor of a DepthwiseConv2D: output channel ic*M + m is filter m of input channel ic."""
    weights, channels = _depthwise_weights(call)
    out = call.add("conv2d", weights=weights, bias=_bias(call, len(weights)), groups=channels, **_geometry(call.config))
    return activate(call, out)


def separable(call: LayerCall) -> str:
    """The output tensor of a SeparableConv2D: depthwise without bias, then 1x1 with it."""
    config = call.config
    weights, channels = _depthwise_weights(call)
    middle = call.add("conv2d", suffix=":depthwise", weights=weights, bias=np.zeros(len(weights)), groups=channels,
                      **_geometry(config))
    filters = config.integer("filters")
    pointwise = call.read("pointwise_kernel", (1, 1, len(weights), filters)).transpose(3, 0, 1, 2)
    return activate(call, call.add("conv2d", [middle], weights=pointwise, bias=_bias(call, filters)))


def transpose(call: LayerCall) -> str:
    """The output tensor of a Conv2DTranspose: `same` gives IH*S rows, `valid` IH*S + max(KH-S, 0), as TensorFlow crops them.

    Errors: UnsupportedError for dilation and groups.
    """
    config = call.config
    config.channels_last()
    channels, filters = call.image()[2], config.integer("filters")
    kernel, stride = config.pair("kernel_size"), config.pair("strides", (1, 1))
    if config.pair("dilation_rate", (1, 1)) != (1, 1) or config.integer("groups", 1) != 1:
        raise config.refuse("dilation_rate and groups must be 1", [config.get("dilation_rate"), config.get("groups")])
    weights = call.read("kernel", (*kernel, filters, channels)).transpose(2, 0, 1, 3)
    out = call.add("conv2d_transpose", weights=weights, bias=_bias(call, filters), stride=stride,
                   crop=_crop(config, kernel, stride))
    return activate(call, out)


def _crop(config: LayerConfig, kernel: Pair, stride: Pair) -> tuple[int, ...]:
    """(top, bottom, left, right) to cut off the full output (IH-1)*S + KH; negative extends it."""
    same = config.choice("padding", "valid", ("valid", "same")) == "same"
    extra = config.pair("output_padding", low=0) if "output_padding" in config else (None, None)
    crop: list[int] = []
    for k, s, more in zip(kernel, stride, extra):
        surplus = _surplus(k, s, more, same)
        if not (k - s <= surplus < k if same else -s < surplus <= 0):
            raise config.refuse("output_padding must leave an output that the stride maps back to the input", more)
        before = max(surplus, 0) // 2
        crop += [before, surplus - before]
    return tuple(crop)


def _surplus(kernel: int, stride: int, output_padding: int | None, same: bool) -> int:
    """How much longer the full output is than the one that Keras gives."""
    if output_padding is None:
        return kernel - stride if same else min(kernel - stride, 0)
    return (kernel // 2 * 2 if same else 0) - output_padding


def _depthwise_weights(call: LayerCall) -> tuple[np.ndarray, int]:
    """((IC*M, KH, KW, 1) kernel, IC)."""
    channels, kernel = call.image()[2], call.config.pair("kernel_size")
    multiplier = call.config.integer("depth_multiplier", 1)
    stored = call.read("depthwise_kernel", (*kernel, channels, multiplier))
    return stored.transpose(2, 3, 0, 1).reshape(channels * multiplier, *kernel, 1), channels


def _geometry(config: LayerConfig) -> dict[str, Any]:
    """The parameters stride, dilation and padding of a conv2d node."""
    config.channels_last()
    padding = config.choice("padding", "valid", ("valid", "same"))
    dilation = config.pair("dilation_rate", (1, 1))
    if max(map(extent, config.pair("kernel_size"), dilation)) > MAX_SPAN:
        raise config.refuse(f"a dilated kernel must span at most {MAX_SPAN}", config.get("dilation_rate"))
    return {"stride": config.pair("strides", (1, 1)), "dilation": dilation,
            "padding": "same" if padding == "same" else (0, 0, 0, 0)}


def _bias(call: LayerCall, count: int) -> np.ndarray:
    """The bias (OC); zeros where the layer has none."""
    return call.read("bias", (count,)) if call.config.boolean("use_bias", True) else np.zeros(count)


def _slots(*kernels: str) -> Slots:
    """The weight names of a layer with these kernels, then its bias where it uses one."""
    return lambda config: ([*kernels, *(["bias"] if config.boolean("use_bias", True) else [])], [])


KINDS = {
    "Conv2D": LayerKind(conv2d, _slots("kernel")),
    "DepthwiseConv2D": LayerKind(depthwise, _slots("depthwise_kernel")),
    "SeparableConv2D": LayerKind(separable, _slots("depthwise_kernel", "pointwise_kernel")),
    "Conv2DTranspose": LayerKind(transpose, _slots("kernel")),
}
