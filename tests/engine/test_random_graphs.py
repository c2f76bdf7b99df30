"""The engines agree on every tensor and every counter of a volume of random networks, and the volume covers the law."""
from collections import Counter
from dataclasses import replace

import pytest
from helpers.engine_nets import COMPILED, ENGINES, FAST, NUMPY, REFERENCE, assert_same, everything
from helpers.random_graphs import random_network

from hwsim.engine.fast import layer as fast_layer
from hwsim.errors import OverflowFault
from hwsim.fixed.formats import Overflow, Rounding
from hwsim.ops.spec import FLOAT
from hwsim.ops.table import OPS

GRAPHS = 210
# graph.place_sizes makes it the average over a known window, as which it runs
INTEGER_OPS = {name for name, spec in OPS.items() if spec.dialect != FLOAT} - {"input"}


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_engines_agree(seed, monkeypatch):
    net, inputs = random_network(seed)
    expected = everything(net, inputs, REFERENCE)
    for engine in (FAST, COMPILED, NUMPY) if seed % 3 == 0 else (FAST, COMPILED):
        assert_same(expected, everything(net, inputs, engine))
        assert_same(expected, everything(net, inputs, engine, monitor=False), counters=False)
    if seed % 3 == 1:
        monkeypatch.setattr(fast_layer, "CHUNK", 40)
        for engine in (FAST, COMPILED):
            assert_same(expected, everything(net, inputs, engine, threads=3))
            assert_same(expected, everything(net, inputs, engine, monitor=False, threads=3), counters=False)
    if seed % 3 == 2:
        _assert_error_mode(net, inputs, expected)


def _assert_error_mode(net, inputs, expected):
    """In mode `error` every engine stops at the first event of the first layer that has one, and else changes nothing."""
    strict = replace(net, datapath=replace(net.datapath, acc_mode=Overflow.ERROR))
    first = next((stats.first for _, _, stats in expected if stats.first is not None), None)
    for engine in ENGINES:
        for monitor in (False, True):
            if first is None:
                assert_same(expected, everything(strict, inputs, engine, monitor), counters=monitor)
                continue
            with pytest.raises(OverflowFault) as caught:
                everything(strict, inputs, engine, monitor)
            assert caught.value.event == first


def test_the_volume_covers_the_law():
    ops, roundings, widths, modes = Counter(), Counter(), set(), Counter()
    with_events = 0
    for seed in range(GRAPHS):
        net, inputs = random_network(seed)
        assert 3 <= len(net.nodes) <= 12
        ops.update(node.op for node in net.nodes)
        roundings[net.datapath.rounding] += 1
        modes[net.datapath.acc_mode, net.datapath.folded] += 1
        widths |= {net.formats[node.name].bits for node in net.nodes}
        with_events += any(stats.events for _, _, stats in everything(net, inputs, FAST))
    assert GRAPHS >= 200
    assert min(ops[name] for name in INTEGER_OPS) >= 10, ops
    assert widths == set(range(2, 17))
    assert min(roundings[rounding] for rounding in Rounding) >= 40
    assert len(modes) == 4 and min(modes.values()) >= 40
    assert with_events * 3 >= GRAPHS
