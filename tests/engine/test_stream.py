"""A run in bands of rows gives every tensor and every counter of a run node by node, and holds a few rows of each tensor."""
import weakref
from dataclasses import replace

import numpy as np
import pytest
from helpers.engine_nets import FAST, REFERENCE, array, as_plain, assert_same, codes_of, everything, fields, network, source
from helpers.random_graphs import random_network

from hwsim.engine.context import HostEngine
from hwsim.engine.run import code_bytes, run
from hwsim.errors import OverflowFault
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.graph import bands
from hwsim.graph.node import Node

GRAPHS = 126


def streamed(net, inputs, engine, rows, monitor=True, threads=1):
    """What everything() gives, by a run of `rows` input rows per step."""
    names = [node.name for node in net.nodes]
    result = run(net, inputs, engine, dump=names, monitor=monitor, threads=threads, rows=rows)
    return [(name, result[name], result.stats[name]) for name in names]


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_bands_give_the_same_bits_and_counters(seed):
    net, inputs = random_network(seed)
    expected = everything(net, inputs, FAST)
    for rows in (1, 2, 3):
        assert_same(expected, streamed(net, inputs, FAST, rows))
    assert_same(expected, streamed(net, inputs, FAST, 1 + seed % 4, monitor=False, threads=2), counters=False)
    if seed % 7 == 0:
        assert_same(expected, streamed(net, inputs, REFERENCE, 1 + seed % 2))


@pytest.mark.parametrize("seed", range(0, GRAPHS, 3))
def test_error_mode_names_the_same_event(seed):
    """The earliest node that has an event counts, also where a later node of the graph meets one in an earlier band."""
    net, inputs = random_network(seed)
    first = next((stats.first for _, _, stats in everything(net, inputs, FAST) if stats.first is not None), None)
    strict = replace(net, datapath=replace(net.datapath, acc_mode=Overflow.ERROR))
    if first is None:
        assert_same(everything(strict, inputs, FAST), streamed(strict, inputs, FAST, 2))
    else:
        with pytest.raises(OverflowFault) as caught:
            streamed(strict, inputs, FAST, 1 + seed % 3, monitor=False)
        assert caught.value.event == first


def conv(name, reads, padding=(1, 1, 1, 1), **params):
    codes = codes_of(np.ones((1, 3, 3, 1)))
    return Node.make(name, "qconv2d", (reads,), codes=codes, padding=padding, **fields(1, shift=3), **params)


def deep(count, size, padding=(1, 1, 1, 1)):
    names = ["x", *(f"c{i}" for i in range(count))]
    return network([source((*size, 1)), *(conv(name, before, padding) for before, name in zip(names, names[1:]))])


PICTURE = np.arange(40 * 6).reshape(1, 40, 6, 1) % 97


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 39, 40])
@pytest.mark.parametrize("params", [{"stride": (2, 2), "padding": "same"}, {"stride": (3, 1), "padding": "same"},
                                    {"dilation": (3, 2), "padding": "same"}, {"padding": (4, 5, 0, 1)}])
def test_windows_at_the_edges_of_odd_sizes(size, params):
    net, inputs = network([source((size, 6, 1)), conv("y", "x", **params)]), {"x": PICTURE[:, :size]}
    expected = everything(net, inputs, FAST)
    for rows in (1, 2, 5, size):
        assert_same(expected, streamed(net, inputs, FAST, rows))


def test_no_row_is_computed_twice_and_few_are_held():
    made, alive = [], []

    def run_node(node, inputs, context):
        y, stats = FAST.run_node(node, inputs, context)
        made.append((node.name, weakref.ref(y), y.shape[1]))
        alive.append(sum(rows for _, ref, rows in made if ref() is not None))
        return y, stats

    net = deep(8, (40, 6))
    result = run(net, {"x": PICTURE}, HostEngine("watched", run_node), rows=2)
    for i in range(8):
        assert sum(rows for name, _, rows in made if name == f"c{i}") == 40
    assert max(alive) <= 8 * (2 + 2 * 2)
    np.testing.assert_array_equal(result["c7"], run(net, {"x": PICTURE})["c7"])


def test_an_attention_does_not_flood_the_nodes_behind_it():
    """A global maximum holds the tensor that it scales; what follows still comes in bands."""
    heights = []

    def run_node(node, inputs, context):
        heights.append((node.name, max(x.shape[1] for x in inputs)))
        return FAST.run_node(node, inputs, context)

    nodes = [source((40, 6, 1)), Node.make("g", "global_max_pool", ("x",), keepdims=True),
             Node.make("m", "qmul", ("x", "g"), m=1, shift=7, lo=-128, hi=127), conv("y", "m")]
    net = network(nodes, formats={"x": "i8", "g": "i8", "m": "i8"})
    found = run(net, {"x": PICTURE}, HostEngine("watched", run_node), rows=4)
    assert max(rows for name, rows in heights if name != "g") == 6
    np.testing.assert_array_equal(found["y"], run(net, {"x": PICTURE})["y"])


def test_clamped_values_of_bilinear_bands_count_once():
    nodes = [source((7, 5, 2)), Node.make("y", "qbilinear", ("x",), factor=(3, 2), lo=-20, hi=31)]
    net, inputs = network(nodes, formats={"x": "i8"}), {"x": np.arange(70).reshape(1, 7, 5, 2) * 3 - 90}
    assert everything(net, inputs, FAST)[1][2].clamped > 50
    for engine in (FAST, REFERENCE):
        for rows in (1, 2, 3):
            assert_same(everything(net, inputs, engine), streamed(net, inputs, engine, rows))


def test_the_first_event_of_a_transposed_layer_is_of_its_first_phase():
    """Row 2 of the input overflows in phase 0, row 0 only in phase 1: the array runs phase 0 first."""
    codes = codes_of(array([1], [100]).reshape(1, 2, 1, 1))
    node = Node.make("y", "qconv2d_transpose", ("x",), codes=codes, stride=(2, 1), crop=(0, 0, 0, 0), **fields(1))
    net = network([source((3, 1, 1)), node], Datapath(acc_bits=8), formats={"x": "i16"})
    inputs = {"x": array(5, 0, 200).reshape(1, 3, 1, 1)}
    found = run(net, inputs, FAST, monitor=True, rows=1).stats["y"]
    assert (found.first.layer, found.first.oy, found.first.value, found.events) == ("y.p00", 2, 200, 3)
    assert as_plain(found) == as_plain(everything(net, inputs, FAST)[1][2])


def test_large_frames_are_streamed_by_themselves(monkeypatch):
    net = deep(3, (40, 6))
    told = []
    monkeypatch.setattr(bands, "WHOLE_BYTES", 1 << 9)
    monkeypatch.setattr(bands, "BAND_BYTES", 10 * 6 * 4)
    result = run(net, {"x": PICTURE}, progress=lambda node, done, total: told.append((node.name, done, total)))
    assert told[:2] == [("x", 10, 160), ("c0", 19, 160)] and told[-1] == ("c2", 160, 160)
    monkeypatch.setattr(bands, "WHOLE_BYTES", 1 << 30)
    np.testing.assert_array_equal(result["c2"], run(net, {"x": PICTURE})["c2"])


def test_codes_of_16_bits_take_two_bytes():
    assert code_bytes({"x": IntFormat(16), "y": IntFormat(15, signed=False)}) == 2
    assert code_bytes({"x": IntFormat(11), "y": IntFormat(16, signed=False)}) == 4
