"""What a converter sees of one call of one layer, and how it adds nodes."""
from collections.abc import Callable
from dataclasses import dataclass

from hwsim.importers.builder import Builder
from hwsim.importers.keras.model import Layer
from hwsim.ops.dims import known


class Tensor(str):
    """The name of a tensor of the graph, apart from constant texts among the arguments of a call."""


@dataclass(frozen=True)
class LayerCall:
    """`name`: the node that carries the result; `args`, `kwargs`: Tensors and constants; `read(slot, shape)`: a weight;
    `keras`: the major version that wrote the file."""

    name: str
    layer: Layer
    args: list
    kwargs: dict
    builder: Builder
    keras: int
    read: Callable

    @property
    def config(self):
        return self.layer.config

    @property
    def inputs(self):
        """The tensors among the arguments, in order."""
        return tensors([self.args, self.kwargs])

    @property
    def x(self):
        """The one input tensor."""
        if len(self.inputs) != 1:
            raise self.config.bad("inbound_nodes", f"one input tensor ({len(self.inputs)} given)")
        return self.inputs[0]

    @property
    def in_shape(self):
        return self.builder.shape(self.x)

    def image(self):
        """(IH, IW, IC) of the one input, which must be an image with a known number of channels."""
        shape = self.in_shape
        if len(shape) != 4:
            raise self.config.refuse("its input must be N,H,W,C", "x".join(map(str, shape)))
        return (*shape[1:3], self.channels())

    def channels(self):
        """The size of the last axis of the one input."""
        size = self.in_shape[-1]
        if not known(size):
            raise self.config.refuse("its input must have a known number of channels", str(size))
        return size

    def add(self, op, inputs=None, suffix="", **params):
        """The tensor of a new node on `inputs` (default: the one input), named after the layer."""
        inputs = [self.x] if inputs is None else inputs
        return self.builder.add(self.name + suffix, op, inputs, **params)


def tensors(value):
    """Every Tensor below `value`, in order, dicts by key."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    return [tensor for inner in value for tensor in tensors(inner)] if isinstance(value, (list, tuple)) else []
