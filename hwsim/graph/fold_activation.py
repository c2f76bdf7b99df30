"""The pass that folds activations into the node that feeds them (spec/arithmetic.md sections 3 and 6).

Into an array layer: PReLU slopes per channel, then a clip. Into a vector operator: a clip only (a ReLU after it is its
clamp; a PReLU stays a node of its own). Nobody else may read the tensor between. Order matters: a slope never moves past a clip.
"""
from typing import TypeAlias

import numpy as np

from hwsim.graph.fuse import ARRAY, Report, absorb, second_reader, silent
from hwsim.graph.node import Graph, Node

Clip: TypeAlias = tuple[float | None, float | None]


def fold_activation(graph: Graph, report: Report = silent) -> Graph:
    """The graph with every activation folded that may be; `report(layer, text)` says what became of each."""
    for name in [node.name for node in graph.nodes if node.op in ("prelu", "clip")]:
        graph = _fold(graph, graph[name], report)
    return graph


def _fold(graph: Graph, act: Node, report: Report) -> Graph:
    producer = graph[act.inputs[0]]
    obstacle = _obstacle(graph, producer, act)
    if obstacle:
        report(act.name, f"not folded: {obstacle}")
        return graph
    report(act.name, f"folded into {producer.name}")
    return absorb(graph, act.name, with_activation(producer, act))


def _obstacle(graph: Graph, producer: Node, act: Node) -> str | None:
    """Why `act` stays a node of its own, or None."""
    if "clip" not in producer.spec.params:
        return f"{producer.name} is {producer.op}, which has no clamp"
    if pure_clip(act) is None:
        if producer.op not in ARRAY:
            return f"{producer.name} is {producer.op}, which takes a clamp but no slope"
        if act.params["alpha"].ndim > 1:
            return "its slope varies over pixels"
        if producer.params["clip"] is not None:
            return f"{producer.name} clips before the slope"
    return second_reader(graph, producer.name)


def pure_clip(act: Node) -> Clip | None:
    """(lo, hi) when `act` is nothing but a clip (a ReLU is (0, its own limit)), or None."""
    if act.op == "clip":
        limits: Clip = act.params["clip"]
        return limits
    if act.params["alpha"].any():
        return None
    return composed_clip((0.0, None), act.params["clip"])


def with_activation(producer: Node, act: Node) -> Node:
    """`producer` followed by `act`, as one node."""
    # a ReLU becomes slopes of 0 where there is no clip yet, because the specification folds it so (m_neg = 0)
    slopes = producer.op in ARRAY and act.op == "prelu" and act.params["alpha"].ndim == 1 and producer.params["clip"] is None
    if slopes:
        return producer.but(alpha=composed_slope(producer.params["alpha"], act.params["alpha"]), clip=act.params["clip"])
    return producer.but(clip=composed_clip(producer.params["clip"], pure_clip(act)))


def composed_slope(first: np.ndarray | None, second: np.ndarray) -> np.ndarray:
    """The slopes (OC) of PReLU `first` (None: none), then `second`, which keeps what a negative first slope makes positive."""
    return second if first is None else np.where(first >= 0, first * second, first)


def composed_clip(first: Clip | None, second: Clip | None) -> Clip | None:
    """The one clip that does `first` then `second`; None is no limit, on a side or at all."""
    if first is None or second is None:
        return second if first is None else first
    lo, hi = (_clipped(end, second) for end in first)
    return (second[0] if lo is None else lo, second[1] if hi is None else hi)


def _clipped(value: float | None, clip: Clip) -> float | None:
    if value is None:
        return None
    lo, hi = clip
    value = value if lo is None else max(value, lo)
    return value if hi is None else min(value, hi)
