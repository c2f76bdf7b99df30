"""Small integer networks written by hand, and the one comparison of engines that all tests here use."""
from fractions import Fraction
from functools import partial

import numpy as np

from hwsim.engine.context import HostEngine
from hwsim.engine.fast import ENGINE as FAST
from hwsim.engine.fast import backend
from hwsim.engine.fast.table import run_node
from hwsim.engine.reference import ENGINE as REFERENCE
from hwsim.engine.run import steps
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node

# the fast engine takes the first rung that its plan and the machine allow; these stay on the lower ones
COMPILED = HostEngine("compiled", partial(run_node, backend=backend.COMPILED))
NUMPY = HostEngine("numpy", partial(run_node, backend=backend.INTERPRETED))
ENGINES = (REFERENCE, FAST, COMPILED, NUMPY)


def array(*values):
    return np.array(values, np.int64)


def source(shape, name="x", index=0):
    return Node.make(name, "input", shape=tuple(shape), index=index)


def codes_of(weights):
    """int64 weights (OC,KH,KW,IC) as codes of one word."""
    return np.asarray(weights, np.int64)[None]


def fields(oc, m_pos=1, m_neg=None, shift=0, lo=-(1 << 31), hi=(1 << 31) - 1, bias=0):
    """Requantization fields of `oc` equal channels; the defaults hand the accumulator on as it is."""
    m_neg = m_pos if m_neg is None else m_neg
    return {"bias": np.full(oc, bias), "m_pos": np.full(oc, m_pos), "m_neg": np.full(oc, m_neg),
            "shift": np.full(oc, shift), "lo": lo, "hi": hi}


def network(nodes, datapath=None, outputs=None, formats=None, default="i32"):
    """The IntegerGraph of `nodes` in order; `formats` names words (i11), all others are `default`, scales are 1."""
    nodes = tuple(nodes)
    words = {n.name: IntFormat.parse((formats or {}).get(n.name, default)) for n in nodes}
    inputs = tuple(n.name for n in nodes if n.op == "input")
    graph = Graph(nodes, inputs, tuple(outputs or (nodes[-1].name,)))
    return IntegerGraph(graph, words, {n.name: Fraction(1) for n in nodes}, datapath or Datapath(), {})


def everything(net, inputs, engine, monitor=True, threads=1):
    """[(name, tensor, stats)] of every node."""
    return [(node.name, tensor, stats) for node, tensor, stats in steps(net, inputs, engine, monitor, threads)]


def assert_same(expected, found, counters=True):
    """Every tensor equal and, with `counters`, every counter too."""
    assert [name for name, _, _ in expected] == [name for name, _, _ in found]
    for (name, one, stats), (_, other, others) in zip(expected, found):
        assert one.dtype == other.dtype == np.int32
        np.testing.assert_array_equal(other, one, err_msg=name)
        if counters:
            assert as_plain(others) == as_plain(stats), name


def as_plain(stats):
    return {"events": stats.events, "first": stats.first, "clamped": stats.clamped,
            "low": None if stats.observed_min is None else stats.observed_min.tolist(),
            "high": None if stats.observed_max is None else stats.observed_max.tolist()}


def assert_engines_agree(net, inputs, engines=ENGINES[1:]):
    """The engines, plain and monitored, give the reference's tensors and counters; returns the reference's."""
    expected = everything(net, inputs, REFERENCE)
    for engine in engines:
        assert_same(expected, everything(net, inputs, engine))
        assert_same(expected, everything(net, inputs, engine, monitor=False), counters=False)
    return expected
