"""Pools in two steps that stay in the cache: the rows of a window into one row, then the columns of that row."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable import pool
from hwsim.engine.fast.portable.blocks import requantized, rows_of, widened
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.fast.vector import arithmetic, moving, words
from hwsim.engine.fast.vector.scratch import SCRATCH
from hwsim.engine.fast.vector.sweep import blocks, pieces
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import for_chunks, in_order
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Rounding
from hwsim.graph.node import Node
from hwsim.ops.window import out_hw, pads

TALL = 1 << 10     # rows that are summed in 32 bits at a time: magnitudes below 2^21 cannot overflow them
REDUCED = 1 << 21  # values of the rows that a thread takes at a time


@dataclass(frozen=True)
class Windows:
    """The windows of a pool on images (H,W,C): their size, stride and padding before the first, per axis."""

    size: tuple[int, ...]
    channels: int
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], p: Mapping[str, Any]) -> Windows:
        """The Windows of a pool node with parameters p on a tensor N,H,W,C."""
        pad = pads(shape, p["kernel"], p["stride"], (1, 1), p["padding"])
        return cls(shape[1:3], shape[3], out_hw(shape, p["kernel"], p["stride"], (1, 1), p["padding"]), p["kernel"], p["stride"],
                   (pad[0], pad[2]))

    def taps(self, axis: int) -> np.ndarray:
        """int64: how many positions of each window on this axis lie inside the image."""
        start = np.arange(self.out[axis]) * self.stride[axis] - self.before[axis]
        return np.minimum(start + self.kernel[axis], self.size[axis]) - np.maximum(start, 0)

    @property
    def rows(self) -> np.ndarray:
        """What a pass knows of the rows: KH, SH, top."""
        return np.array([self.kernel[0], self.stride[0], self.before[0]])

    @property
    def columns(self) -> np.ndarray:
        """And of the columns, in values: KW, SW*C, C, left*C."""
        c = self.channels
        return np.array([self.kernel[1], self.stride[1] * c, c, self.before[1] * c])

    def lines(self, dtype: DTypeLike, border: int) -> tuple[np.ndarray, np.ndarray]:
        """Memory of the passes: a row of the image with its border, and windows at every column of it."""
        # the border holds what changes no result (0 for sums, the least code for maxima), so that no loop tests for it
        count = (self.out[1] - 1) * self.stride[1]
        tall = SCRATCH("tall", ((count + self.kernel[1]) * self.channels,), dtype)
        tall.fill(border)
        return tall, SCRATCH("line", ((count + 1) * self.channels,), dtype)


def _swept(x: np.ndarray, windows: Windows, dtype: DTypeLike, run: Callable[..., Any],
           threads: int) -> tuple[np.ndarray, list[Any]]:
    """(y, counts): run(image of flat rows, number of the first row, rows of y) block by block."""
    y = ARENA.empty((len(x), *windows.out, windows.channels), dtype)
    rows, target = x.reshape(*x.shape[:2], prod(x.shape[2:])), y.reshape(*y.shape[:2], prod(y.shape[2:]))
    work = prod(windows.stride) * target.shape[2]
    parts = blocks(target.shape[0], target.shape[1], work)
    counts = in_order(lambda block: run(rows[block[0]], block[1].start, target[block]), parts, threads)
    return y, counts


def max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest code of every window, (N,OH,OW,C); padding takes no part."""
    (x,), out_type = inputs, storage_type(node, inputs, context)
    windows = Windows.of(x.shape, node.params)
    # the border never wins a maximum, but its value must exist in both types
    least = max(np.iinfo(x.dtype).min, np.iinfo(out_type).min)   # both types hold every code
    rows, columns = windows.rows, windows.columns

    def run(image: np.ndarray, first: int, y: np.ndarray) -> None:
        moving.max_pool(image, first, rows, columns, *windows.lines(x.dtype, least), y)
    return _swept(x, windows, out_type, run, context.threads)[0], LayerStats()


