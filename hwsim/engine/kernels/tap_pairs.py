"""Depthwise convolution two taps at a time: a 16-bit pair dot product (pmaddwd) then does no multiplication by zero.

Only where sums may be added in any order. A 32-bit lane needs the inputs of its own channel at both taps side by side. The
instructions that interleave two vectors (punpcklwd, punpckhwd) do it within each 128 bits: from 8 channels of both taps one
gives the lower four, the other the upper four. Channels of two neighbouring accumulator vectors are therefore dealt out in
fours (order()), and put back in order once, before the outputs are stored.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hwsim.engine.kernels.ir import at, i16, i32, i64, load, madd, shuffle, vector
from hwsim.engine.kernels.target import COLUMN, Rung
from hwsim.engine.kernels.variant import Tile, Variant


def order(lanes: int, nr: int) -> np.ndarray:
    """The channel in every lane of a tile's vectors, one after the other; int64 (nr*16)."""
    channels = nr * COLUMN
    if lanes == channels:  # a vector without a neighbour is interleaved as a whole
        return np.arange(channels)
    return (np.arange(0, channels, 2 * lanes)[:, None] + _of_two(lanes)).ravel()


def _of_two(lanes: int) -> np.ndarray:
    """order() of two neighbouring vectors: 0-3, 8-11, ... in the first, 4-7, 12-15, ... in the second."""
    return np.arange(2 * lanes).reshape(lanes // 4, 2, 4).transpose(1, 0, 2).ravel()


def shared_out(b: Any, v: Variant, values: list[Any]) -> list[Any]:
    """Vectors in the order of the channels, as order() says."""
    return _reordered(b, v, values, _of_two(v.lanes))


def restored(b: Any, v: Variant, values: list[Any]) -> list[Any]:
    """The inverse of shared_out()."""
    return _reordered(b, v, values, np.argsort(_of_two(v.lanes)))


def _reordered(b: Any, v: Variant, values: list[Any], places: np.ndarray) -> list[Any]:
    if v.lanes == v.nr * COLUMN:
        return values
    halves = places[:v.lanes], places[v.lanes:]
    return [shuffle(b, *pair, half) for pair in zip(values[::2], values[1::2]) for half in halves]


def emit(b: Any, tile: Tile, v: Variant, rung: Rung, run: Any, state: list[Any]) -> list[Any]:
    """The state after run `run`, a pair of taps: the address of its weights, then the accumulators."""
    w, *acc = state
    vecs = v.nr * COLUMN // v.lanes
    taps = [b.add(tile.x, load(b, at(b, b.add(tile.runs, b.mul(run, i64(16))), 8 * tap), i64, 8)) for tap in (0, 1)]
    weights = [load(b, at(b, w, n * v.lanes * 4), vector(i32, v.lanes), 4) for n in range(vecs)]
    for pixel in range(v.mr):
        step = b.mul(tile.x_pixel, i64(pixel))
        inputs = _interleaved(b, v.lanes, vecs, [b.add(tap, step) for tap in taps])
        for n, (x, weight) in enumerate(zip(inputs, weights)):
            acc[pixel * vecs + n] = madd(b, rung, acc[pixel * vecs + n], x, weight)
    return [at(b, w, vecs * v.lanes * 4), *acc]


def _interleaved(b: Any, lanes: int, vecs: int, taps: list[Any]) -> Iterator[Any]:
    """The activation operand of every vector of one pixel: in a lane, its channel at both taps."""
    places = _of_two(lanes).reshape(2, lanes) if vecs > 1 else [np.arange(lanes)]
    length = len(places) * lanes
    for first in range(0, vecs * lanes, length):
        earlier, later = (load(b, at(b, tap, first * 2), vector(i16, length), 1) for tap in taps)
        for channels in places:
            # element indices of the shuffle: channel c of the first tap, then channel c of the second, for every lane
            both = np.stack([channels, channels + length], 1).ravel()
            yield b.bitcast(shuffle(b, earlier, later, both), vector(i32, lanes))
