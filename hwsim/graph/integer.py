"""The integer network: an integer graph, the word and scale of every tensor, and the datapath it is for."""
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hwsim.errors import GraphError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.check import check_integer
from hwsim.graph.node import Graph, Node


@dataclass(frozen=True, eq=False)
class IntegerGraph:
    """What `hwsim quantize` makes and engines run. Holds integers only; scales are exact ratios.

    formats: tensor -> IntFormat; scales: tensor -> Fraction (real value of one LSB; only quantize and dequantize use it);
    meta: provenance, JSON-like: source {path, sha256, parameters}, config {...}, notes [...]; documented in docs/hwq.md.
    """

    graph: Graph
    formats: Mapping[str, IntFormat]
    scales: Mapping[str, Fraction]
    datapath: Datapath
    meta: Mapping[str, Any]

    def placed_formats(self, graph: Graph) -> dict[str, IntFormat]:
        """The format of every tensor of `graph`, this one after graph.place_sizes: what a node was split into has the node's."""
        return {node.name: self.formats[node.name if node.name in self.formats else graph.consumers[node.name][0].name]
                for node in graph.nodes}

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The graph's nodes in topological order."""
        return self.graph.nodes

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the input tensors, in the model's order."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the output tensors, in the model's order."""
        return self.graph.outputs


def check_network(net: IntegerGraph) -> IntegerGraph:
    """`net` itself; raises GraphError unless its graph is legal and every tensor has a word and a positive scale."""
    check_integer(net.graph)
    for node in net.nodes:
        if node.name not in net.formats or node.name not in net.scales:
            raise GraphError(f"{node.name}: a tensor must have a format and a scale")
        if net.scales[node.name] <= 0:
            raise GraphError(f"{node.name}: a scale must be positive, not {net.scales[node.name]}")
        _check_clamp(node, net.formats[node.name])
    return net


def _check_clamp(node: Node, fmt: IntFormat) -> None:
    for end in ("lo", "hi"):
        if end in node.params and node.params[end] not in fmt:
            raise GraphError(f"{node.name}: {end} must fit {fmt}, not {node.params[end]}")
