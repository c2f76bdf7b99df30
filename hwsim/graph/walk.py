"""The one walk over a graph: every node once, in graph order, and every tensor let go after its last reader.

What a tensor is, the walk does not know: codes or float values in numpy, or memory of another device.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from hwsim.graph.node import Graph, Node

Tensor = TypeVar("Tensor")
Note = TypeVar("Note")


def walk(graph: Graph, compute: Callable[[Node, list[Tensor]], tuple[Tensor, Note]]) -> Iterator[tuple[Node, Tensor, Note]]:
    """Yields (node, tensor, note) of compute(node, its input tensors) -> (tensor, note) for every node.

    A node is yielded after the tensors that it was the last to read are let go; the walk itself holds no output of the graph.
    """
    over, alive = last_read(graph), dict[str, Tensor]()
    for node in graph.nodes:
        tensor, note = compute(node, [alive[name] for name in node.inputs])
        alive[node.name] = tensor
        for name in over[node.name]:
            del alive[name]
        yield node, tensor, note
        del tensor, note  # else they would live on while the next node is computed


def last_read(graph: Graph) -> dict[str, list[str]]:
    """node -> the tensors that no node needs once this one has run: what it is the last to read, its own if no node reads it."""
    reader = {}
    for node in graph.nodes:
        reader.update(dict.fromkeys((node.name, *node.inputs), node.name))
    over: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for name, last in reader.items():
        over[last].append(name)
    return over


def most_alive(graph: Graph, sizes: Mapping[str, int]) -> int:
    """The largest sum of `sizes` (by tensor) that a walk needs at the same time; the inputs are all there from the start."""
    over = last_read(graph)
    alive = most = sum(sizes[name] for name in graph.inputs)
    for node in graph.nodes:
        alive += sizes[node.name] if node.op != "input" else 0
        most = max(most, alive)
        alive -= sum(sizes[name] for name in over[node.name])
    return most
