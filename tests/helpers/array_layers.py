"""Array layers made from codes, and the one network around a layer through which an engine runs it."""
from fractions import Fraction

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node

ACT = IntFormat(11)


def conv(in_shape=(8, 8, 20), oc=24, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="same", groups=1, unfolded=False,
         w_format="linear", w_bits=8, words=1, flags=None, seed=0, rowpack=False, bias=None):
    """A qconv2d node of random codes; flags: bool (COT,CIT,KH,KW), the second word is 0 elsewhere."""
    rng = np.random.default_rng(seed)
    top = (1 << (w_bits - 1)) - 1
    codes = rng.integers(-top, top + 1, (words, oc, *kernel, in_shape[2] // groups))
    if words == 2 and flags is not None:
        codes[1] *= spread(flags, codes.shape[1:], groups == oc > 1)
    late = {"alpha_q": rng.integers(-40000, 40000, oc) % 32768, "m2": rng.integers(1, 1 << 15, oc), "shift2": np.full(oc, 14)}
    m_pos, m_neg = rng.integers(1, 1 << 15, oc), rng.integers(-(1 << 14), 1 << 14, oc)
    return Node.make("conv", "qconv2d", ("x",), codes=codes, bias=rng.integers(-5000, 5000, oc) if bias is None else bias,
                     m_pos=m_pos, m_neg=m_pos if unfolded else m_neg, shift=np.full(oc, 24),
                     lo=ACT.min, hi=ACT.max, w_format=w_format, w_bits=w_bits, flags=flags, stride=stride, dilation=dilation,
                     padding=padding, groups=groups, rowpack=rowpack, **(late if unfolded else {}))


def spread(flags, shape, depthwise, size=16):
    """Tile flags as a mask over weights (OC,KH,KW,IC)."""
    mask = np.repeat(np.repeat(flags, size, axis=0)[:shape[0]], 1 if depthwise else size, axis=1)[:, :shape[3]]
    return mask.transpose(0, 2, 3, 1)


def network(node, in_shape, datapath, act=ACT):
    """The IntegerGraph input -> node."""
    graph = Graph((Node.make("x", "input", shape=tuple(in_shape)), node), ("x",), (node.name,))
    return IntegerGraph(graph, {"x": act, node.name: act}, {"x": Fraction(1), node.name: Fraction(1)}, datapath, {})


def image(in_shape, seed=1, fmt=ACT, n=1):
    return np.random.default_rng(seed).integers(fmt.min, fmt.max + 1, (n, *in_shape))
