"""What every folding pass shares: the array operators, the one-reader rule, and taking a node out of its chain."""
from collections.abc import Callable
from typing import TypeAlias

from hwsim.errors import UnsupportedError
from hwsim.graph.node import Graph, Node
from hwsim.ops.dims import Shape, known
from hwsim.ops.spec import ARRAY as UNIT
from hwsim.ops.spec import FLOAT
from hwsim.ops.table import ops_with

Report: TypeAlias = Callable[[str, str], None]
"""report(layer, text) hears what a pass did to a layer."""

ARRAY = ops_with(dialect=FLOAT, unit=UNIT)


def silent(layer: str, text: str) -> None:
    """The default of a pass's `report`: what the pass says about a layer goes nowhere."""


def second_reader(graph: Graph, name: str) -> str | None:
    """The sentence why nothing may be folded into tensor `name`, or None when one node alone reads it."""
    if name in graph.outputs:
        return f"{name} is an output of the network"
    if graph.use_count[name] > 1:
        return f"{name} has a second consumer"
    return None


def absorb(graph: Graph, name: str, keeper: Node) -> Graph:
    """The graph in which `keeper` does the work of node `name`, whose readers now read what it read."""
    source = graph[name].inputs[0]
    return graph.replaced({keeper.name: keeper, name: None}).renamed({name: source})


def channels_of(node: Node, shape: Shape) -> int:
    """The number of channels of a tensor `shape` that `node` works on per channel. Errors: UnsupportedError where it is open."""
    if not known(shape[-1]):
        raise UnsupportedError(f"{node.name}: the number of channels must be known, not {shape[-1]}")
    return shape[-1]
