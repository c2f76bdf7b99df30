"""The compiled passes that compute: each reads its inputs once and writes its output once, and returns how many codes the
clamp changed.

One file, because the compile cache watches only the file of the cached function: a change of a helper in another file would
leave old code in the cache. The word of a pass is the type of its rule and factors, int32 or int64; words.py has proved that
nothing leaves it. Codes may be int16 or int32.

rule     half, look, mask, shift, lo, hi: how a sum is rounded and clamped (words.rule)
factors  the multipliers of a pass; in a cut pass each as a high and a low part (words.cut_factors)
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.extending import intrinsic

from hwsim.engine.host.jit import compiled

# To numba int32 + int32 is int64, which halves the lanes of a vector. All arithmetic on values therefore goes through _in_word();
# counters are cast by hand (np.int32), or the whole loop would be compiled in 64 bits because of them.

FEW = 8  # channels below which a loop over pixels is the longer one to have inside


def _in_word(name: str) -> Any:
    """An instruction on two integers in the type of the second: numba alone would widen everything to 64 bits."""
    @intrinsic
    def operation(typing: Any, first: Any, second: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = context.cast(builder, args[0], signature.args[0], signature.return_type)
            return getattr(builder, name)(value, args[1])
        return second(first, second), codegen
    return operation


@intrinsic
def _as(typing: Any, value: Any, like: Any) -> Any:
    """`value` in the type of `like`."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], signature.return_type)
    return like(value, like), codegen


_mul, _add, _right, _and, _xor = (_in_word(name) for name in ("mul", "add", "ashr", "and_", "xor"))


@njit
def _rounded(p: int, half: int, look: int, mask: int, shift: int) -> Any:
    """(p + half + (p >> look & mask)) >> shift: every rounding but gemmlowp, see words.rule()."""
    # one formula for all roundings: the rule is data, so that one compiled pass serves them all without a branch in its loop
    return _right(_add(_add(p, half), _and(_right(p, look), mask)), shift)


@njit
def _stored(value: int, lo: int, hi: int, y: np.ndarray, i: int) -> Any:
    """y[i] = value clamped; 1 where that changed it, as int32."""
    code = min(max(value, lo), hi)
    y[i] = code  # lo..hi fits the type of y, so that nothing is lost in the narrower store
    return np.int32(code != value)


@njit
def _row(x: np.ndarray, r: int) -> np.ndarray:
    """Row r; an only row serves all."""
    # min, not a branch on the shape: the row loop stays one loop for broadcast and full inputs
    return x[min(r, x.shape[0] - 1)]


