"""The compiled passes that change no value: tables, places, maxima; each reads its inputs once and writes its output once.

One file, as arithmetic.py. Loops with the channel inside suit many channels, loops with the pixel inside few. Codes may be int16
or int32.
"""
import numpy as np
from numba import njit

from hwsim.engine.kernels.compiling import compiled

FEW = 16           # neighbours below which a loop over pixels is the longer one to have inside
ACROSS = 1 << 11   # values that stay in the first cache while they are visited channel by channel


@compiled
def table(x, entries, y):
    """y = entries[the low 16 bits of x]; entries 65536."""
    for i in range(y.shape[0]):
        y[i] = entries[np.uint16(x[i])]


@compiled
def spread(x, index, y):
    """y[r] = x[r, index], rows of y (R,L)."""
    for r in range(y.shape[0]):
        row, out = x[r], y[r]
        for i in range(out.shape[0]):
            out[i] = row[np.uint32(index[i])]


@compiled
def box_along(x, y, counts, source, target):
    """y[r*tr + j*tj + w*tw + k] = x[r*sr + j*sj + w*sw + k] for all r, j, w, k of counts: runs of k."""
    for r in range(counts[0]):
        for j in range(counts[1]):
            for w in range(counts[2]):
                at, to = r * source[0] + j * source[1] + w * source[2], r * target[0] + j * target[1] + w * target[2]
                one, other = x[at:at + counts[3]], y[to:to + counts[3]]
                for k in range(counts[3]):
                    other[k] = one[k]


@compiled
def box_across(x, y, counts, source, target):
    """The same with strides of k, source[3] and target[3], w inside."""
    step, stride = source[2], target[2]
    block = max(16, ACROSS // max(step, stride, 1))
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
def _most(x, z, y):
    for i in range(y.shape[0]):
        y[i] = max(x[i], z[i])


@njit
def _most_along(tall, taps, step, run, next_tap, y):
    """y[w*run + c] = the largest of tall[w*step + k*next_tap + c], k < taps: c inside."""
    for w in range(y.shape[0] // run):
        at, out = w * step, y[w * run:(w + 1) * run]
        _most(tall[at:at + run], tall[at + next_tap * min(taps - 1, 1):], out)
        for k in range(2, taps):
            _most(out, tall[at + k * next_tap:], out)


@njit
def _most_across(tall, taps, step, run, next_tap, y):
    """The same, w inside."""
    for c in range(run):
        for w in range(y.shape[0] // run):
            best = tall[np.uint64(w * step + c)]
            for k in range(1, taps):
                best = max(best, tall[np.uint64(w * step + k * next_tap + c)])
            y[np.uint64(w * run + c)] = best


@compiled
def max_pool(x, first, rows, columns, tall, y):
    """y (R,OW*C): rows `first`.. of the maxima of x (IH,IW*C). rows: KH, SH, top; columns: KW, SW*C, run, C, left*C.

    tall: one row with its border, which holds the least code; run: values of y that are neighbours in tall too.
    """
    taps, step, run, channels, left = columns[0], columns[1], columns[2], columns[3], columns[4]
    inner = tall[left:left + x.shape[1]]
    for r in range(y.shape[0]):
        start = (first + r) * rows[1] - rows[2]
        low, end = max(start, 0), min(start + rows[0], x.shape[0])
        _most(x[low], x[min(low + 1, end - 1)], inner)
        for iy in range(low + 2, end):
            _most(inner, x[iy], inner)
        if run < FEW:
            _most_across(tall, taps, step, run, channels, y[r])
        else:
            _most_along(tall, taps, step, run, channels, y[r])


@compiled
def tops(x, y):
    """y = the largest of y and all rows of x."""
    for r in range(x.shape[0]):
        _most(y, x[r], y)
