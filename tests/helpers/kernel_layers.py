"""An ordinary array node for tests that set one thing, and the comparison that they use."""
from dataclasses import replace

import numpy as np

from hwsim.engine import reference
from hwsim.engine.context import Context
from hwsim.engine.fast.backend import KERNELS
from hwsim.engine.fast.table import run_node
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.graph.node import Node


def on_rung(node, x, context, rung):
    """(codes, LayerStats) of the fast engine with the kernels of one instruction set alone."""
    return run_node(node, [x], context, replace(KERNELS, rungs=(rung,)))


def assert_exact(node, x, context, rung):
    """Codes and counters equal to the reference's."""
    expected, counters = reference.ENGINE.run_node(node, [x], context)
    result, others = on_rung(node, x, context, rung)
    assert others.first == counters.first
    if context.datapath.acc_mode is Overflow.ERROR and counters.first is not None:
        return  # the run stops here, codes and counts are never seen
    np.testing.assert_array_equal(result, expected)
    assert (others.events, others.clamped) == (counters.events, counters.clamped)
    for one, other in ((counters.observed_min, others.observed_min), (counters.observed_max, others.observed_max)):
        assert (one is None and other is None) or one.tolist() == other.tolist()


def plain_layer(oc, ic, kernel, hw, bits=11, **changes):
    """A qconv2d node with `same` padding and ordinary weights, and its input; for tests that set one thing."""
    r = np.random.default_rng(oc * 1000 + ic)
    end = 1 << (bits - 1)
    params = {"codes": r.integers(-127, 128, (1, oc, *kernel, ic)), "bias": r.integers(-999, 1000, oc),
              "m_pos": r.integers(1 << 15, 1 << 16, oc), "m_neg": r.integers(1 << 12, 1 << 14, oc),
              "shift": r.integers(23, 27, oc), "lo": -end, "hi": end - 1, "padding": "same", **changes}
    node = Node.make("layer", "qconv2d", ("x",), **params)
    return node, r.integers(-end, end, (1, *hw, ic)).astype(np.int32)


def depthwise(channels, kernel):
    """(node, input, context) of depthwise layers of exact sums, which take their taps in pairs: in 32 bits and in 64."""
    for bits in (11, 16):
        node, _ = plain_layer(channels, 1, kernel, (2, 29), bits, groups=channels)
        word = IntFormat(bits)
        x = np.random.default_rng(channels).integers(word.min, word.max + 1, (1, 2, 29, channels)).astype(np.int16)
        yield from ((node, x, Context(Datapath(acc_bits, Overflow.WRAP), (word,), word, False)) for acc_bits in (18, 32, 40))
