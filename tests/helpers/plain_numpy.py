"""What an array node outputs and counts, written from spec/arithmetic.md sections 2 to 5 in plain numpy: a third implementation.

It shares no code with an engine and none of their order: all beats of a layer are one array (BEATS,N,OH,OW,OC), and what
follows from them are sums along it. int64 where that is proven to hold every value, else Python integers.
"""
from dataclasses import dataclass

import numpy as np

from hwsim.fixed.formats import Overflow, Rounding


@dataclass(frozen=True, eq=False)
class Outcome:
    """codes (N,OH,OW,OC), dense (N,...,OC); first: (suffix, n, cot, oy, ox, oc, ky, kx, cit, word, value) or None.

    In mode `error` with an event only `first` has a meaning: the run stops there.
    """

    codes: np.ndarray
    events: int
    first: tuple | None
    low: np.ndarray
    high: np.ndarray
    clamped: int


@dataclass(frozen=True, eq=False)
class Beats:
    """A layer of the node: its output's place, and per beat an address (ky, kx, cit, word) and a tree (N,OH,OW,OC).

    cit is None where the input tile is the output's own.
    """

    suffix: str
    rows: slice
    cols: slice
    channels: slice
    addresses: list
    trees: np.ndarray


def evaluate(node, x, context):
    """The Outcome of a qconv2d, qconv2d_transpose or qdense node on codes x."""
    p, datapath, fmt = node.params, context.datapath, context.in_formats[0]
    weights = _integer_weights(p)
    assert int(np.abs(weights).sum()) * max(-fmt.min, fmt.max) + int(np.abs(p["bias"]).max()) < 1 << 62
    parts = list(_LAYERS[node.op](p, weights, x.astype(np.int64), datapath.tn))
    results = [_accumulated(part, p["bias"][part.channels], datapath) for part in parts]
    acc = _together([result.acc for result in results], parts)
    value = _requantized(acc, p, 1 << (context.out_format.bits - 1), datapath.rounding)
    codes = np.where(value < p["lo"], p["lo"], np.where(value > p["hi"], p["hi"], value))
    low, high = (_extremes(parts, [getattr(r, end) for r in results], choose, acc.shape[3])
                 for end, choose in (("low", np.minimum), ("high", np.maximum)))
    first = next((result.first for result in results if result.first), None)
    shape = (*x.shape[:-1], -1) if node.op == "qdense" else acc.shape
    return Outcome(codes.astype(np.int64).reshape(shape), sum(r.events for r in results), first, low, high,
                   int((codes != value).sum()))


def _integer_weights(p):
    """(WORDS,OC,KH,KW,IC) int64; a log code q stands for sign(q) * 2^(E-|q|), 0 for 0."""
    codes = p["codes"].astype(np.int64)
    if p["w_format"] == "linear":
        return codes
    return np.sign(codes) * (1 << ((1 << (p["w_bits"] - 1)) - np.abs(codes)))


# ---- layers and their beats

def _taken(x, rows, cols):
    """x at every (row, column), 0 outside the image: (N,len(rows),len(cols),IC)."""
    (height, width), (rows, cols) = x.shape[1:3], (np.asarray(rows), np.asarray(cols))
    inside = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))
    return x[:, rows.clip(0, height - 1)][:, :, cols.clip(0, width - 1)] * inside[..., None]


def _window(size, kernel, stride, dilation, padding, axis):
    """(outputs, padding before) on one axis."""
    reach, step = (kernel[axis] - 1) * dilation[axis] + 1, stride[axis]
    if padding != "same":
        before, after = padding[2 * axis:2 * axis + 2]
        return (size + before + after - reach) // step + 1, before
    outputs = (size + step - 1) // step
    return outputs, max((outputs - 1) * step + reach - size, 0) // 2


