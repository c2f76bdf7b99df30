"""The compiled passes that compute: each reads its inputs once and writes its output once, and returns how many codes the
clamp changed.

One file, because the compile cache watches only the file of the cached function. The word of a pass is the type of its rule and
factors, int32 or int64; words.py has proved that nothing leaves it. Codes may be int16 or int32.
"""
import numpy as np
from numba import njit
from numba.extending import intrinsic

from hwsim.engine.kernels.compiling import compiled

FEW = 16  # channels below which a loop over pixels is the longer one to have inside


def _in_word(name):
    """An instruction on two integers in the type of the second: numba alone would widen everything to 64 bits."""
    @intrinsic
    def operation(typing, one, other):
        def made(context, builder, signature, args):
            value = context.cast(builder, args[0], signature.args[0], signature.return_type)
            return getattr(builder, name)(value, args[1])
        return other(one, other), made
    return operation


_mul, _add, _right, _and, _xor = (_in_word(name) for name in ("mul", "add", "ashr", "and_", "xor"))


@njit
def _rounded(p, half, look, mask, shift):
    """(p + half + (p >> look & mask)) >> shift: every rounding but gemmlowp, see words.rule()."""
    return _right(_add(_add(p, half), _and(_right(p, look), mask)), shift)


@njit
def _stored(value, lo, hi, y, i):
    """y[i] = value clamped; 1 where that changed it, as int32."""
    code = min(max(value, lo), hi)
    y[i] = code
    return np.int32(code != value)


@njit
def _row(x, r):
    """Row r; an only row serves all."""
    return x[min(r, x.shape[0] - 1)]


