"""TFOpLambda and SlicingOpLambda (Keras 2.4 and later): a call of a public TensorFlow function, by its name."""
from collections.abc import Mapping

from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import Convert, LayerKind, Missing
from hwsim.importers.keras.ops import arithmetic, functions, shuffle, slicing
from hwsim.importers.keras.ops.signature import Signature, bind, signature

_binary = {name: signature(operation, "x y") for operation, names in (
    (arithmetic.add, ("__operators__.add", "math.add")),
    (arithmetic.subtract, ("math.subtract", "__operators__.sub")),
    (arithmetic.multiply, ("math.multiply", "__operators__.mul")),
    (arithmetic.divide, ("math.truediv", "math.divide", "realdiv")),
    (arithmetic.maximum, ("math.maximum",)), (arithmetic.minimum, ("math.minimum",)),
    (arithmetic.power, ("math.pow",))) for name in names}

_unary = {f"math.{name}": signature(functions.unary(name), "x") for name in functions.UNARY}

_features = {f"{room}.{name}": signature(functions.activation(name), parameter)
             for name, rooms in (("relu", ("nn",)), ("relu6", ("nn",)), ("selu", ("nn",)), ("softplus", ("nn", "math")),
                                 ("softsign", ("nn", "math")), ("sigmoid", ("nn", "math")), ("tanh", ("nn", "math")))
             for room in rooms
             for parameter in ("x" if name in ("sigmoid", "tanh") else "features",)}

_keras = {f"keras.activations.{name}": signature(functions.activation(name), "x")
          for name in ("relu6", "sigmoid", "tanh", "selu", "softplus", "softsign", "swish", "silu", "hard_sigmoid", "mish",
                       "exponential", "linear")}

FUNCTIONS = {
    **_binary, **_unary, **_features, **_keras,
    "clip_by_value": signature(arithmetic.clip, "t clip_value_min clip_value_max"),
    "math.add_n": signature(arithmetic.add_all, "*inputs"),
    "concat": signature(shuffle.concat, "*values axis"),
    "nn.depth_to_space": signature(shuffle.depth_to_space, "input block_size data_format"),
    "nn.space_to_depth": signature(shuffle.space_to_depth, "input block_size data_format"),
    "space_to_depth": signature(shuffle.space_to_depth, "input block_size data_format"),
    "reshape": signature(shuffle.reshape, "tensor shape"),
    "transpose": signature(shuffle.transpose, "a perm"),
    "split": signature(shuffle.split, "value num_or_size_splits axis"),
    "pad": signature(shuffle.pad, "tensor paddings mode constant_values"),
    "math.reduce_mean": signature(shuffle.mean, "input_tensor axis keepdims"),
    "math.reduce_max": signature(shuffle.largest, "input_tensor axis keepdims"),
    "nn.leaky_relu": signature(functions.leaky_relu, "features alpha"),
    "nn.elu": signature(functions.activation("elu"), "features"),
    "nn.gelu": signature(functions.gelu(True), "features approximate"),
    "nn.silu": signature(functions.swish, "features beta"), "nn.swish": signature(functions.swish, "features beta"),
    "nn.softmax": signature(functions.softmax, "logits axis"),
    "keras.activations.relu": signature(functions.relu_layer, "x alpha max_value threshold"),
    "keras.activations.elu": signature(functions.elu, "x alpha"),
    "keras.activations.gelu": signature(functions.gelu(True), "x approximate"),
    "keras.activations.softmax": signature(functions.softmax, "x axis"),
    "identity": signature(functions.identity, "input"), "stop_gradient": signature(functions.identity, "input"),
    "cast": signature(functions.cast, "x dtype"),
}
FUNCTIONS |= {f"compat.v1.{name}": FUNCTIONS[name]
              for name in ("transpose", "pad", "math.reduce_mean", "math.reduce_max", "split")}
SLICING = {"__operators__.getitem": signature(slicing.getitem, "tensor slice_spec")}


def _convert(table: Mapping[str, Signature]) -> Convert:
    def convert(call: LayerCall) -> str | list[str]:
        sign = table[call.config.get("function")]
        off = {key for key, value in call.kwargs.items() if value is None or (value is False and key not in sign.parameters)}
        return bind(call, sign, call.args, {key: value for key, value in call.kwargs.items() if key not in off})
    return convert


def _missing(table: Mapping[str, Signature]) -> Missing:
    """What to call a function that has no operation, or None."""
    def missing(config: LayerConfig) -> str | None:
        name = config.get("function")
        return None if isinstance(name, str) and name in table else f"{config.kind} {show(name)}"
    return missing


KINDS = {"TFOpLambda": LayerKind(_convert(FUNCTIONS), missing=_missing(FUNCTIONS)),
         "SlicingOpLambda": LayerKind(_convert(SLICING), missing=_missing(SLICING))}
