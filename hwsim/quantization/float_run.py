"""The float network in float64: every tensor in order, or the outputs. NHWC throughout.

What the integer network is calibrated on and compared with; the prepared graph has the same node names as the integer one.
"""
from collections import Counter

import numpy as np

from hwsim.errors import GraphError, UnsupportedError
from hwsim.graph.fit import fitted
from hwsim.quantization.float_ops.fused import activated, fused
from hwsim.quantization.float_ops.table import FLOAT_OPS


def steps(graph, inputs):
    """Yields (name, float64 array) for every node in order, and (name + ":pre", array) before a fused activation.

    `inputs`: input name -> float array, N first, of the shapes that the graph declares. A tensor is let go once nothing
    reads it any more.
    """
    left = Counter(name for node in graph.nodes for name in node.inputs)
    alive = {}
    for node in graph.nodes:
        value = _input(node, inputs) if node.op == "input" else _computed(node, [alive[name] for name in node.inputs])
        if fused(node):
            yield f"{node.name}:pre", value
            value = activated(node, value)
        for name in node.inputs:
            left[name] -= 1
            if left[name] == 0:
                del alive[name]
        if left[node.name]:
            alive[node.name] = value
        yield node.name, value


def evaluate(graph, inputs):
    """The outputs as a list, in the model's order. A fully convolutional graph also runs at sizes it does not declare."""
    graph = fitted(graph, {name: np.shape(value) for name, value in inputs.items()})
    wanted = {name: None for name in graph.outputs}
    for name, value in steps(graph, inputs):
        if name in wanted:
            wanted[name] = value
    return [wanted[name] for name in graph.outputs]


def _computed(node, tensors):
    """The node's own operation; what overflows becomes infinity, as in the frameworks."""
    try:
        with np.errstate(all="ignore"):
            return FLOAT_OPS[node.op](node.params, *tensors)
    except MemoryError:
        raise UnsupportedError(f"{node.name}: its tensors must fit the memory, not exceed it") from None


def _input(node, inputs):
    value = np.asarray(inputs[node.name], np.float64)
    if not np.isfinite(value).all():
        raise GraphError(f"{node.name}: an input must hold finite numbers, not NaN or infinity")
    return value
