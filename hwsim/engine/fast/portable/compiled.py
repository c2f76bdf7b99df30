"""Accumulation compiled by numba: plain dot products, or beat by beat with the overflow rule and the counters.

Every function fills acc int64 (P,OC) for output pixels first..first+P-1 (oy*OW + ox) of one image x int32 (IH,IW,IC).
geometry: (SH, SW, DH, DW, top, left, KW, OW). Callers have checked shapes and widths (plan.py, layer.py).
"""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.engine.host.jit import compiled

BLOCK = 8          # pixels that share a pass over the weights, beat by beat
PATCH_BYTES = 1 << 15


@compiled
def _gather(x: np.ndarray, first: int, count: int, geometry: tuple[int, ...], offsets: np.ndarray, patches: np.ndarray) -> None:
    """patches[i, offset of (ky,kx) + ic] = x[oy*SH+ky*DH-top, ox*SW+kx*DW-left, ic], 0 outside; other lanes keep 0."""
    sh, sw, dh, dw, top, left, kw, ow = geometry
    ih, iw, ic = x.shape
    for i in range(count):
        oy, ox = (first + i) // ow, (first + i) % ow
        for tap in range(offsets.shape[0]):
            iy, ix = oy * sh + (tap // kw) * dh - top, ox * sw + (tap % kw) * dw - left
            at = offsets[tap]
            if 0 <= iy < ih and 0 <= ix < iw:
                for c in range(ic):
                    patches[i, at + c] = x[iy, ix, c]
            else:
                for c in range(ic):
                    patches[i, at + c] = 0


@compiled
def _dots(patches: np.ndarray, weights: np.ndarray, word: type[Any], sums: np.ndarray) -> None:
    """sums[p, oc] = patches[p] . weights[oc] in tiles of 4 x 4; both counts are multiples of 4. T keeps narrow sums narrow."""
    T = word
    for o in range(0, weights.shape[0], 4):
        w0, w1, w2, w3 = weights[o], weights[o + 1], weights[o + 2], weights[o + 3]
        for p in range(0, patches.shape[0], 4):
            x0, x1, x2, x3 = patches[p], patches[p + 1], patches[p + 2], patches[p + 3]
            s00, s01, s02, s03 = T(0), T(0), T(0), T(0)
            s10, s11, s12, s13 = T(0), T(0), T(0), T(0)
            s20, s21, s22, s23 = T(0), T(0), T(0), T(0)
            s30, s31, s32, s33 = T(0), T(0), T(0), T(0)
            for k in range(patches.shape[1]):
                a0, a1, a2, a3 = T(x0[k]), T(x1[k]), T(x2[k]), T(x3[k])
                b0, b1, b2, b3 = T(w0[k]), T(w1[k]), T(w2[k]), T(w3[k])
                s00, s01, s02, s03 = T(s00 + a0 * b0), T(s01 + a0 * b1), T(s02 + a0 * b2), T(s03 + a0 * b3)
                s10, s11, s12, s13 = T(s10 + a1 * b0), T(s11 + a1 * b1), T(s12 + a1 * b2), T(s13 + a1 * b3)
                s20, s21, s22, s23 = T(s20 + a2 * b0), T(s21 + a2 * b1), T(s22 + a2 * b2), T(s23 + a2 * b3)
                s30, s31, s32, s33 = T(s30 + a3 * b0), T(s31 + a3 * b1), T(s32 + a3 * b2), T(s33 + a3 * b3)
            sums[p, o], sums[p, o + 1], sums[p, o + 2], sums[p, o + 3] = s00, s01, s02, s03
            sums[p + 1, o], sums[p + 1, o + 1], sums[p + 1, o + 2], sums[p + 1, o + 3] = s10, s11, s12, s13
            sums[p + 2, o], sums[p + 2, o + 1], sums[p + 2, o + 2], sums[p + 2, o + 3] = s20, s21, s22, s23
            sums[p + 3, o], sums[p + 3, o + 1], sums[p + 3, o + 2], sums[p + 3, o + 3] = s30, s31, s32, s33


@compiled
def plain(x: np.ndarray, first: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray, bias: np.ndarray,
          word: type[Any], low: int, high: int, acc: np.ndarray) -> None:
    """acc = wrap(bias + dot product), weights (OC padded to 4, size); sums are kept in `word`."""
    size, pixels = weights.shape[1], acc.shape[0]
    block = max(4, PATCH_BYTES // (size * weights.itemsize) // 4 * 4)
    patches = np.zeros((block, size), weights.dtype)
    sums = np.empty((block, weights.shape[0]), np.int64)
    for p in range(0, pixels, block):
        count = min(block, pixels - p)
        _gather(x, first + p, count, geometry, offsets, patches)
        whole = (count + 3) // 4 * 4
        _dots(patches[:whole], weights, word, sums)
        for i in range(count):
            for oc in range(bias.shape[0]):
                acc[p + i, oc] = ((bias[oc] + sums[i, oc] - low) & (high - low)) + low


@compiled
def depthwise_plain(x: np.ndarray, first: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray,
                    bias: np.ndarray, word: type[Any], low: int, high: int, acc: np.ndarray) -> None:
    """As plain(), weights (KH*KW,C): channel c meets only its own kernel."""
    sh, sw, dh, dw, top, left, kw, ow = geometry
    for i in range(acc.shape[0]):
        oy, ox = (first + i) // ow, (first + i) % ow
        acc[i] = bias
        for tap in range(weights.shape[0]):
            iy, ix = oy * sh + (tap // kw) * dh - top, ox * sw + (tap % kw) * dw - left
            if 0 <= iy < x.shape[0] and 0 <= ix < x.shape[1]:
                for c in range(weights.shape[1]):
                    acc[i, c] += np.int64(x[iy, ix, c]) * weights[tap, c]
        for c in range(weights.shape[1]):
            acc[i, c] = ((acc[i, c] - low) & (high - low)) + low


@compiled
def _trees(patches: np.ndarray, count: int, weights: np.ndarray, tree: np.ndarray) -> None:
    """tree[p, oc] = sum over the beat's lanes of patches[p, lane] * weights[lane, oc]."""
    lanes, channels = weights.shape
    for p in range(count):
        for oc in range(channels):
            tree[p, oc] = 0
    for lane in range(0, lanes - 3, 4):
        w0, w1, w2, w3 = weights[lane], weights[lane + 1], weights[lane + 2], weights[lane + 3]
        for p in range(count):
            x0, x1, x2, x3 = patches[p, lane], patches[p, lane + 1], patches[p, lane + 2], patches[p, lane + 3]
            for oc in range(channels):
                tree[p, oc] += x0 * w0[oc] + x1 * w1[oc] + x2 * w2[oc] + x3 * w3[oc]
    for lane in range(lanes // 4 * 4, lanes):
        for p in range(count):
            for oc in range(channels):
                tree[p, oc] += patches[p, lane] * weights[lane, oc]


@compiled
def _beat(count: int, wraps: bool, low: int, high: int, stored: np.ndarray, exact: np.ndarray, tree: np.ndarray,
          least: np.ndarray, most: np.ndarray) -> int:
    """Adds one beat's trees to `count` pixels; leaves in `tree` the exact sums before the overflow rule. Returns the events."""
    events = 0
    for p in range(count):
        for oc in range(tree.shape[1]):
            true = exact[p, oc] + tree[p, oc]
            exact[p, oc] = true
            least[oc] = min(least[oc], true)
            most[oc] = max(most[oc], true)
            total = stored[p, oc] + tree[p, oc]
            tree[p, oc] = total
            events += (total < low) | (total > high)
            stored[p, oc] = ((total - low) & (high - low)) + low if wraps else min(max(total, low), high)
    return events


@compiled
def _mark(count: int, key: int, step: int, low: int, high: int, tm: int, tree: np.ndarray, marks: np.ndarray) -> None:
    """Keeps in marks int64 (2,COT) each output tile's event of lowest key; pixel p's keys are key + p*step + oc."""
    latest = marks[0].max()
    for p in range(count):
        if key + p * step < latest:
            for oc in range(tree.shape[1]):
                if tree[p, oc] < low or tree[p, oc] > high:
                    if key + p * step + oc < marks[0, oc // tm]:
                        marks[0, oc // tm] = key + p * step + oc
                        marks[1, oc // tm] = tree[p, oc]


@compiled
def _diagonal(patches: np.ndarray, count: int, weights: np.ndarray, tree: np.ndarray) -> None:
    """tree[p, c] = patches[p, c] * weights[c]: a depthwise beat."""
    for p in range(count):
        for c in range(weights.shape[0]):
            tree[p, c] = patches[p, c] * weights[c]


@compiled
def beats(x: np.ndarray, first: int, number: int, geometry: tuple[int, ...], offsets: np.ndarray, weights: np.ndarray,
          bias: np.ndarray, wraps: bool, low: int, high: int, tm: int, acc: np.ndarray, seen: np.ndarray,
          marks: np.ndarray) -> int:
    """acc after all beats in order; weights (BEATS,WORDS,TN,OC) or depthwise (BEATS,WORDS,C), whose type every sum has.

    number: the first pixel's number in the batch, for the keys of `marks`. seen (2,OC): least and largest exact partial
    sums. Returns the events.
    """
    beat_count, words, channels = weights.shape[0], weights.shape[1], weights.shape[-1]
    lanes = weights.shape[2]
    patches = np.zeros((BLOCK, beat_count * lanes), weights.dtype)
    stored = np.empty((BLOCK, channels), weights.dtype)
    exact, tree = np.empty_like(stored), np.empty_like(stored)
    events, step = 0, beat_count * words * channels
    for p in range(0, acc.shape[0], BLOCK):
        count = min(BLOCK, acc.shape[0] - p)
        _gather(x, first + p, count, geometry, offsets, patches)
        stored[:] = bias
        exact[:] = bias
        for b in range(beat_count):
            patch = patches[:, b * lanes:(b + 1) * lanes]
            for word in range(words):
                if weights.ndim == 4:
                    _trees(patch, count, weights[b, word], tree)
                else:
                    _diagonal(patch, count, weights[b, word], tree)
                hits = _beat(count, wraps, low, high, stored, exact, tree, seen[0], seen[1])
                if hits:
                    events += hits
                    _mark(count, (number + p) * step + (b * words + word) * channels, step, low, high, tm, tree, marks)
        acc[p:p + count] = stored[:count]
    return events
