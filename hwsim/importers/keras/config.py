"""model_config of Keras 2.0 to 3.x, in all its dialects, as one Model (keras/model.py)."""
from typing import Any

from hwsim.errors import FileError, UnsupportedError
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.calls import call_of, output_refs
from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.model import Call, Layer, Layers, Model, Offsets, Ref

FUNCTIONAL = ("Model", "Functional")
MAX_NAME = 200
MODELS = (*FUNCTIONAL, "Sequential")


def parse_model(config: dict[str, Any]) -> Model:
    """The Model of a model_config; `config` is {class_name, config}. Errors: FileError, UnsupportedError."""
    kind = _text(config, "class_name", "the model")
    if kind not in MODELS:
        raise UnsupportedError(f"the model must be Sequential or Functional, not {show(kind)}: "
                               "a subclassed model keeps its architecture in Python code, not in the file")
    return _model(kind, config.get("config"), "the model")


def _model(kind: str, config: Any, name: str) -> Model:
    if kind == "Sequential":
        return _sequential(config if isinstance(config, dict) else {"layers": config}, name)
    if not isinstance(config, dict) or "input_layers" not in config:
        raise UnsupportedError(f"{name} must be a Functional model with its layers, not a subclassed one")
    return _functional(config, name)


def _functional(config: dict[str, Any], name: str) -> Model:
    items = _layer_items(config, name)
    layers: dict[str, Layer] = {}
    for item in items:
        layer = _layer(item, None)
        if layer.name in layers:
            raise FileError(f"{layer.name}: a layer name must be unique, not used twice")
        layers[layer.name] = layer
    offsets = _offsets(items, config)
    layers = {key: _with_calls(layer, item, layers, offsets) for (key, layer), item in zip(layers.items(), items)}
    inputs = output_refs(config["input_layers"], "input_layers", layers, {})
    outputs = output_refs(config.get("output_layers"), "output_layers", layers, offsets)
    for ref in inputs:
        if layers[ref.layer].kind != "InputLayer":
            raise FileError(f"{ref.layer}: an input of the model must be an InputLayer, not {layers[ref.layer].kind}")
    return Model(layers, inputs, outputs)


def _with_calls(layer: Layer, item: dict[str, Any], layers: Layers, offsets: Offsets) -> Layer:
    nodes = item.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise FileError(f"{layer.name}: inbound_nodes must be a list, not {type(nodes).__name__}")
    calls = tuple(call_of(node, layer.name, layers, offsets) for node in nodes)
    return Layer(name=layer.name, kind=layer.kind, config=layer.config, calls=calls, trainable=layer.trainable, model=layer.model)


def _offsets(items: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, int]:
    """Layer name -> number of its first call in list references.

    A nested model counts from 1 in Keras 2, where call 0 linked its own input and output, unless it was a Sequential
    built late. Keras 3 keeps that in its output list only, for Functional models.
    """
    from_zero = {node[0] for node in _list_refs([item.get("inbound_nodes") for item in items] + [config.get("output_layers")])
                 if node[1] == 0}
    offsets = {}
    for item in items:
        if item.get("class_name") in MODELS and isinstance(item.get("config"), (dict, list)):
            name = _name_of(item)
            offsets[name] = int(item["class_name"] in FUNCTIONAL if _written_by_keras3(item) else name not in from_zero)
    return offsets


def _list_refs(value: Any) -> list[list[Any]]:
    """Every [name, call, index, ...] below `value`."""
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [value, *(ref for inner in value[3:] for ref in _list_refs(inner))]
    if isinstance(value, dict):
        value = list(value.values())
    return [ref for inner in value for ref in _list_refs(inner)] if isinstance(value, list) else []


def _sequential(config: dict[str, Any], name: str) -> Model:
    """A chain; the InputLayer that the file leaves out is put back from whatever declares a shape."""
    layers: dict[str, Layer] = {}
    before: Ref | None = None
    items = _layer_items(config, name)
    if not items or items[0].get("class_name") != "InputLayer":
        items = [_implied_input(items, config), *items]
    for number, item in enumerate(items):
        calls = (Call((before,)),) if before else ()
        layer = _layer(item, f"{item.get('class_name')}_{number}".lower(), calls)
        if layer.name in layers:
            raise FileError(f"{layer.name}: a layer name must be unique, not used twice")
        layers[layer.name] = layer
        before = Ref(layer.name)
    return Model(layers, (Ref(next(iter(layers))),), (Ref(next(reversed(layers))),))


def _implied_input(items: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, Any]:
    first = items[0].get("config") if items else None
    first = first if isinstance(first, dict) else {}
    shape = first.get("batch_input_shape") or first.get("batch_shape") or config.get("build_input_shape")
    return {"class_name": "InputLayer", "config": {"name": "input", "batch_input_shape": shape}}


def _layer(item: dict[str, Any], fallback: str | None, calls: tuple[Call, ...] = ()) -> Layer:
    kind, config = _text(item, "class_name", "a layer"), item.get("config")
    name = _name_of(item, fallback)
    if _is_operation(item):
        kind = f"ops.{kind}"
    if kind in MODELS and isinstance(config, (dict, list)):
        model = _model(kind, config, name)
        values = config if isinstance(config, dict) else {}
        return Layer(name=name, kind=kind, config=LayerConfig(name, kind, values), calls=calls,
                     trainable=bool(values.get("trainable", True)), model=model)
    if not isinstance(config, dict):
        raise FileError(f"{name}: the configuration of a layer must be an object, not {type(config).__name__}")
    return Layer(name=name, kind=kind, config=LayerConfig(name, kind, config), calls=calls,
                 trainable=bool(config.get("trainable", True)))


def _is_operation(item: dict[str, Any]) -> bool:
    """True for a keras.ops node, whose configuration says nothing of training or of a dtype policy as every layer's does."""
    config = item.get("config")
    layer = isinstance(config, dict) and ("trainable" in config or ("dtype" in config and item["class_name"] != "Cast"))
    return _written_by_keras3(item) and not layer


def _written_by_keras3(item: dict[str, Any]) -> bool:
    nodes = item.get("inbound_nodes")
    return isinstance(nodes, list) and any(isinstance(node, dict) and "args" in node for node in nodes)


def _layer_items(config: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = config.get("layers")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise FileError(f"layers of {name} must be a list of objects, not {type(items).__name__}")
    return items


def _name_of(item: dict[str, Any], fallback: str | None = None) -> str:
    config = item.get("config")
    name = item.get("name") or (config.get("name") if isinstance(config, dict) else None) or fallback
    if not isinstance(name, str) or not name.isprintable() or len(name) > MAX_NAME:
        raise FileError(f"a layer name must be a printable text, not {show(name)}")
    return name


def _text(item: Any, key: str, owner: str) -> str:
    value = item.get(key) if isinstance(item, dict) else None
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= MAX_NAME:
        raise FileError(f"{key} of {owner} must be a printable text, not {show(value)}")
    return value