def _convolution(p, w, x, tn):
    oc, (kh, kw), icg = w.shape[1], w.shape[2:4], w.shape[4]
    (oh, top), (ow, left) = (_window(x.shape[1 + a], (kh, kw), p["stride"], p["dilation"], p["padding"], a) for a in (0, 1))
    rows = [np.arange(oh) * p["stride"][0] + ky * p["dilation"][0] - top for ky in range(kh)]
    cols = [np.arange(ow) * p["stride"][1] + kx * p["dilation"][1] - left for kx in range(kw)]
    everything, groups = slice(None), p["groups"]
    if groups > 1 and icg == 1 and oc == groups:
        yield Beats("", everything, everything, everything, *_depthwise(w, x, rows, cols))
        return
    for g in range(groups):
        outs, ins = slice(g * (oc // groups), (g + 1) * (oc // groups)), slice(g * icg, (g + 1) * icg)
        beats = (_packed_rows if p["rowpack"] else _by_taps)(w[:, outs], x[..., ins], rows, cols, tn)
        yield Beats(f".g{g}" if groups > 1 else "", everything, everything, outs, *beats)


def _by_taps(w, x, rows, cols, tn):
    """(addresses, trees) in the order ky, kx, cit, word."""
    addresses, trees = [], []
    for ky, kx in np.ndindex(len(rows), len(cols)):
        taken = _taken(x, rows[ky], cols[kx])
        for cit, word in np.ndindex(-(-x.shape[3] // tn), len(w)):
            lanes = slice(cit * tn, cit * tn + tn)
            addresses.append((ky, kx, cit, word))
            trees.append(np.matmul(taken[..., lanes], w[word, :, ky, kx, lanes].T))
    return addresses, np.stack(trees)


def _packed_rows(w, x, rows, cols, tn):
    """(addresses, trees) in the order ky, chunk, word: lane kx*IC + ic of a kernel row, TN lanes at a time."""
    addresses, trees, lanes = [], [], len(cols) * x.shape[3]
    for ky in range(len(rows)):
        taken = np.concatenate([_taken(x, rows[ky], col) for col in cols], axis=3)
        for chunk, word in np.ndindex(-(-lanes // tn), len(w)):
            weights = w[word, :, ky].reshape(-1, lanes)[:, chunk * tn:chunk * tn + tn]
            addresses.append((ky, 0, chunk, word))
            trees.append(np.matmul(taken[..., chunk * tn:chunk * tn + tn], weights.T))
    return addresses, np.stack(trees)


def _depthwise(w, x, rows, cols):
    addresses = [(ky, kx, None, word) for ky in range(len(rows)) for kx in range(len(cols)) for word in range(len(w))]
    return addresses, np.stack([_taken(x, rows[ky], cols[kx]) * w[word, :, ky, kx, 0] for ky, kx, _, word in addresses])


def _transposed(p, w, x, tn):
    """Output row oy of the full image takes input row iy by tap ky where iy*SH + ky = oy; the inputs of a phase in order."""
    (sh, sw), (top, bottom, left, right), (kh, kw) = p["stride"], p["crop"], w.shape[2:4]
    oh, ow = (x.shape[1] - 1) * sh + kh - top - bottom, (x.shape[2] - 1) * sw + kw - left - right
    for py in range(min(sh, oh)):
        for px in range(min(sw, ow)):
            here = slice(py, oh, sh), slice(px, ow, sw)
            taps_y, rows = _phase(np.arange(oh)[here[0]] + top, sh, kh)
            taps_x, cols = _phase(np.arange(ow)[here[1]] + left, sw, kw)
            if taps_y and taps_x:
                beats = _by_taps(w[:, :, taps_y][:, :, :, taps_x], x, rows, cols, tn)
            else:  # one tap of zeros, whose beats are counted
                beats = _by_taps(w[:, :, :1, :1] * 0, x, [np.arange(oh)[here[0]]], [np.arange(ow)[here[1]]], tn)
            yield Beats(f".p{py}{px}" if max(sh, sw) <= 10 else f".p{py}_{px}", *here, slice(None), *beats)


def _phase(outputs, stride, kernel):
    """(taps, input positions per tap) of outputs that are all equal modulo the stride, the lowest input first."""
    found = sorted((int(outputs[0] - k) // stride, k) for k in range(kernel) if (outputs[0] - k) % stride == 0)
    return [k for _, k in found], [(outputs - k) // stride for _, k in found]


def _dense(p, w, x, tn):
    columns = x.shape[-2] if x.ndim > 2 else 1
    image = x.reshape(len(x), -1, columns, x.shape[-1])
    rows, cols = [np.arange(image.shape[1])], [np.arange(columns)]
    yield Beats("", slice(None), slice(None), slice(None), *_by_taps(w, image, rows, cols, tn))


_LAYERS = {"qconv2d": _convolution, "qconv2d_transpose": _transposed, "qdense": _dense}


# ---- accumulators

@dataclass(frozen=True, eq=False)
class Sums:
    acc: np.ndarray
    events: int
    first: tuple | None
    low: np.ndarray
    high: np.ndarray


def _accumulated(part, bias, datapath):
    """The Sums of a layer: exact partial sums run along the beats; what a beat meets is the accumulator stored before it."""
    half = 1 << (datapath.acc_bits - 1)
    exact = bias + np.cumsum(part.trees, axis=0)
    if datapath.acc_mode is Overflow.SATURATE:
        met, acc = _saturating(part.trees, bias, half)
    else:
        before = np.concatenate([np.broadcast_to(bias, exact[:1].shape), _modulo(exact[:-1], half)])
        met, acc = before + part.trees, _modulo(exact[-1], half)
    outside = (met < -half) | (met >= half)
    return Sums(acc, int(outside.sum()), _first(part, met, outside, datapath.tm) if outside.any() else None,
                exact.min((0, 1, 2, 3)), exact.max((0, 1, 2, 3)))


def _modulo(value, half):
    return (value + half) % (2 * half) - half


def _saturating(trees, bias, half):
    """(sum met by every beat, accumulator in the end)."""
    met, stored = np.empty_like(trees), np.broadcast_to(bias, trees.shape[1:])
    for beat, tree in enumerate(trees):
        met[beat] = stored + tree
        stored = np.where(met[beat] < -half, -half, np.where(met[beat] >= half, half - 1, met[beat]))
    return met, stored


def _first(part, met, outside, tm):
    """The event of lowest (n, cot, oy, ox, beat, oc)."""
    beat, n, oy, ox, oc = (index.astype(np.int64) for index in np.nonzero(outside))
    _, _, rows, cols, channels = met.shape
    order = ((((n * channels + oc // tm) * rows + oy) * cols + ox) * len(met) + beat) * channels + oc
    beat, n, oy, ox, oc = (int(index[order.argmin()]) for index in (beat, n, oy, ox, oc))
    ky, kx, cit, word = part.addresses[beat]
    return (part.suffix, n, oc // tm, oy, ox, oc, ky, kx, oc // tm if cit is None else cit, word, int(met[beat, n, oy, ox, oc]))


def _together(accs, parts):
    """The accumulators of all layers at their places in the node's output."""
    rows = sum({part.rows.start: acc.shape[1] for acc, part in zip(accs, parts)}.values())
    cols = sum({part.cols.start: acc.shape[2] for acc, part in zip(accs, parts)}.values())
    channels = sum({part.channels.start: acc.shape[3] for acc, part in zip(accs, parts)}.values())
    tensor = np.empty((len(accs[0]), rows, cols, channels), np.int64)
    for acc, part in zip(accs, parts):
        tensor[:, part.rows, part.cols, part.channels] = acc
    return tensor


def _extremes(parts, ends, choose, channels):
    extremes = [None] * channels
    for part, end in zip(parts, ends):
        for oc, value in zip(range(channels)[part.channels], end):
            extremes[oc] = value if extremes[oc] is None else choose(extremes[oc], value)
    return np.array(extremes)


# ---- requantization

def _requantized(acc, p, half_word, rounding):
    """round(acc * m, s) before the clamp to lo..hi; unfolded: with the saturations between the steps."""
    product = int(np.abs(acc).max()) * max(int(np.abs(p["m_pos"]).max()), int(np.abs(p["m_neg"]).max()))
    if product + (1 << 62) >= 1 << 63:
        acc = acc.astype(object)
    if p["alpha_q"] is None:
        return _rounded(acc * np.where(acc >= 0, p["m_pos"], p["m_neg"]), p["shift"], rounding)
    t = _saturated(_rounded(acc * p["m_pos"], p["shift"], rounding), half_word)
    slope = _saturated(_rounded(t * p["alpha_q"], np.int64(14), rounding), half_word)
    return _rounded(np.where(t < 0, slope, t) * p["m2"], p["shift2"], rounding)


def _saturated(value, half):
    return np.where(value < -half, -half, np.where(value >= half, half - 1, value))


def _rounded(product, s, rounding):
    """Section 4, rule by rule; half is 0 where s is 0, where every rule leaves the product as it is."""
    one = np.ones_like(product)
    half = (one << s) >> 1
    if rounding is Rounding.FLOOR:
        return product >> s
    if rounding is Rounding.HALF_UP:
        return (product + half) >> s
    if rounding is Rounding.HALF_AWAY:
        return np.where(product < 0, -((-product + half) >> s), (product + half) >> s)
    if rounding is Rounding.HALF_EVEN:
        whole, rest = product >> s, product - (product >> s << s)
        return whole + np.where((rest > half) | ((rest == half) & (whole % 2 == 1) & (half > 0)), 1, 0)
    return _gemmlowp(product, s)


def _gemmlowp(product, s):
    moved = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(moved < 0, -(-moved // (1 << 31)), moved // (1 << 31))
    high = _saturated(high, 1 << 31)
    return _rounded(high, s - 31, Rounding.HALF_AWAY)
