"""One entry in the table of Keras layers."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.call import LayerCall

WeightNames: TypeAlias = tuple[list[str], list[str]]
"""The names of the (trainable, other) weights of a layer, in the order in which Keras stores them."""
Convert: TypeAlias = Callable[[LayerCall], str | list[str]]
Slots: TypeAlias = Callable[[LayerConfig], WeightNames]
Missing: TypeAlias = Callable[[LayerConfig], str | None]


def no_weights(config: LayerConfig) -> WeightNames:
    """The slots of a layer without weights."""
    return [], []


def nothing_missing(config: LayerConfig) -> str | None:
    """The `missing` of a layer that wraps nothing."""
    return None


@dataclass(frozen=True)
class LayerKind:
    """What a layer class becomes.

    convert(call): adds nodes, returns the output tensor (or a list of them);
    slots(config): the WeightNames; missing(config): names what the layer wraps when that is not supported, else None.
    """

    convert: Convert
    slots: Slots = no_weights
    missing: Missing = nothing_missing
