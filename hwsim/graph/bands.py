"""A graph computed whole, node by node, or in bands of rows from top to bottom: each node makes every row once, as soon as its
inputs have the rows that it needs, and rows that nobody needs any more are forgotten. Nothing is computed twice, so the bands
are exact whatever computes them, and wherever their tensors live.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from hwsim.graph.node import Graph, Node
from hwsim.graph.rows import height, needs, on_rows, reachable, unit
from hwsim.graph.shapes import Shapes
from hwsim.graph.walk import most_alive, walk

WHOLE_BYTES = 1 << 27  # live tensors of a graph that is run node by node
BAND_BYTES = 1 << 24   # the band of the largest tensor: small enough for the cache, large enough for the calls' own cost

Tensor = TypeVar("Tensor")
Note = TypeVar("Note")
Compute = Callable[[Node, tuple[Node, ...], list[Any]], tuple[Tensor, Note]]


@dataclass(frozen=True, eq=False)
class RowBand(Generic[Tensor, Note]):
    """`tensor` is rows `rows` of images `images` of what `node` computes, all of them for a tensor that is not N,H,W,C.

    note: what else the computation of the band tells.
    """

    node: Node
    images: slice
    rows: slice
    tensor: Tensor
    note: Note


class RowMemory(Protocol[Tensor]):
    """How tensors are cut into rows and joined where they live; one that is not N,H,W,C is a single row."""

    def height(self, tensor: Tensor) -> int:
        """How many rows it has."""

    def cut(self, tensor: Tensor, first: int, end: int) -> Tensor:
        """Rows first..end-1, in the tensor's own memory where that can be."""

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        """The rows of all of them, one after the other, contiguous."""

    def copy(self, tensor: Tensor) -> Tensor:
        """The same rows in memory of their own, so that what they were cut from can go."""


@dataclass(frozen=True)
class ArrayRows:
    """The RowMemory of numpy arrays. empty(shape, dtype): memory to join bands in."""

    empty: Callable[[tuple[int, ...], np.dtype], np.ndarray] = np.empty

    def height(self, tensor: np.ndarray) -> int:
        """Rows of (N,H,W,C); 1 of any other array."""
        return height(tensor.shape)

    def cut(self, tensor: np.ndarray, first: int, end: int) -> np.ndarray:
        """A view of rows first..end-1; the whole array where it has no rows."""
        return tensor[:, first:end] if tensor.ndim == 4 else tensor

    def join(self, tensors: Sequence[np.ndarray]) -> np.ndarray:
        """One C-contiguous array of all rows, in memory of empty()."""
        n, _, *rest = tensors[0].shape
        joined = self.empty((n, sum(map(self.height, tensors)), *rest), tensors[0].dtype)
        return np.concatenate(tensors, axis=1, out=joined)

    def copy(self, tensor: np.ndarray) -> np.ndarray:
        """A copy of the array."""
        return tensor.copy()


ARRAYS = ArrayRows()