@njit
def _add_row(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> Any:
    m, n = factors[0], factors[1]
    half, look, mask, shift, lo, hi = rule[0], rule[1], rule[2], rule[3], rule[4], rule[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        value = _rounded(_add(_mul(x[i], m), _mul(z[i], n)), half, look, mask, shift)
        changed = _add(_stored(value, lo, hi, y, i), changed)
    return changed


@compiled
def add(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> int:
    """y = x*m + z*n rounded and clamped; y (R,L), x and z (R or 1,L)."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _add_row(_row(x, r), _row(z, r), factors, rule, y[r])
    return changed


@njit
def _cut_rounded(top: int, bottom: int, cut: int, half_high: int, half_low: int, look: int, mask: int, shift: int) -> Any:
    """_rounded() of (top << cut) + bottom, which need not fit the word: the low part is shifted before it is added."""
    # exact, since floor((top * 2^cut + bottom) / 2^s) = (top + floor(bottom / 2^cut)) >> (s - cut). `look` sees the number at
    # 2^cut; the rounding constant is cut like the factors, and its low part is added to `bottom`.
    extra = _and(_right(_add(top, _right(bottom, cut)), look), mask)
    carried = _right(_add(_add(bottom, half_low), extra), cut)
    return _right(_add(_add(top, half_high), carried), shift)


@njit
def _add_cut_row(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> Any:
    cut, half_high, half_low = factors[0], factors[1], factors[2]
    m_high, m_low, n_high, n_low = factors[3], factors[4], factors[5], factors[6]
    look, mask, shift, lo, hi = rule[1], rule[2], rule[3], rule[4], rule[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        top, bottom = _add(_mul(x[i], m_high), _mul(z[i], n_high)), _add(_mul(x[i], m_low), _mul(z[i], n_low))
        value = _cut_rounded(top, bottom, cut, half_high, half_low, look, mask, shift)
        changed = _add(_stored(value, lo, hi, y, i), changed)
    return changed


@compiled
def add_cut(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> int:
    """As add() where the sum is wider than the word: each factor cut into high and low bits (words.cut_sum)."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _add_cut_row(_row(x, r), _row(z, r), factors, rule, y[r])
    return changed


@njit
def _multiply_row(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> Any:
    cut, half_high, half_low, high, low = factors[0], factors[1], factors[2], factors[3], factors[4]
    look, mask, shift, lo, hi = rule[1], rule[2], rule[3], rule[4], rule[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        # the product of two codes fits the word (words.cut_of has proved it); only that product times m is cut in two
        product = _mul(x[i], _as(z[i], high))
        value = _cut_rounded(_mul(product, high), _mul(product, low), cut, half_high, half_low, look, mask, shift)
        changed = _add(_stored(value, lo, hi, y, i), changed)
    return changed


@compiled
def multiply(x: np.ndarray, z: np.ndarray, factors: np.ndarray, rule: np.ndarray, y: np.ndarray) -> int:
    """y = x*z*m rounded and clamped, m cut into high and low bits as in add_cut(), shapes as add()."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _multiply_row(_row(x, r), _row(z, r), factors, rule, y[r])
    return changed


@njit
def _extreme_row(x: np.ndarray, z: np.ndarray, scale_x: np.ndarray, scale_z: np.ndarray, ends: np.ndarray, y: np.ndarray) -> Any:
    m, half, look, mask, shift = scale_x[0], scale_x[1], scale_x[2], scale_x[3], scale_x[4]
    n, half_z, look_z, mask_z, shift_z = scale_z[0], scale_z[1], scale_z[2], scale_z[3], scale_z[4]
    # flip is 0 or -1: XOR with -1 is the complement, which reverses the order of integers, so that max of those is min of these
    flip, lo, hi = ends[0], ends[1], ends[2]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        a = _xor(_rounded(_mul(x[i], m), half, look, mask, shift), flip)
        b = _xor(_rounded(_mul(z[i], n), half_z, look_z, mask_z, shift_z), flip)
        changed = _add(_stored(_xor(max(a, b), flip), lo, hi, y, i), changed)
    return changed


@compiled
def extreme(x: np.ndarray, z: np.ndarray, scale_x: np.ndarray, scale_z: np.ndarray, ends: np.ndarray, y: np.ndarray) -> int:
    """y = the larger of x and z, each rescaled, then clamped; the smaller where flip is -1. ends: flip, lo, hi."""
    changed = 0
    for r in range(y.shape[0]):
        changed += _extreme_row(_row(x, r), _row(z, r), scale_x, scale_z, ends, y[r])
    return changed


@njit
def _prelu_row(x: np.ndarray, fields: np.ndarray, lo: int, hi: int, y: np.ndarray) -> Any:
    positive, negative, half, look, mask, shift = fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]
    changed = np.int32(0)
    for i in range(y.shape[0]):
        up, down = positive[i], negative[i]
        # select the factor, then multiply once: a select between two products would multiply twice
        value = _mul(x[i], up if x[i] >= 0 else down)
        changed = _add(_stored(_rounded(value, half[i], look[i], mask[i], shift[i]), lo, hi, y, i), changed)
    return changed


@compiled
def prelu(x: np.ndarray, fields: np.ndarray, ends: np.ndarray, y: np.ndarray) -> int:
    """y = x * (positive or negative factor) rounded and clamped; x and y flat, fields (6,L) repeat along them."""
    # fields are laid out to REPEAT values by the caller: a loop over few channels would be all overhead
    changed, length = 0, fields.shape[1]
    for at in range(0, y.shape[0], length):
        changed += _prelu_row(x[at:at + length], fields, ends[0], ends[1], y[at:at + length])
    return changed


@njit
def _sum(x: np.ndarray, z: np.ndarray, y: np.ndarray) -> None:
    for i in range(y.shape[0]):
        # codes may be int16, but their sum has the type of y
        y[i] = _add(x[i], _as(z[i], y[i]))


@njit
def _more(x: np.ndarray, y: np.ndarray) -> None:
    """y += x."""
    for i in range(y.shape[0]):
        y[i] = _add(x[i], y[i])


@njit
def _clear(y: np.ndarray) -> None:
    for i in range(y.shape[0]):
        y[i] = 0


@njit
def _sum_rows(x: np.ndarray, low: int, end: int, y: np.ndarray) -> None:
    """y = the sum of rows low..end-1 of x."""
    # the first two rows are added straight into y: one pass over y less than clearing it and adding both
    first = low + 2
    if first <= end:
        _sum(x[low], x[low + 1], y)
    else:
        _clear(y)
        first = low
    for iy in range(first, end):
        _more(x[iy], y)


@njit
def _sum_columns(tall: np.ndarray, taps: int, channels: int, y: np.ndarray) -> None:
    """y[i] = the sum of tall[i + k*channels], k < taps."""
    # windows of all columns at once: one column on is `channels` values on, so that each tap is one long vector loop
    first = 2
    if first <= taps:
        _sum(tall, tall[channels:], y)
    else:
        _clear(y)
        first = 0
    for k in range(first, taps):
        _more(tall[channels * k:], y)


@njit
def _moved(x: np.ndarray, step: int, run: int, stride: int, y: np.ndarray) -> None:
    """y[w*stride + c] = x[w*step + c] for as many w as either holds."""
    count = min((x.shape[0] - run) // step, (y.shape[0] - run) // stride) + 1
    if run < FEW:
        for c in range(run):
            for w in range(count):
                # unsigned: numba would otherwise test every index for a negative one, which counts from the end
                y[np.uint64(w * stride + c)] = x[np.uint64(w * step + c)]
    else:
        for w in range(count):
            source, target = x[w * step:w * step + run], y[w * stride:w * stride + run]
            for c in range(run):
                target[c] = source[c]


@compiled
def average(x: np.ndarray, first: int, rows: np.ndarray, columns: np.ndarray, spans: np.ndarray, factors: np.ndarray,
            rules: np.ndarray, tall: np.ndarray, line: np.ndarray, sums: np.ndarray, y: np.ndarray) -> int:
    """y (R,OW*C): sums of windows as in moving.max_pool(), those of span s, values spans[s]..spans[s+1]-1, scaled by their own
    rule: windows at the border have fewer taps. factors (OH,SPANS,2), rules (OH,SPANS,6); the border of `tall` holds 0;
    where windows lie side by side, `sums` is `line`."""
    taps, step, channels, left = columns[0], columns[1], columns[2], columns[3]
    inner, changed = tall[left:left + x.shape[1]], 0
    for r in range(y.shape[0]):
        oy = first + r
        low, end = max(oy * rows[1] - rows[2], 0), min(oy * rows[1] - rows[2] + rows[0], x.shape[0])
        _sum_rows(x, low, end, inner)
        _sum_columns(tall, taps, channels, line)
        if step != channels:
            _moved(line, step, channels, channels, sums)
        # neighbouring windows with equally many taps share factor and shift: _add_row with the second factor 0 scales them
        for s in range(spans.shape[0] - 1):
            part = sums[spans[s]:spans[s + 1]]
            changed += _add_row(part, part, factors[oy, s], rules[oy, s], y[r, spans[s]:spans[s + 1]])
    return changed


@compiled
def totals(x: np.ndarray, y: np.ndarray) -> None:
    """y += the sum of all rows of x."""
    for r in range(x.shape[0]):
        _more(x[r], y)


@njit
def _blend(x: np.ndarray, z: np.ndarray, m: int, n: int, y: np.ndarray) -> None:
    for i in range(y.shape[0]):
        y[i] = _add(_mul(x[i], m), _mul(z[i], n))


@njit
def _tall_row(x: np.ndarray, sources: np.ndarray, heights: np.ndarray, tall: np.ndarray, channels: int) -> None:
    """A row blended from two, with its first and last column repeated."""
    # a repeated column clamps the sample position at the border without a test in the loop over columns
    last = tall.shape[0] - channels
    _blend(x[sources[0]], x[sources[1]], heights[0], heights[1], tall[channels:last])
    tall[:channels] = tall[channels:2 * channels]
    tall[last:] = tall[last - channels:last]


@compiled
def bilinear(x: np.ndarray, sources: np.ndarray, heights: np.ndarray, starts: np.ndarray, widths: np.ndarray, rule: np.ndarray,
             tall: np.ndarray, line: np.ndarray, y: np.ndarray) -> int:
    """y (R,OW*C): row r blends rows sources[r] of x (IH,IW*C) by heights[r], then phase j of its columns blends by widths[j]
    the columns from starts[j] on, counted with one repeated column on either side. tall, line: rows of so many columns."""
    channels, changed = (tall.shape[0] - line.shape[0]) // 2, 0
    for r in range(y.shape[0]):
        _tall_row(x, sources[r], heights[r], tall, channels)
        for j in range(starts.shape[0]):
            phase = tall[starts[j] * channels:]
            changed += _add_row(phase, phase[channels:], widths[j], rule, line)
            _moved(line, channels, channels, starts.shape[0] * channels, y[r, j * channels:])
    return changed


@compiled
def bilinear_cut(x: np.ndarray, sources: np.ndarray, heights: np.ndarray, starts: np.ndarray, widths: np.ndarray,
                 rule: np.ndarray, tall: np.ndarray, line: np.ndarray, y: np.ndarray) -> int:
    """As bilinear() where the blend of columns is wider than the word: their weights as in add_cut()."""
    channels, changed = (tall.shape[0] - line.shape[0]) // 2, 0
    for r in range(y.shape[0]):
        _tall_row(x, sources[r], heights[r], tall, channels)
        for j in range(starts.shape[0]):
            phase = tall[starts[j] * channels:]
            changed += _add_cut_row(phase, phase[channels:], widths[j], rule, line)
            _moved(line, channels, channels, starts.shape[0] * channels, y[r, j * channels:])
    return changed
