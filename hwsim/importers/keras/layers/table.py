"""The only registry of Keras layers: class name -> LayerKind. To add one, write its converter and name it in its file's KINDS."""
from hwsim.importers.keras.layers import activation, conv, dense, merge, moves, norm, pool
from hwsim.importers.keras.layers.kind import LayerKind, WeightNames
from hwsim.importers.keras.model import Layer
from hwsim.importers.keras.ops import keras3, tf_lambda, tf_node

LAYERS: dict[str, LayerKind] = {
    name: kind for module in (conv, dense, norm, activation, merge, pool, moves, tf_lambda, tf_node, keras3)
    for name, kind in module.KINDS.items()}


def slots_of(layer: Layer) -> WeightNames:
    """The names of the (trainable, other) weights of a layer."""
    return LAYERS[layer.kind].slots(layer.config)


def unsupported(layer: Layer) -> str | None:
    """What to call a layer that has no converter, or None."""
    return LAYERS[layer.kind].missing(layer.config) if layer.kind in LAYERS else layer.kind
