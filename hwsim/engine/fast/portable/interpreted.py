"""The accumulation of compiled.py in numpy, int64 throughout: for hosts where numba may not compile (NUMBA_DISABLE_JIT=1).

The same functions, the same arguments, the same bits.
"""
from __future__ import annotations

from typing import Any

import numpy as np


def _gather(x: np.ndarray, first: int, count: int, geometry: tuple[int, ...], offsets: np.ndarray, size: int) -> np.ndarray:
    """int64 (count,size): the lanes of all taps of `count` pixels, 0 outside the image and in lanes without a tap."""
    sh, sw, dh, dw, top, left, kw, ow = geometry
    oy, ox = np.divmod(np.arange(first, first + count), ow)
    patches = np.zeros((count, size), np.int64)
    for tap, at in enumerate(offsets):
        iy, ix = oy * sh + tap // kw * dh - top, ox * sw + tap % kw * dw - left
        inside = (iy >= 0) & (iy < x.shape[0]) & (ix >= 0) & (ix < x.shape[1])
        patches[inside, at:at + x.shape[2]] = x[iy[inside], ix[inside]]
    return patches


def plain(x: np.ndarray, first: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray, bias: np.ndarray,
          word: type[Any], low: int, high: int, acc: np.ndarray) -> None:
    """Fills acc int64 (P,OC) as compiled.plain() does; weights (OC padded to 4, size)."""
    patches = _gather(x, first, len(acc), geometry, offsets, weights.shape[1])
    total = bias + patches @ weights[:len(bias)].T.astype(np.int64)
    acc[:] = ((total - low) & (high - low)) + low


def depthwise_plain(x: np.ndarray, first: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray,
                    bias: np.ndarray, word: type[Any], low: int, high: int, acc: np.ndarray) -> None:
    """Fills acc int64 (P,C) as compiled.depthwise_plain() does; weights (KH*KW,C)."""
    patches = _gather(x, first, len(acc), geometry, offsets, weights.size)
    total = bias + (patches.reshape(-1, *weights.shape) * weights).sum(1)
    acc[:] = ((total - low) & (high - low)) + low


def beats(x: np.ndarray, first: int, number: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray,
          bias: np.ndarray, wraps: bool, low: int, high: int, tm: int, acc: np.ndarray, seen: np.ndarray,
          marks: np.ndarray) -> int:
    """Fills acc int64 (P,OC), seen (2,OC) and marks (2,COT) as compiled.beats() does; returns the events."""
    beat_count, words, lanes = weights.shape[:3]
    channels = weights.shape[-1]
    low, high = int(low), int(high)
    patches = _gather(x, first, len(acc), geometry, offsets, beat_count * lanes)
    stored = exact = np.broadcast_to(bias.astype(np.int64), acc.shape)
    pixels = (number + np.arange(len(acc)))[:, None]
    events = 0
    for b in range(beat_count):
        patch = patches[:, b * lanes:(b + 1) * lanes]
        for word in range(words):
            w = weights[b, word].astype(np.int64)
            tree = patch @ w if w.ndim == 2 else patch * w
            exact, total = exact + tree, stored + tree
            np.minimum(seen[0], exact.min(0), out=seen[0])
            np.maximum(seen[1], exact.max(0), out=seen[1])
            outside = (total < low) | (total > high)
            if outside.any():
                events += int(np.count_nonzero(outside))
                keys = ((pixels * beat_count + b) * words + word) * channels + np.arange(channels)
                _mark(outside, keys, total, tm, marks)
            stored = ((total - low) & (high - low)) + low if wraps else np.clip(total, low, high)
    acc[:] = stored
    return events


def _mark(outside: np.ndarray, keys: np.ndarray, total: np.ndarray, tm: int, marks: np.ndarray) -> None:
    for at in np.argwhere(outside.any(1))[:, 0]:
        for oc in np.flatnonzero(outside[at]):
            if keys[at, oc] < marks[0, oc // tm]:
                marks[:, oc // tm] = keys[at, oc], total[at, oc]
