"""Random vector operators and moves for random_graphs.Builder: each function adds one node, or none where nothing fits."""
from fractions import Fraction

import numpy as np


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
    pads = []
    for size in b.shapes[name][1:3]:
        before = b.integer(0, min(2, size - 1))
        pads += [before, b.integer(0, min(2, size - before - 1))]
    b.add("crop", (name,), b.formats[name], crop=tuple(pads))


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


MAKERS = (qadd, qmul, _extreme("qmaximum"), _extreme("qminimum"), qconcat, identity, qprelu, qtable, max_pool, global_max_pool,
          qavg_pool, qglobal_avg_pool, qbilinear, upsample_nearest, depth_to_space, space_to_depth, pad, crop, slice_axis,
          reshape, flatten)
