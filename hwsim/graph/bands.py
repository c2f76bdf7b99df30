"""A graph computed from top to bottom: each node makes every row once, as soon as its inputs have the rows that it needs, and
rows that nobody needs any more are forgotten. Nothing is computed twice, so the bands are exact whatever computes them.
"""
from collections import Counter
from dataclasses import dataclass

import numpy as np

from hwsim.graph.node import Node
from hwsim.graph.rows import height, needs, on_rows, reachable, unit

WHOLE_BYTES = 1 << 27  # live tensors of a graph that is run node by node
BAND_BYTES = 1 << 24   # the band of the largest tensor: small enough for the cache, large enough for the calls' own cost


@dataclass(frozen=True, eq=False)
class RowBand:
    """`tensor` is rows `rows` of images `images` of what `node` computes, all of them for a tensor that is not N,H,W,C.

    note: what else the computation of the band tells.
    """

    node: Node
    images: slice
    rows: slice
    tensor: np.ndarray
    note: object


def rows_per_step(graph, shapes, item_bytes):
    """How many input rows a step takes: None, all of them node by node, where the live tensors are small.

    shapes: concrete (graph.shapes.infer); item_bytes: of one value.
    """
    sizes = {name: int(np.prod(shape)) * item_bytes for name, shape in shapes.items()}
    if _most_alive(graph, sizes) <= WHOLE_BYTES:
        return None
    images = shapes[graph.inputs[0]][0]
    return max(1, BAND_BYTES * _tallest(graph, shapes) * images // max(sizes.values()))


def _most_alive(graph, sizes):
    """The largest sum of `sizes` that are needed at the same time when the graph runs node by node."""
    left = Counter(name for node in graph.nodes for name in node.inputs)
    alive = most = sum(sizes[name] for name in graph.inputs)
    for node in graph.nodes:
        alive += sizes[node.name] if node.op != "input" else 0
        most = max(most, alive)
        left.subtract(node.inputs)
        alive -= sum(sizes[name] for name in {*node.inputs, node.name} if not left[name])
    return most


def _tallest(graph, shapes):
    return max(height(shapes[name]) for name in graph.inputs)


def in_bands(graph, shapes, inputs, compute, step, empty=np.empty):
    """Yields RowBands of all tensors, image by image: `step` rows of the inputs in, then what they allow, in graph order.

    compute(node, chain, tensors) -> (tensor, note): `chain` are the nodes that make a band of `node` from `tensors`, each
    reading the one before; for an input node `tensors` is the band as given. empty(shape, dtype): memory to join bands in.
    """
    for n in range(shapes[graph.inputs[0]][0]):
        image = {name: inputs[name][n:n + 1] for name in graph.inputs}
        yield from _image(graph, shapes, image, n, compute, step, empty)


def _image(graph, shapes, image, n, compute, step, empty):
    total = {node.name: height(shapes[node.name]) for node in graph.nodes}
    tall, done = _tallest(graph, shapes), dict.fromkeys(total, 0)
    held = {name: HeldRows(empty) for name in total}
    while done != total:
        for node in graph.nodes:
            lo = done[node.name]
            hi = _end(node, shapes, done, -(-total[node.name] * step // tall))
            if hi == lo:
                continue
            tensors = [rows_of(image[node.name], lo, hi)] if node.op == "input" else _read(node, shapes, held, lo, hi)
            tensor, note = compute(node, on_rows(node, shapes, lo, hi), tensors)
            done[node.name] = hi
            if graph.consumers[node.name]:
                held[node.name].add(tensor)
            for name in node.inputs:
                held[name].forget(_first_needed(graph, shapes, done, name))
            yield RowBand(node, slice(n, n + 1), slice(lo, hi), tensor, note)


def _end(node, shapes, done, most):
    """Where the next band of `node` ends: about `most` rows on, in whole units, or as far as the inputs allow."""
    lo, step, total = done[node.name], unit(node, shapes), height(shapes[node.name])
    wanted = min(lo + -(-most // step) * step, total)
    return min(wanted, reachable(node, shapes, [done[name] for name in node.inputs]))


def _read(node, shapes, held, lo, hi):
    return [held[name].rows(*span) for name, span in zip(node.inputs, needs(node, shapes, lo, hi))]


def _first_needed(graph, shapes, done, name):
    """The first row of a tensor that some node has yet to read."""
    found = [height(shapes[name])]
    for node in graph.consumers[name]:
        lo, total = done[node.name], height(shapes[node.name])
        if lo < total:
            spans = needs(node, shapes, lo, min(lo + unit(node, shapes), total))
            found += [first for reads, (first, _) in zip(node.inputs, spans) if reads == name]
    return min(found)


class HeldRows:
    """Consecutive rows of one image of a tensor, from row `first` on, as the bands that they came in."""

    def __init__(self, empty=np.empty):
        self.first, self.parts, self.empty = 0, [], empty

    def add(self, part):
        self.parts.append(part)

    def rows(self, lo, hi):
        """Rows lo..hi-1, contiguous; a view where they came in one band."""
        found, at = [], self.first
        for part in self.parts:
            if at < hi and at + count(part) > lo:
                found.append(rows_of(part, max(lo - at, 0), hi - at))
            at += count(part)
        return found[0] if len(found) == 1 else self._joined(found)

    def _joined(self, parts):
        n, _, *rest = parts[0].shape
        made = self.empty((n, sum(map(count, parts)), *rest), parts[0].dtype)
        return np.concatenate(parts, axis=1, out=made)

    def forget(self, first):
        """Lets the rows before `first` go; a small rest is copied, so that it does not keep a whole band alive."""
        while self.parts and self.first + count(self.parts[0]) <= first:
            self.first += count(self.parts.pop(0))
        if self.parts and first > self.first:
            rest = rows_of(self.parts[0], first - self.first, None)
            self.parts[0] = rest.copy() if 2 * count(rest) < count(self.parts[0]) else rest
            self.first = first


def count(tensor):
    """Rows of an array, N first."""
    return height(tensor.shape)


def rows_of(tensor, lo, hi):
    """Rows lo..hi-1 of an array, all of one that is not N,H,W,C."""
    return tensor[:, lo:hi] if tensor.ndim == 4 else tensor


def whole(node, tensor, note):
    """The RowBand that is all of a tensor."""
    return RowBand(node, slice(0, len(tensor)), slice(0, count(tensor)), tensor, note)


def gathered(kept, band, shape, dtype):
    """`kept` (None at first) of `shape` and `dtype` with the band in its place; a whole tensor is taken as it is."""
    if band.tensor.shape == shape:
        return band.tensor.astype(dtype, copy=False)
    kept = np.empty(shape, dtype) if kept is None else kept
    rows_of(kept[band.images], band.rows.start, band.rows.stop)[...] = band.tensor
    return kept
