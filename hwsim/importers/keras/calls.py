"""inbound_nodes of Keras 2 (lists of [layer, call, output, arguments]) and Keras 3 (args and kwargs) as Calls."""
from typing import Any

from hwsim.errors import FileError, UnsupportedError
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.model import Call, Layers, Offsets, Ref

CONSTANT = "_CONSTANT_VALUE"
IGNORED = ("mask", "training", "name", "attention_mask")


def call_of(node: Any, layer: str, layers: Layers, offsets: Offsets) -> Call:
    """The Call that one entry of inbound_nodes stands for. Errors: FileError, UnsupportedError."""
    if isinstance(node, dict) and "args" in node:
        args, kwargs = _revived(node["args"], layer, layers), _revived(node.get("kwargs") or {}, layer, layers)
        args = args if isinstance(args, (list, tuple)) else [args]
    else:
        args, kwargs = _keras2(node, layer, layers, offsets)
    if not isinstance(kwargs, dict):
        raise FileError(f"{layer}: the arguments of a call must be an object, not {type(kwargs).__name__}")
    if kwargs.get("training") is True:
        raise UnsupportedError(f"{layer}: the model must call its layers for inference, not with training=True")
    return Call(tuple(args), {key: value for key, value in kwargs.items() if key not in IGNORED})


def _keras2(node: Any, layer: str, layers: Layers, offsets: Offsets) -> tuple[list[Any], Any]:
    """Positional tensors of a call and the keyword arguments that its first entry carries."""
    if isinstance(node, dict):
        node = [node[key] for key in sorted(node)]
    if isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        node = [node]
    if not isinstance(node, list) or not node:
        raise FileError(f"{layer}: a call in inbound_nodes must be a list of tensors, not {show(node)}")
    args: list[Any] = []
    kwargs: Any = {}
    for entry in _entries(node, layer):
        args.append(_constant(entry[2]) if entry[0] == CONSTANT else _ref(entry, layer, layers, offsets))
        kwargs = kwargs or (entry[3] if len(entry) > 3 else {})
    if isinstance(kwargs, dict):
        kwargs = {key: _keras2_value(value, layer, layers, offsets) for key, value in kwargs.items()}
    return args, kwargs


def _entries(node: list[Any], layer: str) -> list[list[Any]]:
    """The [layer, call, output, ...] lists of a call, however deep they are nested."""
    entries: list[list[Any]] = []
    for entry in node:
        if isinstance(entry, list) and entry and isinstance(entry[0], list):
            entries += _entries(entry, layer)
        elif isinstance(entry, list) and len(entry) >= 3 and isinstance(entry[0], str):
            entries.append(entry)
        else:
            raise FileError(f"{layer}: a tensor in inbound_nodes must be [layer, call, output], not {show(entry)}")
    return entries


def _keras2_value(value: Any, layer: str, layers: Layers, offsets: Offsets) -> Any:
    """A keyword argument: [layer, call, output] of a known layer is a tensor, all else a constant."""
    if isinstance(value, list) and value and value[0] == CONSTANT and len(value) >= 3:
        return _constant(value[2])
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and value[0] in layers:
        return _ref(value, layer, layers, offsets)
    if isinstance(value, list):
        return [_keras2_value(inner, layer, layers, offsets) for inner in value]
    return _constant(value)


def _ref(entry: list[Any], layer: str, layers: Layers, offsets: Offsets) -> Ref:
    name, call, index = entry[:3]
    return _checked(name, call, index, offsets.get(name, 0), layer, layers)


def _checked(name: Any, call: Any, index: Any, offset: int, reader: str, layers: Layers) -> Ref:
    """The Ref to a layer that exists; whether that call of it exists is seen when the graph is ordered. Errors: FileError."""
    if not isinstance(name, str) or name not in layers:
        raise FileError(f"{reader}: an input must come from a layer of the model, not {show(name)}")
    if not _is_index(call) or not _is_index(index):
        raise FileError(f"{reader}: call and output of {name} must be whole numbers, not {show([call, index])}")
    return Ref(name, call - offset, index)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 20


def _revived(value: Any, layer: str, layers: Layers) -> Any:
    """A Keras 3 argument with its tensors as Refs and its wrapped constants as plain values."""
    if isinstance(value, list):
        return [_revived(inner, layer, layers) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, dict) else None
        if not isinstance(history, list) or len(history) != 3:
            raise FileError(f"{layer}: keras_history must be [layer, call, output], not {show(history)}")
        name, call, index = history
        return _checked(name, call, index, 0, layer, layers)
    if "class_name" in value:
        return _constant(value)
    return {key: _revived(inner, layer, layers) for key, inner in value.items()}


def _constant(value: Any) -> Any:
    """A constant that Keras wrapped to survive JSON: tuples, slices, arrays."""
    if isinstance(value, list):
        return [_constant(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__tuple__":
        return [_constant(inner) for inner in value.get("items") or config or []]
    if kind == "__ellipsis__":
        return Ellipsis
    if kind == "__slice__" and isinstance(config, dict):
        return {key: _constant(config.get(key)) for key in ("start", "stop", "step")}
    if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
        return _constant(config.get("value"))
    return value


def output_refs(value: Any, key: str, layers: Layers, offsets: Offsets) -> tuple[Ref, ...]:
    """The Refs of input_layers or output_layers: one [layer, call, output], a list of them, or a dict.

    Errors: FileError for anything else.
    """
    if isinstance(value, dict):
        value = [value[name] for name in sorted(value)]
    if not isinstance(value, list) or not value:
        raise FileError(f"{key} must be a list of tensors, not {show(value)}")
    if len(value) == 3 and isinstance(value[0], str):
        return (_ref(value, key, layers, offsets),)
    return tuple(ref for inner in value for ref in output_refs(inner, key, layers, offsets))
