"""The pass that leaves only float operators with an integer counterpart (spec/arithmetic.md section 6).

affine that stayed  one equal positive factor and no offset: scale; else a depthwise 1x1 convolution, on flat tensors a
                    diagonal dense layer
scale <= 0          a depthwise 1x1 layer: a scale of a tensor is positive
relu, leaky_relu    prelu with one slope, then a clip; a relu with a threshold other than 0 stays and becomes a table
clip (0, hi)        prelu with slope 0, then the rest of the clip: the same ReLU under every name
prelu (H,W,C)       prelu (C) where the slope is the same for all pixels
softmax             dropped at an output, where the host computes it from the logits; elsewhere unsupported
"""
import numpy as np

from hwsim.errors import UnsupportedError
from hwsim.graph.fuse import Report, channels_of, silent
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.ops.dims import Shape

WIDEST_DIAGONAL = 1024


def lower(graph: Graph, report: Report = silent) -> Graph:
    """The lowered graph; every node keeps its name. `report(layer, text)` says what changed its kind.

    Errors: UnsupportedError where a layer has no integer counterpart.
    """
    graph, shapes = _without_softmax(graph, report), infer(graph)
    nodes = []
    for node in graph.nodes:
        rule = _RULES.get(node.op)
        nodes.append(rule(node, shapes[node.inputs[0]], report) if rule else node)
    return Graph(tuple(nodes), graph.inputs, graph.outputs, graph.layout)


def _without_softmax(graph: Graph, report: Report) -> Graph:
    for node in [node for node in graph.nodes if node.op == "softmax"]:
        readers = graph.consumers[node.name]
        if readers:
            raise UnsupportedError(f"{node.name}: softmax must be an output of the network, not an input of {readers[0].name}")
        report(node.name, f"runs on the host: the output is {node.inputs[0]}, its logits")
        graph = graph.replaced({node.name: None}).renamed({node.name: node.inputs[0]})
    return graph


def _affine(node: Node, in_shape: Shape, report: Report) -> Node:
    scale, offset = node.params["scale"], node.params["offset"]
    if not offset.any() and (scale == scale[0]).all() and scale[0] > 0:
        report(node.name, "changes the scale only")
        return Node.make(node.name, "scale", node.inputs, factor=float(scale[0]))
    return _per_channel(node, scale, offset, in_shape, report)


def _scale(node: Node, in_shape: Shape, report: Report) -> Node:
    if node.params["factor"] > 0:
        return node
    channels = channels_of(node, in_shape)
    return _per_channel(node, np.full(channels, node.params["factor"]), np.zeros(channels), in_shape, report)


def _per_channel(node: Node, scale: np.ndarray, offset: np.ndarray, in_shape: Shape, report: Report) -> Node:
    """y = x*scale + offset as a layer of the array: each output channel reads its own input channel only."""
    if len(in_shape) == 4:
        report(node.name, "runs as a depthwise 1x1 convolution")
        return Node.make(node.name, "conv2d", node.inputs, weights=scale.reshape(-1, 1, 1, 1), bias=offset, groups=scale.size)
    if scale.size > WIDEST_DIAGONAL:
        raise UnsupportedError(f"{node.name}: {node.op} on a flat tensor must have at most {WIDEST_DIAGONAL} features "
                               f"to run as a diagonal dense layer, not {scale.size}")
    report(node.name, "runs as a diagonal dense layer")
    return Node.make(node.name, "dense", node.inputs, weights=np.diag(scale), bias=offset)


def _relu(node: Node, in_shape: Shape, report: Report) -> Node:
    p = node.params
    if p["threshold"] != 0:
        report(node.name, "runs as a table: its threshold is not 0")
        return node
    return _slope(node, p["slope"], p["max_value"], in_shape)


def _clip(node: Node, in_shape: Shape, report: Report) -> Node:
    lo, hi = node.params["clip"]
    return _slope(node, 0.0, hi, in_shape) if lo == 0 else node


def _unary(node: Node, in_shape: Shape, report: Report) -> Node:
    if node.params["function"] == "relu":
        return _slope(node, 0.0, None, in_shape)
    if node.params["function"] == "leaky_relu":
        return _slope(node, node.params["args"][0], None, in_shape)
    return node


def _prelu(node: Node, in_shape: Shape, report: Report) -> Node:
    alpha = node.params["alpha"]
    pixels = alpha.reshape(-1, alpha.shape[-1])
    return node.but(alpha=pixels[0].copy()) if (pixels == pixels[0]).all() else node


def _slope(node: Node, slope: float, limit: float | None, in_shape: Shape) -> Node:
    clip = None if limit is None else (None, limit)
    return Node.make(node.name, "prelu", node.inputs, alpha=np.full(channels_of(node, in_shape), slope), clip=clip)


_RULES = {"affine": _affine, "scale": _scale, "relu": _relu, "clip": _clip, "unary": _unary, "prelu": _prelu}
