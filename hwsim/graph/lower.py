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
from hwsim.graph.fuse import channels_of, silent
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer

WIDEST_DIAGONAL = 1024


def lower(graph, tell=silent):
    """The lowered graph; every node keeps its name. `tell(layer, text)` hears what changed its kind."""
    graph, shapes = _without_softmax(graph, tell), infer(graph)
    nodes = []
    for node in graph.nodes:
        rule = _RULES.get(node.op)
        nodes.append(rule(node, shapes[node.inputs[0]], tell) if rule else node)
    return Graph(tuple(nodes), graph.inputs, graph.outputs)


def _without_softmax(graph, tell):
    for node in [node for node in graph.nodes if node.op == "softmax"]:
        readers = graph.consumers[node.name]
        if readers:
            raise UnsupportedError(f"{node.name}: softmax must be an output of the network, not an input of {readers[0].name}")
        tell(node.name, f"runs on the host: the output is {node.inputs[0]}, its logits")
        graph = graph.replaced({node.name: None}).renamed({node.name: node.inputs[0]})
    return graph


def _affine(node, in_shape, tell):
    scale, offset = node.params["scale"], node.params["offset"]
    if not offset.any() and (scale == scale[0]).all() and scale[0] > 0:
        tell(node.name, "changes the scale only")
        return Node.make(node.name, "scale", node.inputs, factor=float(scale[0]))
    return _per_channel(node, scale, offset, in_shape, tell)


def _scale(node, in_shape, tell):
    if node.params["factor"] > 0:
        return node
    channels = channels_of(node, in_shape)
    return _per_channel(node, np.full(channels, node.params["factor"]), np.zeros(channels), in_shape, tell)


def _per_channel(node, scale, offset, in_shape, tell):
    """y = x*scale + offset as a layer of the array: each output channel reads its own input channel only."""
    if len(in_shape) == 4:
        tell(node.name, "runs as a depthwise 1x1 convolution")
        return Node.make(node.name, "conv2d", node.inputs, weights=scale.reshape(-1, 1, 1, 1), bias=offset, groups=scale.size)
    if scale.size > WIDEST_DIAGONAL:
        raise UnsupportedError(f"{node.name}: {node.op} on a flat tensor must have at most {WIDEST_DIAGONAL} features "
                               f"to run as a diagonal dense layer, not {scale.size}")
    tell(node.name, "runs as a diagonal dense layer")
    return Node.make(node.name, "dense", node.inputs, weights=np.diag(scale), bias=offset)


def _relu(node, in_shape, tell):
    p = node.params
    if p["threshold"] != 0:
        tell(node.name, "runs as a table: its threshold is not 0")
        return node
    return _slope(node, p["slope"], p["max_value"], in_shape)


def _clip(node, in_shape, tell):
    lo, hi = node.params["clip"]
    return _slope(node, 0.0, hi, in_shape) if lo == 0 else node


def _unary(node, in_shape, tell):
    if node.params["function"] == "relu":
        return _slope(node, 0.0, None, in_shape)
    if node.params["function"] == "leaky_relu":
        return _slope(node, node.params["args"][0], None, in_shape)
    return node


def _prelu(node, in_shape, tell):
    alpha = node.params["alpha"]
    pixels = alpha.reshape(-1, alpha.shape[-1])
    return node.but(alpha=pixels[0].copy()) if (pixels == pixels[0]).all() else node


def _slope(node, slope, limit, in_shape):
    clip = None if limit is None else (None, limit)
    return Node.make(node.name, "prelu", node.inputs, alpha=np.full(channels_of(node, in_shape), slope), clip=clip)


_RULES = {"affine": _affine, "scale": _scale, "relu": _relu, "clip": _clip, "unary": _unary, "prelu": _prelu}
