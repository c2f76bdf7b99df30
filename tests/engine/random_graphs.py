"""Random integer networks of 3 to 12 nodes, made directly from codes: every operator, width, rounding and overflow mode.

random_network(seed) is a pure function of its seed.
"""
from collections import Counter
from fractions import Fraction

import numpy as np

from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer

ROUNDINGS = tuple(Rounding)
MODES = (Overflow.WRAP, Overflow.SATURATE)


class Builder:
    """Nodes so far with their shapes and formats, and what all nodes share."""

    def __init__(self, rng, datapath):
        self.rng, self.datapath = rng, datapath
        self.nodes, self.shapes, self.formats = [], {}, {}

    @property
    def gemmlowp(self):
        return self.datapath.rounding is Rounding.GEMMLOWP

    def integer(self, low, high):
        """An int in low..high."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, percent):
        return self.integer(1, 100) <= percent

    def choice(self, options):
        return options[self.integer(0, len(options) - 1)]

    def word(self):
        bits = self.integer(2, 16)
        kind = self.integer(0, 9)
        return IntFormat(bits, signed=kind != 0, narrow=kind == 1)

    def add(self, op, inputs, fmt, **params):
        node = Node.make(f"{op}{len(self.nodes)}", op, inputs, **params)
        self.nodes.append(node)
        self.formats[node.name] = fmt
        self.shapes = infer(Graph(tuple(self.nodes), self.sources, (node.name,)), {n: self.shapes[n] for n in self.sources})

    @property
    def sources(self):
        return tuple(n.name for n in self.nodes if n.op == "input")

    def image(self, largest=400):
        """The name of a random tensor of rank 4 with at most `largest` pixels, else of the first input."""
        return self.choice([n for n, s in self.shapes.items() if len(s) == 4 and np.prod(s[1:3]) <= largest] or ["in0"])

    def tensor(self):
        return self.choice(list(self.shapes))

    def range(self, fmt):
        """lo and hi: the whole word, a ReLU, or something tighter."""
        kind = self.integer(0, 3)
        if kind == 0:
            ends = sorted((self.integer(fmt.min, fmt.max), self.integer(fmt.min, fmt.max)))
            return {"lo": ends[0], "hi": ends[1]}
        return {"lo": max(fmt.min, 0) if kind == 1 else fmt.min, "hi": fmt.max}

    def factor(self, in_bits, out_bits):
        """(m, shift) that brings `in_bits` to about `out_bits`; sometimes far off, sometimes the largest shift."""
        if self.chance(4):
            return self.integer(0, (1 << self.datapath.mult_bits) - 1), 62
        m = self.integer(1 << (self.datapath.mult_bits - 2), (1 << self.datapath.mult_bits) - 1)
        shift = in_bits + self.datapath.mult_bits - out_bits + self.integer(-2, 1)
        return m, min(max(shift, 31 if self.gemmlowp else 0), 62)


def random_network(seed):
    """(IntegerGraph, inputs) number `seed`."""
    rng = np.random.default_rng(seed)
    b = Builder(rng, _datapath(rng, seed))
    for index in range(b.integer(1, 2) if b.chance(20) else 1):
        shape = (b.integer(1, 9), b.integer(1, 9), b.choice([1, 2, 3, 4, 5, 8, 15, 16, 17, 20]))
        name = f"in{index}"
        b.nodes.append(Node.make(name, "input", shape=shape, index=index))
        b.shapes[name], b.formats[name] = (1 + seed % 2, *shape), b.word()
    MAKERS[seed % len(MAKERS)](b)
    length = b.integer(3, 12)
    while len(b.nodes) < length:
        b.choice(MAKERS)(b)
    read = Counter(name for node in b.nodes for name in node.inputs)
    outputs = tuple(node.name for node in b.nodes if not read[node.name])
    graph = Graph(tuple(b.nodes), b.sources, outputs)
    scales = {node.name: Fraction(1) for node in b.nodes}
    inputs = {n: _codes(b, b.formats[n], b.shapes[n]) for n in b.sources}
    return IntegerGraph(graph, b.formats, scales, b.datapath, {}), inputs


def _datapath(rng, seed):
    rounding = ROUNDINGS[seed % len(ROUNDINGS)]
    gemmlowp = rounding is Rounding.GEMMLOWP
    acc_bits = int(rng.integers(8, 25)) if rng.integers(0, 4) else int(rng.integers(25, 49))
    return Datapath(acc_bits=acc_bits, acc_mode=MODES[seed // len(ROUNDINGS) % 2], rounding=rounding,
                    mult_bits=31 if gemmlowp or rng.integers(0, 5) == 0 else int(rng.integers(4, 32)),
                    folded=gemmlowp or bool(rng.integers(0, 2)), tn=1 << int(rng.integers(0, 6)), tm=1 << int(rng.integers(0, 6)))


def _codes(b, fmt, shape):
    """Random codes with both ends of the word among them."""
    codes = b.rng.integers(fmt.min, fmt.max + 1, shape)
    ends = b.rng.integers(0, 8, shape)
    return np.where(ends == 0, fmt.min, np.where(ends == 1, fmt.max, codes))


def _weights(b, oc, kh, kw, ic):
    """Params codes, w_format, w_bits: linear of 2..16 bits, or log with one or two words of 2..5 bits."""
    stlq = b.chance(35)
    bits = b.integer(2, 5) if stlq else b.integer(2, 16)
    words = b.integer(1, 2) if stlq else 1
    codes = _codes(b, IntFormat(bits), (words, oc, kh, kw, ic))
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


def _partners(b, name):
    """Tensors that join `name` without growing past it on more than broadcast axes."""
    shape = b.shapes[name]
    return [n for n, s in b.shapes.items() if len(s) == len(shape) and all(x in (1, y) for x, y in zip(s[1:], shape[1:]))]


def _inputs(b, least, most):
    name = b.tensor()
    others = [b.choice(_partners(b, name)) for _ in range(b.integer(least, most) - 1)]
    names = [name, *others]
    b.rng.shuffle(names)
    return tuple(map(str, names))


def qadd(b):
    names, fmt = _inputs(b, 1, 4), b.word()
    limit = (1 << b.datapath.mult_bits) - 1
    shift = b.factor(max(b.formats[n].bits for n in names), fmt.bits)[1]
    b.add("qadd", names, fmt, m=b.rng.integers(-limit, limit + 1, len(names)), shift=shift, **b.range(fmt))


def qmul(b):
    names, fmt = _inputs(b, 2, 2), b.word()
    m, shift = b.factor(sum(b.formats[n].bits for n in names) - 1, fmt.bits)
    b.add("qmul", names, fmt, m=m, shift=shift, **b.range(fmt))


def _factors(b, names, fmt):
    """m and shift per input; some inputs pass as they are."""
    pairs = [(1, 0) if b.chance(30) else b.factor(b.formats[n].bits, fmt.bits) for n in names]
    m, shift = zip(*pairs)
    return {"m": np.array(m), "shift": np.array(shift), **b.range(fmt)}


def _extreme(op):
    def make(b):
        names, fmt = _inputs(b, 2, 3), b.word()
        b.add(op, names, fmt, **_factors(b, names, fmt))
    return make


def qconcat(b):
    name, fmt = b.tensor(), b.word()
    shape = b.shapes[name]
    axis = b.integer(1, len(shape) - 1)
    fitting = [n for n, s in b.shapes.items() if len(s) == len(shape)
               and all(x == y for i, (x, y) in enumerate(zip(s, shape)) if i != axis)]
    names = tuple(b.choice(fitting) for _ in range(b.integer(1, 3)))
    b.add("qconcat", names, fmt, axis=axis, **_factors(b, names, fmt))


def qprelu(b):
    name, fmt = b.tensor(), b.word()
    place = b.shapes[name][-3 if len(b.shapes[name]) == 4 and b.chance(60) else -1:]
    if np.prod(place) > 400:
        return
    m, shift = zip(*(b.factor(b.formats[name].bits, fmt.bits) for _ in range(int(np.prod(place)))))
    limit = (1 << b.datapath.mult_bits) - 1
    b.add("qprelu", (name,), fmt, m_pos=np.array(m).reshape(place), shift=np.array(shift).reshape(place),
          m_neg=b.rng.integers(-limit, limit + 1, place), **b.range(fmt))


def qtable(b):
    name, fmt = b.tensor(), b.word()
    read = b.formats[name]
    b.add("qtable", (name,), fmt, table=b.rng.integers(fmt.min, fmt.max + 1, read.max - read.min + 1))


def _pool_window(b, shape):
    kernel = tuple(b.integer(1, min(3, size)) for size in shape[1:3])
    padding = "same" if b.chance(50) else tuple(b.integer(0, k - 1) for k in kernel for _ in (0, 1))
    return {"kernel": kernel, "stride": (b.integer(1, 3), b.integer(1, 3)), "padding": padding}


def max_pool(b):
    name = b.image(100)
    b.add("max_pool", (name,), b.formats[name], **_pool_window(b, b.shapes[name]))


def qavg_pool(b):
    name, fmt = b.image(100), b.word()
    window = _pool_window(b, b.shapes[name])
    taps = b.rng.permutation(np.arange(1, 10))
    m, shift = zip(*(b.factor(b.formats[name].bits + 1, fmt.bits) for _ in taps))
    b.add("qavg_pool", (name,), fmt, **window, taps=taps, m=np.array(m), shift=np.array(shift), **b.range(fmt))


def global_max_pool(b):
    name = b.image()
    b.add("global_max_pool", (name,), b.formats[name], keepdims=b.chance(60))


def qglobal_avg_pool(b):
    name, fmt = b.image(), b.word()
    ratio = (b.integer(1, 1000), 1000 if b.gemmlowp else b.integer(1, 1000))
    mult_bits = b.datapath.mult_bits
    if Fraction(*ratio) < (1 << mult_bits) - 1 and not (b.gemmlowp and ratio[0] * 2 > 1000):
        b.add("qglobal_avg_pool", (name,), fmt, keepdims=b.chance(60), ratio=ratio, mult_bits=mult_bits, **b.range(fmt))


def qbilinear(b):
    name, fmt = b.image(36), b.word()
    if not b.gemmlowp:
        b.add("qbilinear", (name,), fmt, factor=(b.integer(1, 4), b.integer(1, 4)), **b.range(fmt))


def upsample_nearest(b):
    name = b.image(36)
    b.add("upsample_nearest", (name,), b.formats[name], factor=(b.integer(1, 3), b.integer(1, 3)))


def depth_to_space(b):
    name = b.image(100)
    blocks = [k for k in (1, 2, 3, 4) if b.shapes[name][3] % k ** 2 == 0]
    b.add("depth_to_space", (name,), b.formats[name], block=b.choice(blocks), order=b.choice(["DCR", "CRD"]))


def space_to_depth(b):
    name = b.image(400)
    h, w, c = b.shapes[name][1:]
    blocks = [k for k in (1, 2, 3, 4) if h % k == 0 and w % k == 0 and c * k * k <= 64] or [1]
    b.add("space_to_depth", (name,), b.formats[name], block=b.choice(blocks))


def pad(b):
    name = b.image(64)
    b.add("pad", (name,), b.formats[name], pad=tuple(b.integer(0, 2) for _ in range(4)))


def crop(b):
    name = b.image()
    found = []
    for size in b.shapes[name][1:3]:
        before = b.integer(0, min(2, size - 1))
        found += [before, b.integer(0, min(2, size - before - 1))]
    b.add("crop", (name,), b.formats[name], crop=tuple(found))


def slice_axis(b):
    name = b.tensor()
    axis = b.integer(1, len(b.shapes[name]) - 1)
    start = b.integer(0, b.shapes[name][axis] - 1)
    b.add("slice", (name,), b.formats[name], axis=axis, start=start, stop=b.integer(start + 1, b.shapes[name][axis]))


def reshape(b):
    name = b.tensor()
    shape = list(b.shapes[name][1:])
    b.rng.shuffle(shape)
    if b.chance(50):
        shape[b.integer(0, len(shape) - 1)] = -1
    b.add("reshape", (name,), b.formats[name], shape=tuple(map(int, shape)))


def flatten(b):
    name = b.tensor()
    b.add("flatten", (name,), b.formats[name])


def identity(b):
    name = b.tensor()
    b.add("identity", (name,), b.formats[name])


# array layers stand several times: they are what there is most to get wrong in
MAKERS = (conv2d, conv2d, conv2d, conv2d, conv2d, conv2d_transpose, conv2d_transpose, conv2d_transpose, dense, dense, qadd, qmul,
          _extreme("qmaximum"), _extreme("qminimum"), qconcat, identity, qprelu, qtable, max_pool, global_max_pool, qavg_pool,
          qglobal_avg_pool, qbilinear, upsample_nearest, depth_to_space, space_to_depth, pad, crop, slice_axis, reshape,
          flatten)
