"""What every Keras file is turned into before it becomes a graph: models of layers, layers with their calls."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hwsim.importers.keras.layer_config import LayerConfig


@dataclass(frozen=True)
class Ref:
    """Output number `index` of call number `call` of a layer."""

    layer: str
    call: int = 0
    index: int = 0


@dataclass(frozen=True)
class Call:
    """One use of a layer: Refs and constants as the framework passed them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Every Ref among the arguments, in order."""
        return tuple(leaf for leaf in leaves([self.args, self.kwargs]) if isinstance(leaf, Ref))


@dataclass(frozen=True)
class Layer:
    """A layer (or operation) with its calls; `model` is set when it is itself a model."""

    name: str
    kind: str
    config: LayerConfig
    calls: tuple[Call, ...]
    trainable: bool
    model: KerasModel | None = None


@dataclass(frozen=True)
class KerasModel:
    """Layers by name in the file's order. An input is a Ref to an InputLayer; outputs in the model's own order."""

    layers: dict[str, Layer]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]


Layers: TypeAlias = Mapping[str, Layer]
Offsets: TypeAlias = Mapping[str, int]
"""Layer name -> number of its first call in list references."""


def leaves(value: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts (in key order, as Keras flattens them)."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]
