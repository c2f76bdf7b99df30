"""The reduction of an array layer as runs: contiguous stretches of inputs, in an order that the mode allows.

A run starts at (row, column, channel) of the window and walks through memory: channels first, then columns.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.ops.layer import ArrayLayer


@dataclass(frozen=True, eq=False)
class Reduction:
    """weights int64 (OC,RUNS,LENGTH); starts int64 (RUNS,3): row, column and channel of a run's first input.

    beat: inputs per beat, a divisor of LENGTH; 0 where the order is free and a run has no beats.
    """

    weights: np.ndarray
    starts: np.ndarray
    beat: int = 0

    def offsets(self, row: int, pixel: int, item: int) -> np.ndarray:
        """Byte offset of every run for these steps in bytes."""
        return np.ascontiguousarray(self.starts @ np.array([row, pixel, item]), np.int64)

    def shortened(self, length: int) -> Reduction:
        """The same sums in runs of at most `length` inputs, of equal length; only for a free order."""
        oc, runs, old = self.weights.shape
        pieces = -(-old // length)
        if pieces == 1:
            return self
        length = -(-old // pieces)
        full = np.zeros((oc, runs, pieces * length), np.int64)
        full[..., :old] = self.weights
        starts = np.repeat(self.starts, pieces, axis=0)
        starts[:, 2] += np.tile(np.arange(pieces) * length, runs)
        return Reduction(full.reshape(oc, runs * pieces, length), starts)

    def one_by_one(self) -> Reduction:
        """The same beats in the same order, one in each run."""
        oc, runs, length = self.weights.shape
        beats = length // self.beat
        starts = np.repeat(self.starts, beats, axis=0)
        starts[:, 2] += np.tile(np.arange(beats) * self.beat, runs)
        return Reduction(self.weights.reshape(oc, runs * beats, length // beats), starts)

    def paired(self) -> Reduction:
        """Runs of one input two by two: weights (OC,RUNS/2,2), and still a start for each; an odd last one comes twice, with a
        weight of 0.
        """
        # an odd last run is paired with itself at weight 0: any readable address will do, and its own is one
        odd = self.weights.shape[1] % 2
        full = np.pad(self.weights, ((0, 0), (0, odd), (0, 0)))
        return Reduction(full.reshape(len(full), -1, 2), np.concatenate([self.starts, self.starts[len(self.starts) - odd:]]))

    def cut(self, first: int, last: int) -> Reduction:
        """The runs first..last-1 alone."""
        return Reduction(self.weights[:, first:last], self.starts[first:last], self.beat)


def free_order(layer: ArrayLayer, weights: np.ndarray) -> Reduction:
    """The Reduction of exact sums: as few and as long runs as the dilation allows. weights (OC,KH,KW,IC)."""
    oc, kh, kw, ic = weights.shape
    dy, dx = layer.dilation
    if layer.depthwise or dx > 1:  # a run per tap: neighbouring taps are not neighbours in memory
        return Reduction(weights.reshape(oc, kh * kw, ic), _taps(kh, kw, dy, dx))
    starts = np.zeros((kh, 3), np.int64)
    starts[:, 0] = np.arange(kh) * dy
    return Reduction(weights.reshape(oc, kh, kw * ic), starts)


def beat_order(layer: ArrayLayer, weights: np.ndarray, tn: int) -> Reduction:
    """The Reduction in the order of the beats (ky, kx, cit, word), or (ky, chunk, word). weights (WORDS,OC,KH,KW,IC)."""
    words, oc, kh, kw, ic = weights.shape
    dy, dx = layer.dilation
    if layer.depthwise:
        return _per_word(weights.reshape(words, oc, kh * kw, ic), _taps(kh, kw, dy, dx), 1)
    if layer.rowpack:
        starts = np.zeros((kh, 3), np.int64)
        starts[:, 0] = np.arange(kh) * dy
        return _per_word(weights.reshape(words, oc, kh, kw * ic), starts, tn)
    # beats that fill whole multiples of tn channels follow each other in memory: a kernel row is one run of kw * ic / tn beats
    if words == 1 and dx == 1 and ic % tn == 0 and tn > 1:
        in_rows = free_order(layer, weights[0])
        return Reduction(in_rows.weights, in_rows.starts, tn)
    return _per_word(weights.reshape(words, oc, kh * kw, ic), _taps(kh, kw, dy, dx), tn)


def _taps(kh: int, kw: int, dy: int, dx: int) -> np.ndarray:
    ky, kx = np.indices((kh, kw)).reshape(2, -1)
    return np.stack([ky * dy, kx * dx, np.zeros_like(ky)], 1)


def _per_word(weights: np.ndarray, starts: np.ndarray, tn: int) -> Reduction:
    """Runs cut into beats of tn inputs, the last filled up with zero weights; beats of two words follow each other."""
    words, oc, runs, length = weights.shape
    tn = min(tn, length + length % 2)  # a beat that is never full is as long as its inputs
    beats = -(-length // tn)
    full = np.zeros((words, oc, runs, beats * tn), np.int64)
    full[..., :length] = weights
    if words == 1 and tn > 1:
        return Reduction(full[0], starts, tn)
    split = full.reshape(words, oc, runs, beats, tn).transpose(1, 2, 3, 0, 4).reshape(oc, runs * beats * words, tn)
    moved = np.repeat(starts, beats * words, axis=0)
    moved[:, 2] += np.tile(np.repeat(np.arange(beats) * tn, words), runs)
    return Reduction(split, moved, tn)
