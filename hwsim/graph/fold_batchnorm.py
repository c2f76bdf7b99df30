"""The pass that folds a per-channel affine (batch normalization) into the weights and bias beside it.

Legal only where nobody else sees the tensor between the two, and never before a convolution that pads: its zeros
stand after the affine, not before it (spec/arithmetic.md section 1). All in float64.
"""
import numpy as np

from hwsim.graph.fuse import ARRAY, Report, absorb, second_reader, silent
from hwsim.graph.node import Graph, Node


def fold_batchnorm(graph: Graph, report: Report = silent) -> Graph:
    """The graph with every affine folded that may be; `report(layer, text)` says what became of each."""
    for name in [node.name for node in graph.nodes if node.op == "affine"]:
        graph = _fold(graph, graph[name], report)
    return graph


def _fold(graph: Graph, affine: Node, report: Report) -> Graph:
    after = _obstacle_after(graph, affine)
    if after is None:
        producer = graph[affine.inputs[0]]
        report(affine.name, f"folded into {producer.name}")
        return absorb(graph, affine.name, after_layer(producer, affine.params["scale"], affine.params["offset"]))
    before = _obstacle_before(graph, affine)
    if before is None:
        consumer = graph.consumers[affine.name][0]
        report(affine.name, f"folded into {consumer.name}")
        return absorb(graph, affine.name, before_layer(consumer, affine.params["scale"], affine.params["offset"]))
    report(affine.name, f"not folded: {after}, and {before}")
    return graph


def _obstacle_after(graph: Graph, affine: Node) -> str | None:
    """Why the affine cannot join the layer that feeds it, or None."""
    producer = graph[affine.inputs[0]]
    if producer.op not in ARRAY:
        return f"{producer.name} is {producer.op}, which has no weights"
    if producer.params["alpha"] is not None or producer.params["clip"] is not None:
        return f"an activation of {producer.name} stands between"
    return second_reader(graph, producer.name)


def _obstacle_before(graph: Graph, affine: Node) -> str | None:
    """Why the affine cannot join the layer that reads it, or None."""
    shared = second_reader(graph, affine.name)
    if shared:
        return shared
    consumers = graph.consumers[affine.name]
    if not consumers or consumers[0].op not in ("conv2d", "dense"):
        return "no convolution or dense layer reads it"
    if consumers[0].op == "conv2d" and consumers[0].params["padding"] != (0, 0, 0, 0):
        return f"{consumers[0].name} pads with zeros"
    return None


def after_layer(layer: Node, scale: np.ndarray, offset: np.ndarray) -> Node:
    """`layer` with y*scale + offset applied to its output channels: w*scale, b*scale + offset. scale, offset: (OC)."""
    weights, bias = layer.params["weights"], layer.params["bias"]
    return layer.but(weights=weights * scale.reshape(-1, *[1] * (weights.ndim - 1)), bias=bias * scale + offset)


def before_layer(layer: Node, scale: np.ndarray, offset: np.ndarray) -> Node:
    """`layer` with x*scale + offset applied to its input channels: w*scale[ic], b + sum of w*offset[ic]. scale, offset: (IC)."""
    weights = layer.params["weights"]
    groups = layer.params.get("groups", 1)
    scale, offset = (_seen_by(value, weights, groups) for value in (scale, offset))
    bias = layer.params["bias"] + np.sum(weights * offset, axis=tuple(range(1, weights.ndim)))
    return layer.but(weights=weights * scale, bias=bias)


def _seen_by(value: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """Per input channel values as (OC, ..., ICG): output channel oc of group g sees channels g*ICG onwards."""
    rows = np.repeat(value.reshape(groups, -1), weights.shape[0] // groups, axis=0)
    return rows.reshape(weights.shape[0], *[1] * (weights.ndim - 2), weights.shape[-1])
