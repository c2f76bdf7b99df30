"""Which form of a graph runs on given inputs: as declared, or with its declared H and W forgotten."""
from collections.abc import Mapping, Sequence
from math import prod

from hwsim.errors import GraphError
from hwsim.graph.node import Graph
from hwsim.graph.shapes import Shapes, free, infer
from hwsim.ops.dims import show

MAX_VALUES = 1 << 32


def fitted(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> Graph:
    """`graph` where inputs of `shapes` (name -> N first) agree with what it declares, else the graph without declared sizes.

    A fully convolutional network runs at any size. Errors: GraphError where neither form accepts the shapes.
    """
    return fit(graph, shapes)[0]


def fit(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> tuple[Graph, Shapes]:
    """(the fitted graph, the concrete shape of every tensor of it)."""
    if sorted(shapes) != sorted(graph.inputs):
        raise GraphError(f"inputs must be {', '.join(graph.inputs)}, not {', '.join(shapes) or 'none'}")
    try:
        return graph, _sizes(graph, shapes)
    except GraphError as error:
        declared = error
    loose = free(graph)
    try:
        return loose, _sizes(loose, shapes)
    except GraphError as error:
        same_node = str(error).split(":")[0] == str(declared).split(":")[0]
        raise GraphError(str(error) if same_node else f"{error} ({declared})") from None


def _sizes(graph: Graph, inputs: Mapping[str, Sequence[int]]) -> Shapes:
    """The shape of every tensor. Errors: GraphError where one is too large."""
    shapes = infer(graph, inputs)
    for name, shape in shapes.items():
        if prod(shape) > MAX_VALUES:
            raise GraphError(f"{name}: a tensor must have at most {MAX_VALUES} values, not {show(shape)}")
    return shapes
