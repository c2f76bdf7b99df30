"""Packed rows: which first layers of an integer graph read a whole kernel row in one word (spec/device.md rule 4.8)."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.graph.tie_scales import is_tied
from hwsim.ops.dims import Shape, known
from hwsim.ops.weights import FORMATS


def pack_rows(graph: Graph, report: Callable[[str], None], tn: int) -> Graph:
    """The integer graph whose first layers with fewer than `tn` channels read packed rows; report(text) names them."""
    names = packable_nodes(graph, tn)
    report("rowpack: " + (", ".join(names) or "no first layer qualifies"))
    return graph.replaced({name: graph[name].but(rowpack=True) for name in names})


def packable_nodes(graph: Graph, tn: int) -> list[str]:
    """The names of the array nodes of an integer graph that rowpack is for, on an array of `tn` inputs per beat."""
    shapes = infer(graph)
    return [node.name for node in graph.nodes if node.op == "qconv2d" and _first(graph, node) and _packable(node, shapes, tn)]


def _first(graph: Graph, node: Node) -> bool:
    """Whether only exact moves stand between a graph input and `node`."""
    source = graph[node.inputs[0]]
    while is_tied(source):
        source = graph[source.inputs[0]]
    return source.op == "input"


def _packable(node: Node, shapes: Mapping[str, Shape], tn: int) -> bool:
    """Whether a word of `tn` codes holds several pixels of the input, and the array reads the kernel as plain rows."""
    p, channels = node.params, shapes[node.inputs[0]][3]
    few = known(channels) and channels < tn
    return few and p["groups"] == 1 and p["dilation"] == (1, 1) and not FORMATS[p["w_format"]].flagged
