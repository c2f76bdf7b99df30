"""Pooling layers. Padding never counts, as in TensorFlow."""
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind


def windowed(op: str) -> LayerKind:
    """The converter of MaxPooling2D or AveragePooling2D."""
    def convert(call: LayerCall) -> str:
        config = call.config
        config.channels_last()
        call.image()
        kernel = config.pair("pool_size", (2, 2))
        padding = config.choice("padding", "valid", ("valid", "same"))
        return call.add(op, kernel=kernel, stride=config.pair("strides", kernel),
                        padding="same" if padding == "same" else (0, 0, 0, 0))
    return LayerKind(convert)


def whole(op: str) -> LayerKind:
    """The converter of GlobalAveragePooling2D or GlobalMaxPooling2D."""
    def convert(call: LayerCall) -> str:
        call.config.channels_last()
        call.image()
        return call.add(op, keepdims=call.config.boolean("keepdims", False))
    return LayerKind(convert)


KINDS = {
    "MaxPooling2D": windowed("max_pool"), "AveragePooling2D": windowed("avg_pool"),
    "GlobalAveragePooling2D": whole("global_avg_pool"), "GlobalMaxPooling2D": whole("global_max_pool"),
}