@njit
def _add_row(x, z, factors, rule, y):
    m, n = factors[0], factors[1]
    half, look, mask, shift, lo, hi = rule[0], rule[1], rule[2], rule[3], rule[4], rule[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        value = _rounded(_add(_mul(x[i], m), _mul(z[i], n)), half, look, mask, shift)
        changed = _add(_stored(value, lo, hi, y, i), changed)
    return changed


@compiled
def add(x, z, factors, rule, y):
    """y = x*m + z*n rounded and clamped; y (R,L), x and z (R or 1,L)."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _add_row(_row(x, r), _row(z, r), factors, rule, y[r])
    return changed


@njit
def _multiply_row(x, z, factors, rule, y):
    high, low, cut, half_high, half_low = factors[0], factors[1], factors[2], factors[3], factors[4]
    look, mask, shift, lo, hi = rule[1], rule[2], rule[3], rule[4], rule[5]
    one = factors[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        product = _mul(x[i], _mul(z[i], one))
        top, bottom = _mul(product, high), _mul(product, low)
        extra = _and(_right(_add(top, _right(bottom, cut)), look), mask)
        carried = _right(_add(_add(bottom, half_low), extra), cut)
        value = _right(_add(_add(top, half_high), carried), shift)
        changed = _add(_stored(value, lo, hi, y, i), changed)
    return changed


@compiled
def multiply(x, z, factors, rule, y):
    """y = x*z*m rounded and clamped, m cut into high and low bits (words.cut_rule), shapes as add()."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _multiply_row(_row(x, r), _row(z, r), factors, rule, y[r])
    return changed


@njit
def _extreme_row(x, z, one, other, ends, y):
    m, half, look, mask, shift = one[0], one[1], one[2], one[3], one[4]
    n, half_z, look_z, mask_z, shift_z = other[0], other[1], other[2], other[3], other[4]
    flip, lo, hi = ends[0], ends[1], ends[2]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        a = _xor(_rounded(_mul(x[i], m), half, look, mask, shift), flip)
        b = _xor(_rounded(_mul(z[i], n), half_z, look_z, mask_z, shift_z), flip)
        changed = _add(_stored(_xor(max(a, b), flip), lo, hi, y, i), changed)
    return changed


@compiled
def extreme(x, z, one, other, ends, y):
    """y = the larger of x and z, each rescaled, then clamped; the smaller where flip is -1. ends: flip, lo, hi."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _extreme_row(_row(x, r), _row(z, r), one, other, ends, y[r])
    return changed


@njit
def _prelu_row(x, fields, lo, hi, y):
    positive, negative, half, look, mask, shift = fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        up, down = positive[i], negative[i]
        value = _mul(x[i], up if x[i] >= 0 else down)
        changed = _add(_stored(_rounded(value, half[i], look[i], mask[i], shift[i]), lo, hi, y, i), changed)
    return changed


@compiled
def prelu(x, fields, ends, y):
    """y = x * (positive or negative factor) rounded and clamped; x and y flat, fields (6,L) repeat along them."""
    changed, length = 0, fields.shape[1]
    for at in range(0, y.shape[0], length):
        changed += _prelu_row(x[at:at + length], fields, ends[0], ends[1], y[at:at + length])
    return changed


@njit
def _sum(x, z, two, y):
    """y = x + z*two, two 0 or 1."""
    for i in range(y.shape[0]):
        y[i] = x[i] + z[i] * two


@njit
def _sum_along(tall, taps, step, run, next_tap, y):
    """y[w*run + c] = the sum of tall[w*step + k*next_tap + c], k < taps: c inside."""
    two = min(taps - 1, 1)
    for w in range(y.shape[0] // run):
        at, out = w * step, y[w * run:(w + 1) * run]
        _sum(tall[at:at + run], tall[at + next_tap * two:], two, out)
        for k in range(2, taps):
            _sum(out, tall[at + k * next_tap:], 1, out)


@njit
def _sum_across(tall, taps, step, run, next_tap, y):
    """The same, w inside."""
    for c in range(run):
        for w in range(y.shape[0] // run):
            value = tall[np.uint64(w * step + c)]
            for k in range(1, taps):
                value = _add(tall[np.uint64(w * step + k * next_tap + c)], value)
            y[np.uint64(w * run + c)] = value


@compiled
def average(x, first, rows, columns, spans, factors, rules, y):
    """y (R,OW*C): sums of windows as in max_pool(), those of span s, values spans[s]..spans[s+1]-1, scaled by their own rule.

    factors (OH,SPANS,2), rules (OH,SPANS,6): windows at the border have fewer taps. columns[5]: the length of `tall`.
    """
    taps, step, run, channels, left = columns[0], columns[1], columns[2], columns[3], columns[4]
    tall, sums = np.zeros(columns[5], rules.dtype), np.empty(y.shape[1], rules.dtype)
    inner, changed = tall[left:left + x.shape[1]], 0
    for r in range(y.shape[0]):
        oy = first + r
        low, end = max(oy * rows[1] - rows[2], 0), min(oy * rows[1] - rows[2] + rows[0], x.shape[0])
        _sum(x[low], x[min(low + 1, end - 1)], min(end - low - 1, 1), inner)
        for iy in range(low + 2, end):
            _sum(inner, x[iy], 1, inner)
        if run < FEW:
            _sum_across(tall, taps, step, run, channels, sums)
        else:
            _sum_along(tall, taps, step, run, channels, sums)
        for s in range(spans.shape[0] - 1):
            part = sums[spans[s]:spans[s + 1]]
            changed += _add_row(part, part, factors[oy, s], rules[oy, s], y[r, spans[s]:spans[s + 1]])
    return changed


@compiled
def totals(x, y):
    """y += the sum of all rows of x."""
    for r in range(x.shape[0]):
        _sum(y, x[r], 1, y)


@njit
def _interleaved(x, run, stride, y):
    """y[w*stride + c] = x[w*run + c]."""
    if run < FEW:
        for c in range(run):
            for w in range(x.shape[0] // run):
                y[np.uint64(w * stride + c)] = x[np.uint64(w * run + c)]
    else:
        for w in range(x.shape[0] // run):
            one, other = x[w * run:(w + 1) * run], y[w * stride:w * stride + run]
            for c in range(run):
                other[c] = one[c]


@njit
def _blend(x, z, m, n, y):
    for i in range(y.shape[0]):
        y[i] = x[i] * m + z[i] * n


@compiled
def bilinear(x, sources, heights, starts, widths, rule, channels, y):
    """y (R,OW*C): row r blends rows sources[r] of x (IH,IW*C) by heights[r], then phase j of its columns blends by widths[j]
    the columns from starts[j] on, counted with one repeated column on either side."""
    tall, made = np.empty(x.shape[1] + 2 * channels, rule.dtype), np.empty(x.shape[1], y.dtype)
    inner, last, changed = tall[channels:channels + x.shape[1]], tall.shape[0] - channels, 0
    for r in range(y.shape[0]):
        _blend(x[sources[r, 0]], x[sources[r, 1]], heights[r, 0], heights[r, 1], inner)
        tall[:channels] = inner[:channels]
        tall[last:] = tall[last - channels:last]
        for j in range(starts.shape[0]):
            at = starts[j] * channels
            changed += _add_row(tall[at:at + made.shape[0]], tall[at + channels:], widths[j], rule, made)
            _interleaved(made, channels, starts.shape[0] * channels, y[r, j * channels:])
    return changed
