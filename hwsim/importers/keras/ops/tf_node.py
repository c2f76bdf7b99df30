"""TensorFlowOpLayer (Keras of TensorFlow 2.0 to 2.3): one TensorFlow node as JSON, its constant inputs beside it."""
import base64
import binascii
from typing import Any

from hwsim.errors import FileError
from hwsim.importers import json_text
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind
from hwsim.importers.keras.ops import arithmetic, functions, shuffle
from hwsim.importers.keras.ops.signature import bind, signature

_unary = {op: signature(functions.unary(name), "x") for op, name in
          (("Abs", "abs"), ("Erf", "erf"), ("Exp", "exp"), ("Log", "log"), ("Neg", "negative"), ("Reciprocal", "reciprocal"),
           ("Rsqrt", "rsqrt"), ("Sqrt", "sqrt"), ("Square", "square"))}
_activations = {op: signature(functions.activation(name), "x") for op, name in
                (("Relu", "relu"), ("Relu6", "relu6"), ("Selu", "selu"), ("Elu", "elu"), ("Sigmoid", "sigmoid"),
                 ("Tanh", "tanh"), ("Softplus", "softplus"), ("Softsign", "softsign"))}
_binary = {op: signature(operation, "x y") for op, operation in
           (("Add", arithmetic.add), ("AddV2", arithmetic.add), ("Sub", arithmetic.subtract), ("Mul", arithmetic.multiply),
            ("RealDiv", arithmetic.divide), ("Div", arithmetic.divide), ("Maximum", arithmetic.maximum),
            ("Minimum", arithmetic.minimum), ("Pow", arithmetic.power))}

# op -> Signature over the inputs of the node, then the attributes that it names
OPS = {
    **_unary, **_activations, **_binary,
    "ClipByValue": signature(arithmetic.clip, "t low high"),
    "DepthToSpace": signature(shuffle.depth_to_space, "input block_size data_format"),
    "SpaceToDepth": signature(shuffle.space_to_depth, "input block_size data_format"),
    "ConcatV2": signature(shuffle.concat, "*values axis"),
    "Reshape": signature(shuffle.reshape, "tensor shape"), "Transpose": signature(shuffle.transpose, "x perm"),
    "Mean": signature(shuffle.mean, "input axis keep_dims"), "Max": signature(shuffle.largest, "input axis keep_dims"),
    "Pad": signature(shuffle.pad, "input paddings mode value"),
    "LeakyRelu": signature(functions.leaky_relu, "features alpha"),
    "Softmax": signature(functions.softmax, "logits axis"),
    "Identity": signature(functions.identity, "x"), "StopGradient": signature(functions.identity, "x"),
    "Cast": signature(functions.cast, "x DstT"),
}


def convert(call: LayerCall) -> str | list[str]:
    """The output tensors of a TensorFlowOpLayer: its node's op on tensors and constants."""
    node, sign = _node_def(call.config), OPS[_op(call.config)]
    wanted = {name.lstrip("*") for name in sign.parameters}
    attributes = {name: _attribute(call.config, value) for name, value in (node.get("attr") or {}).items() if name in wanted}
    return bind(call, sign, _operands(call), attributes)


def _operands(call: LayerCall) -> list[Any]:
    """The inputs of the node in order: constants at their own positions, tensors in the others."""
    constants = call.config.get("constants", {})
    if not isinstance(constants, dict) or not all(key.isdecimal() and len(key) < 4 for key in constants):
        raise call.config.bad("constants", "an object of input positions")
    places = {int(key): value for key, value in constants.items()}
    waiting, operands = list(call.inputs), []
    for position in range(len(waiting) + len(places)):
        if position not in places and not waiting:
            raise call.config.bad("constants", "an object of input positions")
        operands.append(places[position] if position in places else waiting.pop(0))
    return operands


def _attribute(config: LayerConfig, value: Any) -> Any:
    """A protobuf attribute in JSON: integers are texts, bytes are base64."""
    value = value if isinstance(value, dict) else {}
    try:
        if "i" in value:
            return int(value["i"])
        if "s" in value:
            return base64.b64decode(value["s"], validate=True).decode("ascii")
        return value.get("b", value.get("f", value.get("type")))
    except (ValueError, TypeError, binascii.Error):
        raise config.bad("node_def", "a TensorFlow node in JSON") from None


def _node_def(config: LayerConfig) -> dict[str, Any]:
    node = config.get("node_def")
    node = json_text.parse_object(node, f"{config.name}: node_def") if isinstance(node, str) else node
    if not isinstance(node, dict) or not isinstance(node.get("attr") or {}, dict):
        raise FileError(f"{config.name}: node_def must be a TensorFlow node in JSON, not {type(node).__name__}")
    return node


def _op(config: LayerConfig) -> Any:
    return _node_def(config).get("op")


def _missing(config: LayerConfig) -> str | None:
    """What to call a node whose op has no operation, or None."""
    op = _op(config)
    return None if isinstance(op, str) and op in OPS else f"{config.kind} {show(op)}"


KINDS = {"TensorFlowOpLayer": LayerKind(convert, missing=_missing)}
