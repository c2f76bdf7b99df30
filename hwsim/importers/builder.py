"""The float graph while an importer makes it: nodes in order, each tensor's shape known as soon as it exists."""
from collections.abc import Iterable
from typing import Any

from hwsim.errors import GraphError, UnsupportedError
from hwsim.graph.check import check
from hwsim.graph.node import Graph, Node
from hwsim.ops.dims import Shape

MAX_NODES = 20_000


class Builder:
    """Collects nodes; a tensor is the name of the node that makes it."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._shapes: dict[str, Shape] = {}

    def add(self, name: str, op: str, inputs: Iterable[str] = (), **params: Any) -> str:
        """The tensor of a new node, named `name` or, where that is taken, `name~2`, `name~3`, ...

        Errors: GraphError where the shape breaks the operator's rule, UnsupportedError past MAX_NODES.
        """
        if len(self._nodes) >= MAX_NODES:
            raise UnsupportedError(f"{name}: a network must have at most {MAX_NODES} nodes, not more")
        node = Node.make(self._free_name(name), op, inputs, **params)
        self._shapes[node.name] = self._shape_of(node)
        self._nodes[node.name] = node
        return node.name

    def _shape_of(self, node: Node) -> Shape:
        try:
            return node.spec.shape(node.params, [self._shapes[i] for i in node.inputs])
        except GraphError as error:
            raise GraphError(f"{node.name}: {error}") from None

    def _free_name(self, name: str) -> str:
        free, number = name, 1
        while free in self._shapes:
            number += 1
            free = f"{name}~{number}"
        return free

    def shape(self, tensor: str) -> Shape:
        """The shape of a tensor, N first; sizes are ints or Dims."""
        return self._shapes[tensor]

    def node(self, tensor: str) -> Node:
        """The node that makes a tensor."""
        return self._nodes[tensor]

    def finish(self, inputs: Iterable[str], outputs: Iterable[str]) -> Graph:
        """The checked Graph, without the nodes that no output needs. Errors: GraphError."""
        needed = set(inputs) | set(outputs)
        for node in reversed(self._nodes.values()):
            if node.name in needed:
                needed.update(node.inputs)
        nodes = tuple(node for node in self._nodes.values() if node.name in needed)
        return check(Graph(nodes, tuple(inputs), tuple(outputs)))
