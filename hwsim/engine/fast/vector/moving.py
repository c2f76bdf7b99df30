"""The compiled passes that change no value: tables, places, maxima; each reads its inputs once and writes its output once.

One file, for the compile cache's sake, as arithmetic.py. Loops with the channel inside suit many channels, loops with the pixel
inside few. Codes may be int16 or int32.
"""
from __future__ import annotations

import numpy as np
from numba import njit

from hwsim.engine.host.jit import compiled

FEW = 4            # neighbours below which a loop over pixels is the longer one to have inside
ACROSS = 1 << 15   # bytes that stay in the first cache while they are visited channel by channel


@compiled
def table(x: np.ndarray, entries: np.ndarray, y: np.ndarray) -> None:
    """y = entries[the low 16 bits of x]; entries 65536."""
    for i in range(y.shape[0]):
        y[i] = entries[np.uint16(x[i])]  # unsigned and below 65536: neither a bounds check nor a test for a negative index


@compiled
def spread(x: np.ndarray, index: np.ndarray, y: np.ndarray) -> None:
    """y[r] = x[r, index], rows of y (R,L)."""
    for r in range(y.shape[0]):
        row, out = x[r], y[r]
        for i in range(out.shape[0]):
            out[i] = row[np.uint32(index[i])]


@compiled
def box_along(x: np.ndarray, y: np.ndarray, box: np.ndarray) -> None:
    """y[r*tr + j*tj + w*tw + k] = x[r*sr + j*sj + w*sw + k] for all r, j, w, k: runs of k. box: counts, strides s, strides t."""
    counts, source, target = box[0], box[1], box[2]
    for r in range(counts[0]):
        for j in range(counts[1]):
            for w in range(counts[2]):
                at, to = r * source[0] + j * source[1] + w * source[2], r * target[0] + j * target[1] + w * target[2]
                run, place = x[at:at + counts[3]], y[to:to + counts[3]]  # slices first: the loop is then a plain vector copy
                for k in range(counts[3]):
                    place[k] = run[k]


@compiled
def box_across(x: np.ndarray, y: np.ndarray, box: np.ndarray) -> None:
    """The same with strides of k too, w inside."""
    counts, source, target = box[0], box[1], box[2]
    step, stride = source[2], target[2]
    # columns in blocks that stay in the first cache: each cache line is visited once per channel, and would be fetched as often
    block = max(16, ACROSS // (max(step, stride, 1) * y.itemsize))
    for r in range(counts[0]):
        for first in range(0, counts[2], block):
            count = min(block, counts[2] - first)
            for j in range(counts[1]):
                for k in range(counts[3]):
                    at = r * source[0] + j * source[1] + first * step + k * source[3]
                    to = r * target[0] + j * target[1] + first * stride + k * target[3]
                    for w in range(count):
                        y[np.uint64(to + w * stride)] = x[np.uint64(at + w * step)]


@njit
def _most(x: np.ndarray, z: np.ndarray, y: np.ndarray) -> None:
    for i in range(y.shape[0]):
        y[i] = max(x[i], z[i])


@njit
def _raise(x: np.ndarray, y: np.ndarray) -> None:
    """As _most() in place: an array that is read and written under two names would not be vectorised."""
    for i in range(y.shape[0]):
        y[i] = max(y[i], x[i])


@njit
def _most_columns(tall: np.ndarray, taps: int, channels: int, y: np.ndarray) -> None:
    """y[i] = the largest of tall[i + k*channels], k < taps."""
    # the first two taps at once, as in arithmetic._sum_columns; a window of one tap takes the same column twice
    _most(tall, tall[channels * min(taps - 1, 1):], y)
    for k in range(2, taps):
        _raise(tall[channels * k:], y)


@njit
def _picked(x: np.ndarray, step: int, run: int, y: np.ndarray) -> None:
    """y[w*run + c] = x[w*step + c]."""
    if run < FEW:
        for c in range(run):
            for w in range(y.shape[0] // run):
                y[np.uint64(w * run + c)] = x[np.uint64(w * step + c)]
    else:
        for w in range(y.shape[0] // run):
            pixel, place = x[w * step:w * step + run], y[w * run:(w + 1) * run]
            for c in range(run):
                place[c] = pixel[c]


@compiled
def max_pool(x: np.ndarray, first: int, rows: np.ndarray, columns: np.ndarray, tall: np.ndarray, line: np.ndarray,
             y: np.ndarray) -> None:
    """y (R,OW*C): rows `first`.. of the maxima of x (IH,IW*C). rows: KH, SH, top; columns: KW, SW*C, C, left*C.

    tall: one row with its border, which holds the least code; line: the maxima of windows at every column.
    """
    taps, step, channels, left = columns[0], columns[1], columns[2], columns[3]
    inner = tall[left:left + x.shape[1]]
    for r in range(y.shape[0]):
        start = (first + r) * rows[1] - rows[2]
        low, end = max(start, 0), min(start + rows[0], x.shape[0])
        _most(x[low], x[min(low + 1, end - 1)], inner)
        for iy in range(low + 2, end):
            _raise(x[iy], inner)
        if step == channels:  # stride 1: windows of neighbouring outputs are neighbours, no column is left out
            _most_columns(tall, taps, channels, y[r])
        else:
            _most_columns(tall, taps, channels, line)
            _picked(line, step, channels, y[r])


@compiled
def tops(x: np.ndarray, y: np.ndarray) -> None:
    """y = the largest of y and all rows of x."""
    for r in range(x.shape[0]):
        _raise(x[r], y)
