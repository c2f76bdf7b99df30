"""Random array layers for random_graphs.Builder: each function adds one node, or none where nothing fits."""
import numpy as np

from hwsim.fixed.formats import IntFormat


def _weights(b, oc, kh, kw, ic):
    """Params codes, w_format, w_bits: linear of 2..16 bits, or log with one or two words of 2..5 bits."""
    stlq = b.chance(35)
    bits = b.integer(2, 5) if stlq else b.integer(2, 16)
    words = b.integer(1, 2) if stlq else 1
    codes = b.codes(IntFormat(bits), (words, oc, kh, kw, ic))
    if words == 2:
        codes[1] = np.where(b.rng.integers(0, 2, codes[1].shape), codes[1], 0)
    return {"codes": codes, "w_format": "stlq" if stlq else "linear", "w_bits": bits}


def _requantization(b, oc, fmt, sum_bits):
    """Bias, multipliers, shifts and clamp of an array layer whose sums have about `sum_bits` bits."""
    acc = b.datapath.acc_format
    bias = np.clip(b.rng.integers(-(1 << sum_bits), (1 << sum_bits) + 1, oc), acc.min, acc.max)
    bits = min(sum_bits, b.datapath.acc_bits)
    limit = (1 << b.datapath.mult_bits) - 1
    m, shift = (np.array(f) for f in zip(*(b.factor(bits, fmt.bits) for _ in range(oc))))
    params = {"bias": bias, "m_pos": m, "shift": shift, **b.range(fmt)}
    if b.datapath.folded:
        kind = b.integer(0, 2)
        return params | {"m_neg": (m * 0, m, b.rng.integers(-limit, limit + 1, oc))[kind]}
    m2, shift2 = (np.array(f) for f in zip(*(b.factor(fmt.bits, fmt.bits) for _ in range(oc))))
    alpha = (np.full(oc, 1 << 14), np.zeros(oc, np.int64), b.rng.integers(-(1 << 15) + 1, 1 << 15, oc))[b.integer(0, 2)]
    return params | {"m_neg": m, "alpha_q": alpha, "m2": m2, "shift2": shift2}


def _sum_bits(b, weights, name, taps):
    reach = weights["w_bits"] if weights["w_format"] == "linear" else 1 << (weights["w_bits"] - 1)
    return min(b.formats[name].bits + reach + taps.bit_length() // 2 - 1, 46)


def _array(b, op, name, shape, **geometry):
    weights, fmt = _weights(b, *shape), b.word()
    oc, kh, kw, ic = shape
    b.add(op, (name,), fmt, **weights, **_requantization(b, oc, fmt, _sum_bits(b, weights, name, kh * kw * ic)), **geometry)


def conv2d(b):
    name = b.image(150)
    channels = b.shapes[name][3]
    groups, icg, oc = _grouping(b, channels)
    kernel, dilation = (b.integer(1, 4), b.integer(1, 4)), (b.integer(1, 2), b.integer(1, 2))
    _array(b, "qconv2d", name, (oc, *kernel, icg), groups=groups, stride=(b.integer(1, 3), b.integer(1, 3)),
           dilation=dilation, padding=_padding(b, b.shapes[name], kernel, dilation), rowpack=b.chance(30))


def _grouping(b, channels):
    """(groups, IC of a group, OC): ordinary, depthwise, depthwise with a multiplier, or grouped."""
    kind = b.integer(0, 5)
    if kind == 0:
        return channels, 1, channels
    if kind == 1 and channels <= 8:
        return channels, 1, channels * b.integer(2, 3)
    divisors = [g for g in range(2, min(channels, 5) + 1) if channels % g == 0]
    if kind == 2 and divisors:
        groups = b.choice(divisors)
        return groups, channels // groups, groups * b.integer(1, 5)
    return 1, channels, b.choice([1, 3, 4, 15, 16, 17, 33])


def _padding(b, shape, kernel, dilation):
    if b.chance(40):
        return "same"
    pads = []
    for axis in (0, 1):
        before = b.integer(0, 2)
        room = (kernel[axis] - 1) * dilation[axis] + 1 - shape[1 + axis] - before
        pads += [before, max(room, 0) + b.integer(0, 2)]
    return tuple(pads)


def conv2d_transpose(b):
    name = b.image(64)
    stride, kernel = (b.integer(1, 4), b.integer(1, 4)), (b.integer(1, 4), b.integer(1, 4))
    crop = []
    for axis in (0, 1):
        full = (b.shapes[name][1 + axis] - 1) * stride[axis] + kernel[axis]
        before = b.integer(-1, min(2, full - 1))
        crop += [before, b.integer(-1, min(2, full - before - 1))]
    _array(b, "qconv2d_transpose", name, (b.integer(1, 9), *kernel, b.shapes[name][3]), stride=stride, crop=tuple(crop))


def dense(b):
    name = b.tensor()
    if b.shapes[name][-1] <= 600:
        _array(b, "qdense", name, (b.integer(1, 18), 1, 1, b.shapes[name][-1]))