def global_max_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest code of every channel, (N,1,1,C), or (N,C) without keepdims."""
    (x,) = inputs
    start = np.full(prod(x.shape[2:]), np.iinfo(x.dtype).min, x.dtype)
    best = _reduced(x, moving.tops, start, np.maximum, context.threads).max(axis=2, keepdims=True)
    return best if node.params["keepdims"] else best[:, 0, 0], LayerStats()


def _reduced(x: np.ndarray, run: Callable[..., Any], start: np.ndarray, join: Callable[..., Any], threads: int) -> np.ndarray:
    """(N,1,W,C): `start`, a row of W*C, joined with all rows of an image by run(rows, row) on each thread."""
    images = [_reduced_image(image.reshape(len(image), -1), run, start, join, threads) for image in x]
    return np.stack(images).reshape(len(x), 1, *x.shape[2:])


def _reduced_image(rows: np.ndarray, run: Callable[..., Any], start: np.ndarray, join: Callable[..., Any],
                   threads: int) -> np.ndarray:
    parts = pieces(len(rows), min(REDUCED // rows.shape[1], TALL))

    def work(numbers: Iterable[int]) -> np.ndarray:
        # a row of its own for every thread: the rows are joined once, after the last chunk
        own = start.copy()
        for number in numbers:
            run(rows[parts[number]], own)
        return own
    return reduce(join, for_chunks(len(parts), threads, work))


def avg_pool(node: Node, inputs: Inputs, context: Context) -> Output:
    """The sum of every window times the m of its count of real taps, rounded and clamped, (N,OH,OW,C)."""
    (x,), p = inputs, node.params
    windows = Windows.of(x.shape, p)
    taps = {int(high) * int(wide) for high in set(windows.taps(0)) for wide in set(windows.taps(1))}
    if windows.out == (1, 1) and taps == {prod(windows.size)}:
        return _global_average(x, p, prod(windows.size), context)
    starts, m, shift = _spans(windows, p)
    word = _word(p, taps, context)
    if word is None:
        return pool.avg_pool(node, inputs, context)
    rules, factors = _rules(m, shift, p, context.datapath.rounding, word)
    rows, columns = windows.rows, windows.columns

    def run(image: np.ndarray, first: int, y: np.ndarray) -> int:
        tall, line = windows.lines(word, 0)
        sums = line if windows.stride[1] == 1 else SCRATCH("sums", y.shape[1:], word)
        return arithmetic.average(image, first, rows, columns, starts, factors, rules, tall, line, sums, y)
    y, counts = _swept(x, windows, storage_type(node, inputs, context), run, context.threads)
    return y, LayerStats(clamped=int(sum(counts)))


def _scales(p: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """Count of taps -> (m, shift)."""
    return {int(t): (int(m), int(s)) for t, m, s in reversed(list(zip(p["taps"], p["m"], p["shift"])))}


def _word(p: Mapping[str, Any], taps: Iterable[int], context: Context) -> type[np.signedinteger[Any]] | None:
    """The word for the windows of every count of taps that there is."""
    largest, scales, needed = context.in_formats[0].largest, _scales(p), list[Any]()
    for count in taps:
        m, shift = scales[count]
        needed.append(words.word_of(largest * count * max(abs(m), 1), shift, context.datapath.rounding))
    return None if None in needed else max(needed, key=lambda word: np.iinfo(word).bits)


def _spans(windows: Windows, p: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(starts in values, m, shift): neighbouring windows of as many columns share a span; m and shift (OH,SPANS)."""
    across = windows.taps(1)
    # windows inside the image have all their taps, those at the left and right border fewer: a handful of spans per row
    first = np.flatnonzero(np.diff(across, prepend=-1))
    counts = np.multiply.outer(windows.taps(0), across[first])
    order = np.argsort(p["taps"], kind="stable")
    which = order[np.searchsorted(p["taps"], counts, sorter=order)]
    return np.append(first, len(across)) * windows.channels, p["m"][which], p["shift"][which]


def _rules(m: np.ndarray, shift: np.ndarray, p: Mapping[str, Any], rounding: Rounding,
           word: type[np.signedinteger[Any]]) -> tuple[np.ndarray, np.ndarray]:
    """(rules (OH,SPANS,6), factors (OH,SPANS,2)) for arithmetic.average."""
    ends = np.broadcast_to(p["lo"], m.shape), np.broadcast_to(p["hi"], m.shape)
    rules = np.stack([*words.rounding_of(shift, rounding, word), shift, *ends], axis=2).astype(word)
    return rules, np.stack([m, np.zeros_like(m)], axis=2).astype(word)


def _global_average(x: np.ndarray, p: Mapping[str, Any], taps: int, context: Context) -> Output:
    """The sum of an image in 64 bits, one product per channel."""
    largest = context.in_formats[0].largest
    run = partial(_add_rows, np.int32 if largest * TALL <= np.iinfo(np.int32).max else np.int64)
    total = _reduced(x, run, np.zeros(prod(x.shape[2:]), np.int64), np.add, context.threads).sum(axis=2, keepdims=True)
    m, shift = _scales(p)[taps]

    def product(block: tuple[int, slice]) -> tuple[np.ndarray, Any]:
        return widened(rows_of(total, block), largest * taps * max(abs(m), 1)) * m, shift
    return requantized(total.shape, product, p, context.datapath.rounding)


def _add_rows(word: type[np.signedinteger[Any]], rows: np.ndarray, sums: np.ndarray) -> None:
    """sums += at most TALL rows, by way of sums in the word, which holds so many."""
    # 32 bits have twice the lanes of 64: where the codes allow it, TALL rows at a time cannot overflow them
    some = SCRATCH("rows", sums.shape, word)
    some.fill(0)
    arithmetic.totals(rows, some)
    sums += some
