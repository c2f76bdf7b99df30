"""An integer graph of the sizes of a float one: what the closed form of the cycles needs before anything is quantized.

Its weights are zeros that take no memory; their words and the flags of two-word tiles are those that the quantizer will give.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.graph.node import Graph, Node
from hwsim.graph.pack_rows import pack_rows
from hwsim.ops.epilogue import REQUANTIZERS
from hwsim.ops.weights import Weights
from hwsim.quantization.config import Config
from hwsim.quantization.convert_array import is_depthwise
from hwsim.quantization.scales import kept_inputs

GEOMETRY = {"conv2d": ("stride", "dilation", "padding", "groups"), "conv2d_transpose": ("stride", "crop"), "dense": ()}


def shape_twin(graph: Graph, words: Mapping[str, IntFormat], config: Config) -> Graph:
    """`graph` with every float array node and concat exchanged for an integer one of the same sizes; the rest stays as it is.

    words: tensor -> IntFormat, as the quantizer gives them.
    """
    kept = kept_inputs(graph, words, config)
    nodes = tuple(sized for node in graph.nodes for sized in _sized(node, kept, config))
    twin = Graph(nodes, graph.inputs, graph.outputs)
    return pack_rows(twin, lambda note: None, config.tn) if config.rowpack else twin


def _sized(node: Node, kept: Mapping[str, tuple[bool, ...]], config: Config) -> tuple[Node, ...]:
    own = config.quantizer.conversions.get(node.op)
    if own is not None:
        return own.sizes(node, config)
    if node.op == "concat":
        return (_concat(node, kept[node.name]),)
    return (sized_layer(node, config) if node.op in GEOMETRY else node,)


def sized_layer(node: Node, config: Config) -> Node:
    """The integer node of a float array node, of its sizes: zeros for values, words and flags as the quantizer will give them."""
    weights = node.params["weights"]
    weights = weights.reshape(weights.shape[0], 1, 1, -1) if node.op == "dense" else weights
    values, packed = _zeros(weights.shape[0]), _weights(node, weights, config)
    kind = REQUANTIZERS["folded" if config.fold_prelu else "unfolded"]
    stage = kind(*[values] * len(fields(kind)))
    geometry = {name: node.params[name] for name in GEOMETRY[node.op]}
    return Node.make(node.name, f"q{node.op}", node.inputs, bias=values, **packed.to_fields(), **stage.to_fields(), lo=0, hi=0,
                     **geometry)


def _concat(node: Node, kept: tuple[bool, ...]) -> Node:
    """A concat that passes its `kept` inputs as they are (m 1, shift 0) and requantizes the others, by factors not known yet."""
    return Node.make(node.name, "qconcat", node.inputs, axis=node.params["axis"], m=np.array(kept, np.int64),
                     shift=_zeros(len(kept)), lo=0, hi=0)


def _weights(node: Node, weights: np.ndarray, config: Config) -> Weights:
    """Weights of zeros with the words and flags that the quantizer will give."""
    w_bits = config.bits_of(node.name)[1]
    words, flags = config.quantizer.weight_words(weights, w_bits, is_depthwise(node), config)
    return Weights(_zeros(words, *weights.shape), config.quantizer.weight_format(w_bits), flags)


def _zeros(*shape: int) -> np.ndarray:
    return np.broadcast_to(np.int64(0), shape)