def rows_per_step(graph: Graph, shapes: Shapes, item_bytes: int) -> int | None:
    """How many input rows a step takes: None, all of them node by node, where the live tensors are small.

    shapes: concrete (graph.shapes.infer); item_bytes: of one value.
    """
    sizes = {name: int(np.prod(shape)) * item_bytes for name, shape in shapes.items()}
    if most_alive(graph, sizes) <= WHOLE_BYTES:
        return None
    images = shapes[graph.inputs[0]][0]
    return max(1, BAND_BYTES * _tallest(graph, shapes) * images // max(sizes.values()))


def _tallest(graph: Graph, shapes: Shapes) -> int:
    return max(height(shapes[name]) for name in graph.inputs)


def computed(graph: Graph, shapes: Shapes, inputs: Mapping[str, np.ndarray], compute: Compute[Tensor, Note], step: int | None,
             memory: RowMemory[Any] = ARRAYS) -> Iterator[RowBand[Tensor, Note]]:
    """Yields RowBands of all tensors: whole, node by node, where `step` is None, else image by image, `step` rows of the
    inputs in, then what they allow, in graph order.

    compute(node, chain, tensors) -> (tensor, note): `chain` are the nodes that make a band of `node` from `tensors`, each
    reading the one before; for an input node `tensors` is the band as given.
    """
    return _whole(graph, shapes, inputs, compute) if step is None else _in_bands(graph, shapes, inputs, compute, step, memory)


def _whole(graph: Graph, shapes: Shapes, inputs: Mapping[str, np.ndarray],
           compute: Compute[Tensor, Note]) -> Iterator[RowBand[Tensor, Note]]:
    def from_inputs(node: Node, tensors: list[Tensor]) -> tuple[Tensor, Note]:
        return compute(node, (node,), [inputs[node.name]] if node.op == "input" else tensors)

    for node, tensor, note in walk(graph, from_inputs):
        images, rows = shapes[node.name][0], height(shapes[node.name])
        yield RowBand(node=node, images=slice(0, images), rows=slice(0, rows), tensor=tensor, note=note)
        del tensor, note


def _in_bands(graph: Graph, shapes: Shapes, inputs: Mapping[str, np.ndarray], compute: Compute[Tensor, Note], step: int,
              memory: RowMemory[Tensor]) -> Iterator[RowBand[Tensor, Note]]:
    for n in range(shapes[graph.inputs[0]][0]):
        image = {name: inputs[name][n:n + 1] for name in graph.inputs}
        yield from _image(graph, shapes, image, n, compute, step, memory)


def _image(graph: Graph, shapes: Shapes, image: Mapping[str, np.ndarray], n: int, compute: Compute[Tensor, Note], step: int,
           memory: RowMemory[Tensor]) -> Iterator[RowBand[Tensor, Note]]:
    total = {node.name: height(shapes[node.name]) for node in graph.nodes}
    tall, done = _tallest(graph, shapes), dict.fromkeys(total, 0)
    held: dict[str, HeldRows[Tensor]] = {name: HeldRows(memory) for name in total}
    while done != total:
        for node in graph.nodes:
            lo = done[node.name]
            hi = _end(node, shapes, done, -(-total[node.name] * step // tall))
            if hi == lo:
                continue
            tensors = [ARRAYS.cut(image[node.name], lo, hi)] if node.op == "input" else _read(node, shapes, held, lo, hi)
            tensor, note = compute(node, on_rows(node, shapes, lo, hi), tensors)
            done[node.name] = hi
            if graph.consumers[node.name]:
                held[node.name].add(tensor)
            for name in node.inputs:
                held[name].forget(_first_needed(graph, shapes, done, name))
            yield RowBand(node=node, images=slice(n, n + 1), rows=slice(lo, hi), tensor=tensor, note=note)


def _end(node: Node, shapes: Shapes, done: Mapping[str, int], most: int) -> int:
    """Where the next band of `node` ends: about `most` rows on, in whole units, or as far as the inputs allow."""
    lo, step, total = done[node.name], unit(node, shapes), height(shapes[node.name])
    wanted = min(lo + -(-most // step) * step, total)
    return min(wanted, reachable(node, shapes, [done[name] for name in node.inputs]))


def _read(node: Node, shapes: Shapes, held: Mapping[str, HeldRows[Tensor]], lo: int, hi: int) -> list[Tensor]:
    return [held[name].rows(*span) for name, span in zip(node.inputs, needs(node, shapes, lo, hi))]


def _first_needed(graph: Graph, shapes: Shapes, done: Mapping[str, int], name: str) -> int:
    """The first row of a tensor that some node has yet to read."""
    needed = [height(shapes[name])]
    for node in graph.consumers[name]:
        lo, total = done[node.name], height(shapes[node.name])
        if lo < total:
            spans = needs(node, shapes, lo, min(lo + unit(node, shapes), total))
            needed += [first for reads, (first, _) in zip(node.inputs, spans) if reads == name]
    return min(needed)


class HeldRows(Generic[Tensor]):
    """Consecutive rows of one image of a tensor, from row `first` on, as the bands that they came in."""

    def __init__(self, memory: RowMemory[Any] = ARRAYS) -> None:
        self.first, self.parts = 0, list[Tensor]()
        self._memory: RowMemory[Tensor] = memory

    def add(self, part: Tensor) -> None:
        """Takes the next rows, which follow the last ones."""
        self.parts.append(part)

    def rows(self, lo: int, hi: int) -> Tensor:
        """Rows lo..hi-1, contiguous; a view where they came in one band."""
        parts, at = [], self.first
        for part in self.parts:
            size = self._memory.height(part)
            if at < hi and at + size > lo:
                parts.append(self._memory.cut(part, max(lo - at, 0), min(hi - at, size)))
            at += size
        return parts[0] if len(parts) == 1 else self._memory.join(parts)

    def forget(self, first: int) -> None:
        """Lets the rows before `first` go; a small rest is copied, so that it does not keep a whole band alive."""
        count = self._memory.height
        while self.parts and self.first + count(self.parts[0]) <= first:
            self.first += count(self.parts.pop(0))
        if self.parts and first > self.first:
            size = count(self.parts[0])
            rest = self._memory.cut(self.parts[0], first - self.first, size)
            self.parts[0] = self._memory.copy(rest) if 2 * count(rest) < size else rest
            self.first = first


def gathered(kept: np.ndarray | None, band: RowBand[np.ndarray, Any], shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """`kept` (None at first) of `shape` and `dtype` with the band in its place; a whole tensor is taken as it is."""
    if band.tensor.shape == shape:
        return band.tensor.astype(dtype, copy=False)
    kept = np.empty(shape, dtype) if kept is None else kept
    ARRAYS.cut(kept[band.images], band.rows.start, band.rows.stop)[...] = band.tensor
    return kept
