"""keras.ops nodes of Keras 3, which are not layers. Their table names begin with `ops.`: some share a layer's class name."""
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import Convert, LayerKind
from hwsim.importers.keras.ops import arithmetic, functions, shuffle, slicing
from hwsim.importers.keras.ops.signature import bind, signature

_binary = {name: signature(operation, "x1 x2") for name, operation in
           (("Add", arithmetic.add), ("Subtract", arithmetic.subtract), ("Multiply", arithmetic.multiply),
            ("Divide", arithmetic.divide), ("TrueDivide", arithmetic.divide), ("Maximum", arithmetic.maximum),
            ("Minimum", arithmetic.minimum), ("Power", arithmetic.power))}
_unary = {kind: signature(functions.unary(name), "x") for kind, name in
          (("Absolute", "abs"), ("Erf", "erf"), ("Exp", "exp"), ("Log", "log"), ("Negative", "negative"), ("Rsqrt", "rsqrt"),
           ("Reciprocal", "reciprocal"), ("Sqrt", "sqrt"), ("Square", "square"))}
_activations = {kind: signature(functions.activation(name), "x") for kind, name in
                (("Relu", "relu"), ("Relu6", "relu6"), ("Sigmoid", "sigmoid"), ("Tanh", "tanh"), ("Selu", "selu"),
                 ("Silu", "silu"), ("HardSigmoid", "hard_sigmoid"), ("HardSilu", "hard_silu"), ("HardTanh", "hard_tanh"),
                 ("LogSigmoid", "log_sigmoid"), ("Softplus", "softplus"), ("Softsign", "softsign"),
                 ("TanhShrink", "tanh_shrink"))}

# class -> Signature over the arguments of the call, then those of the operation's configuration
OPS = {
    **_binary, **_unary, **_activations,
    "Clip": signature(arithmetic.clip, "x x_min x_max"),
    "Concatenate": signature(shuffle.concat, "*xs axis"),
    "DepthToSpace": signature(shuffle.depth_to_space, "x block_size data_format"),
    "SpaceToDepth": signature(shuffle.space_to_depth, "x block_size data_format"),
    "Reshape": signature(shuffle.reshape, "x newshape"), "Transpose": signature(shuffle.transpose, "x axes"),
    "Mean": signature(shuffle.mean, "x axis keepdims"), "Max": signature(shuffle.largest, "x axis keepdims"),
    "LeakyRelu": signature(functions.leaky_relu, "x negative_slope"), "Elu": signature(functions.elu, "x alpha"),
    "Gelu": signature(functions.gelu(False), "x approximate"), "Softmax": signature(functions.softmax, "x axis"),
    "GetItem": signature(slicing.getitem, "x key"), "Cast": signature(functions.cast, "x dtype"),
}


def _convert(kind: str) -> Convert:
    def convert(call: LayerCall) -> str | list[str]:
        options = {key: value for key, value in call.config.values.items() if key != "name" and value is not None}
        return bind(call, OPS[kind], call.args, options | call.kwargs)
    return convert


KINDS = {f"ops.{kind}": LayerKind(_convert(kind)) for kind in OPS}
