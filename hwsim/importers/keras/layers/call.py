"""What a converter sees of one call of one layer, and how it adds nodes."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.importers.builder import Builder
from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.model import Layer
from hwsim.ops.dims import Shape, Size, known


class Tensor(str):
    """The name of a tensor of the graph, apart from constant texts among the arguments of a call."""


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    name: of the node that carries the result; args, kwargs: Tensors and constants; keras: the major version that wrote the file;
    read(slot, shape): the weight `slot` as float64.
    """

    name: str
    layer: Layer
    args: list[Any]
    kwargs: dict[str, Any]
    builder: Builder
    keras: int
    read: Callable[[str, Sequence[int]], np.ndarray]

    @property
    def config(self) -> LayerConfig:
        """The layer's configuration."""
        return self.layer.config

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors among the arguments, in order."""
        return tensors([self.args, self.kwargs])

    @property
    def x(self) -> Tensor:
        """The one input tensor. Errors: FileError where there is none or more than one."""
        if len(self.inputs) != 1:
            raise self.config.bad("inbound_nodes", f"one input tensor ({len(self.inputs)} given)")
        return self.inputs[0]

    @property
    def in_shape(self) -> Shape:
        """The shape of the one input, N first."""
        return self.builder.shape(self.x)

    def image(self) -> tuple[Size, Size, int]:
        """(IH, IW, IC) of the one input. Errors: UnsupportedError unless it is an image with a known number of channels."""
        shape = self.in_shape
        if len(shape) != 4:
            raise self.config.refuse("its input must be N,H,W,C", "x".join(map(str, shape)))
        return shape[1], shape[2], self.channels()

    def channels(self) -> int:
        """The size of the last axis of the one input. Errors: UnsupportedError where it is open."""
        size = self.in_shape[-1]
        if not known(size):
            raise self.config.refuse("its input must have a known number of channels", str(size))
        return size

    def add(self, op: str, inputs: Sequence[str] | None = None, suffix: str = "", **params: Any) -> str:
        """The tensor of a new node on `inputs` (default: the one input), named after the layer."""
        inputs = [self.x] if inputs is None else inputs
        return self.builder.add(self.name + suffix, op, inputs, **params)


def tensors(value: Any) -> list[Tensor]:
    """Every Tensor below `value`, in order, dicts by key."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    return [tensor for inner in value for tensor in tensors(inner)] if isinstance(value, (list, tuple)) else []
