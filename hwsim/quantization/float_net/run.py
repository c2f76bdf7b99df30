"""The float network in float64: every tensor in order, or the outputs. NHWC throughout.

What the integer network is calibrated on and compared with; the prepared graph has the same node names as the integer one.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from hwsim.errors import GraphError, UnsupportedError
from hwsim.graph import bands as graph_bands
from hwsim.graph.bands import RowBand, computed, gathered
from hwsim.graph.fit import fitted
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.quantization.float_net.ops.fused import activated, fused
from hwsim.quantization.float_net.ops.table import FLOAT_OPS

VALUE_BYTES = 8
Inputs: TypeAlias = Mapping[str, np.ndarray]
FloatBand: TypeAlias = RowBand[np.ndarray, np.ndarray | None]       # note: the rows before the fused activation
FloatRun: TypeAlias = Callable[[Graph, Inputs, int | None], Iterator[FloatBand]]    # bands(), or one that keeps tensors


def steps(graph: Graph, inputs: Inputs) -> Iterator[tuple[str, np.ndarray]]:
    """Yields (name, float64 array) for every node in order, and (name + ":pre", array) before a fused activation.

    `inputs`: input name -> float array, N first, of the shapes that the graph declares. A tensor is let go once nothing
    reads it any more.
    """
    for band in bands(graph, inputs, None):
        name, tensor, before = band.node.name, band.tensor, band.note
        del band
        if before is not None:
            yield f"{name}:pre", before
        before = None
        yield name, tensor


def bands(graph: Graph, inputs: Inputs, rows: int | None) -> Iterator[FloatBand]:
    """Yields a RowBand of float64 for every tensor in order, whole where `rows` is None, else `rows` input rows at a time.

    note: the same rows before the fused activation, or None. `inputs` as in steps().
    """
    arrays = {name: np.asarray(inputs[name]) for name in graph.inputs}
    return computed(graph, infer(graph, {name: x.shape for name, x in arrays.items()}), arrays, _compute, rows)


def rows_per_step(graph: Graph, inputs: Inputs) -> int | None:
    """The `rows` for bands(): None while the live tensors are small."""
    return graph_bands.rows_per_step(graph, infer(graph, {name: np.shape(x) for name, x in inputs.items()}), VALUE_BYTES)


def evaluate(graph: Graph, inputs: Inputs) -> list[np.ndarray]:
    """The outputs, float64, in the model's order. A fully convolutional graph also runs at sizes that it does not declare."""
    graph = fitted(graph, {name: np.shape(value) for name, value in inputs.items()})
    shapes = infer(graph, {name: np.shape(value) for name, value in inputs.items()})
    outputs: dict[str, np.ndarray] = {}
    for band in bands(graph, inputs, rows_per_step(graph, inputs)):
        name = band.node.name
        if name in graph.outputs:
            outputs[name] = gathered(outputs.get(name), band, shapes[name], np.float64)
    return [outputs[name] for name in graph.outputs]


def _compute(node: Node, chain: tuple[Node, ...], tensors: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """(tensor, the tensor before the fused activation or None) of a node whose operation is `chain`, one after the other."""
    if node.op == "input":
        return _input(node, tensors[0]), None
    for link in chain:
        tensors = [_apply(link, tensors)]
    return (activated(node, tensors[0]), tensors[0]) if fused(node) else (tensors[0], None)


def _apply(node: Node, tensors: list[np.ndarray]) -> np.ndarray:
    """The node's own operation; what overflows becomes infinity, as in the frameworks."""
    try:
        with np.errstate(all="ignore"):
            return FLOAT_OPS[node.op](node.params, *tensors)
    except MemoryError:
        raise UnsupportedError(f"{node.name}: its tensors must fit the memory, not exceed it") from None


def _input(node: Node, array: np.ndarray) -> np.ndarray:
    value = np.asarray(array, np.float64)
    if not np.isfinite(value).all():
        raise GraphError(f"{node.name}: an input must hold finite numbers, not NaN or infinity")
    return value
