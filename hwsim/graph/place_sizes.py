"""The pass that settles what depends on the input size: a global average becomes an average over H x W taps."""
from fractions import Fraction

import numpy as np

from hwsim.fixed.multiplier import folded
from hwsim.graph.fit import fit
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import Shapes, infer


def placed(graph: Graph, in_shapes: Shapes) -> tuple[Graph, Shapes]:
    """(the graph fitted to inputs of these shapes and without what depends on them, the shape of every tensor of it)."""
    graph = place_sizes(*fit(graph, in_shapes))
    return graph, infer(graph, in_shapes)


def place_sizes(graph: Graph, shapes: Shapes) -> Graph:
    """The integer graph without qglobal_avg_pool, for the concrete `shapes` of graph.shapes.infer."""
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += _average(node, shapes[node.inputs[0]]) if node.op == "qglobal_avg_pool" else [node]
    return Graph(tuple(nodes), graph.inputs, graph.outputs, graph.layout)


def _average(node: Node, in_shape: tuple[int, ...]) -> list[Node]:
    p, (height, width, channels) = node.params, in_shape[1:]
    m, _, shift = folded(Fraction(*p["ratio"]) / (height * width), 1, p["mult_bits"])
    name = node.name if p["keepdims"] else f"{node.name}:mean"
    mean = Node.make(name, "qavg_pool", node.inputs, kernel=(height, width), stride=(1, 1), padding=(0, 0, 0, 0),
                     taps=_single(height * width), m=_single(m), shift=_single(shift), lo=p["lo"], hi=p["hi"])
    return [mean] if p["keepdims"] else [mean, Node.make(node.name, "reshape", (name,), shape=(channels,))]


def _single(value: int) -> np.ndarray:
    return np.array([value], np.int64)
