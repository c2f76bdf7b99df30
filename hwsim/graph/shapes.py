"""Shape inference: symbolic (H, W stay symbols) or for concrete inputs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

from hwsim.errors import GraphError
from hwsim.graph.node import Graph, Node
from hwsim.ops.dims import Shape, known, show

Shapes = Mapping[str, tuple[int, ...]]  # tensor -> its concrete shape, N first


@overload
def infer(graph: Graph, inputs: None = None) -> dict[str, Shape]: ...
@overload
def infer(graph: Graph, inputs: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]: ...
def infer(graph: Graph, inputs: Mapping[str, Sequence[int]] | None = None) -> Mapping[str, Shape]:
    """name -> shape (N first). `inputs` maps input names to concrete shapes; without it unknown sizes stay symbols.

    Errors: GraphError where a shape breaks its operator's rule or does not agree with the declared one.
    """
    shapes: dict[str, Shape] = {}
    for node in graph.nodes:
        try:
            shape = node.spec.shape(node.params, [shapes[name] for name in node.inputs])
        except GraphError as error:
            raise GraphError(f"{node.name}: {error}") from None
        shapes[node.name] = _concrete(node, shape, inputs[node.name]) if inputs and node.op == "input" else shape
    return shapes


def _concrete(node: Node, declared: Shape, shape: Sequence[int]) -> Shape:
    """The concrete `shape` of an input. Errors: GraphError where it does not agree with what the model declares."""
    fits = len(shape) == len(declared) and all(not known(d) or d == s for d, s in zip(declared, shape))
    if not fits or min(shape) < 1:
        raise GraphError(f"{node.name}: input shape must be {show(declared)}, not {show(shape)}")
    return tuple(int(s) for s in shape)


def free(graph: Graph) -> Graph:
    """The graph with input sizes H and W forgotten: a fully convolutional model that declares a size runs at any."""
    changes = {node.name: node.but(shape=(*(None for _ in node.params["shape"][:-1]), node.params["shape"][-1]))
               for node in graph.nodes if node.op == "input"}
    return graph.replaced(changes)
