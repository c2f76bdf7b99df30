"""The four accumulator widths: literal cases, soundness on random networks, the exact pass, the shadow."""
from fractions import Fraction
from itertools import count, islice

import numpy as np
import pytest

from helpers.array_layers import conv, image, network
from helpers.random_graphs import random_network
from hwsim.engine.run import run, steps
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.graph.accumulator import bias_bits, signed_bits
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.place_sizes import place_sizes
from hwsim.hw.accumulator.bounds import accumulator_bounds, smallest_safe
from hwsim.hw.accumulator.reach import reachable
from hwsim.hw.accumulator.shadow import shadow_run
from hwsim.hw.accumulator.what_if import layer_spread, what_if, with_accumulator
from hwsim.hw.config import load_device
from hwsim.hw.costs.network_cycles import concrete_shapes, network_cycles
from hwsim.hw.device.stepped_engine import stepped_engine
from hwsim.ops.cut import cut


def dense(weights, source="x", name="fc", bias=0, lo=-1024, hi=1023, m_neg=1, shift=0):
    weights = np.asarray(weights, np.int64)
    oc = len(weights)
    ones = np.ones(oc, np.int64)
    return Node.make(name, "qdense", (source,), codes=weights[None, :, None, None, :], bias=ones * bias, m_pos=ones,
                     m_neg=ones * m_neg, shift=ones * shift, lo=lo, hi=hi)


def dense_net(*layers, act="i8", datapath=None):
    graph = Graph((Node.make("x", "input", shape=(layers[0].params["codes"].shape[4],)), *layers), ("x",), (layers[-1].name,))
    words = {"x": IntFormat.parse(act)} | {layer.name: IntFormat(11) for layer in layers}
    return IntegerGraph(graph, words, dict.fromkeys(words, Fraction(1)), datapath or Datapath(30), {})


@pytest.mark.parametrize(("act", "lo", "hi"), [("u8", -765, 1020), ("i8", -893, 892)])
def test_check_values(act, lo, hi):
    (found,) = accumulator_bounds(dense_net(dense([[3, -2, 1, -1]]), act=act), {"x": (1, 4)})
    assert (found.weights.lo[0], found.weights.hi[0], found.weights.bits, found.prefix_safe) == (lo, hi, 11, True)


def test_a_relu_before_halves_the_reach():
    relu = dense([[3, -2, 1, -1]], lo=-1024, hi=100, m_neg=0)
    net = dense_net(relu, dense([[10], [-10]], "fc", "out", bias=7))
    _, bounds = accumulator_bounds(net, {"x": (1, 4)})
    assert (bounds.weights.lo.tolist(), bounds.weights.hi.tolist()) == ([-10240, -10230], [10237, 10247])
    assert (bounds.reachable.lo.tolist(), bounds.reachable.hi.tolist()) == ([0, -1000], [1007, 7])
    assert bounds.bits == {"datatype": 18, "weights": 15, "reachable": 11, "observed": None, "daq_rule": 18}
    assert bounds.channel_bits == {"weights": (15, 15), "reachable": (11, 11), "observed": None}


def test_a_wrapped_producer_may_emit_anything():
    """Its reach is then that of the wrapped accumulator, not of the sum."""
    first = dense([[127, 127, 127, 127]], lo=-1024, hi=1023)
    narrow = dense_net(first, dense([[1]], "fc", "out"), datapath=Datapath(8))
    wide = dense_net(dense([[0, 0, 0, 3]]), dense([[1]], "fc", "out"), datapath=Datapath(8, Overflow.SATURATE))
    assert accumulator_bounds(narrow, {"x": (1, 4)})[1].reachable.hi[0] == 127
    assert accumulator_bounds(wide, {"x": (1, 4)})[1].reachable.hi[0] == 127


@pytest.mark.parametrize("seed", range(60))
def test_every_code_and_every_sum_stays_in_reach(seed):
    net, inputs = random_network(seed)
    sizes = {name: codes.shape for name, codes in inputs.items()}
    graph = place_sizes(net.graph, concrete_shapes(net.graph, sizes))
    formats = {n.name: net.formats[n.name if n.name in net.formats else graph.consumers[n.name][0].name] for n in graph.nodes}
    ranges, _ = reachable(graph, formats, concrete_shapes(graph, sizes), net.datapath)
    stats = {}
    for node, tensor, found in steps(net, inputs, "reference", monitor=True):
        lo, hi = ranges[node.name]
        assert (tensor >= lo).all() and (tensor <= hi).all(), node.op
        stats[node.name] = found
    for layer in accumulator_bounds(net, sizes, stats):
        assert (layer.observed.lo >= layer.reachable.lo).all() and (layer.observed.hi <= layer.reachable.hi).all()
        if layer.prefix_safe:
            assert (layer.reachable.lo >= layer.weights.lo).all() and (layer.reachable.hi <= layer.weights.hi).all()
    assert network_cycles(net, sizes, load_device()).cycles >= 0


def mappable(seed):
    """Whether a random network has array layers, none with second words: they are random, and only those of tiles are mapped."""
    words = [len(node.params["codes"]) for node in random_network(seed)[0].nodes if "codes" in node.params]
    return bool(words) and max(words) == 1


@pytest.mark.parametrize("seed", list(islice(filter(mappable, count()), 24)))
def test_the_stepped_engine_on_random_networks(seed):
    net, inputs = random_network(seed)
    expected, found = (list(steps(net, inputs, engine, monitor=True)) for engine in ("reference", stepped_engine()))
    for (node, tensor, stats), (_, stepped, counters) in zip(expected, found, strict=True):
        np.testing.assert_array_equal(stepped, tensor, err_msg=node.name)
        assert (counters.events, counters.first, counters.clamped) == (stats.events, stats.first, stats.clamped)


def exact_spread(layer, x, datapath):
    """The histograms of what_if the slow way: Python integers, one beat at a time."""
    (top, _, left, _), codes = layer.pad, layer.weights.codes
    histograms = np.zeros((3, 65), np.int64)
    for oy, ox in np.ndindex(*layer.out_hw):
        worst = []
        for oc in range(layer.oc):
            acc, most = int(layer.epilogue.bias[oc]), 1
            for ky, kx in np.ndindex(*layer.kernel):
                y, column = oy * layer.stride[0] + ky - top, ox * layer.stride[1] + kx - left
                inside = 0 <= y < x.shape[0] and 0 <= column < x.shape[1]
                for start in range(0, layer.ic, datapath.tn):
                    lanes = range(start, min(layer.ic, start + datapath.tn))
                    acc += sum(int(x[y, column, ic]) * int(codes[0, oc, ky, kx, ic]) for ic in lanes) if inside else 0
                    bits = signed_bits(acc, acc)
                    histograms[0, bits] += 1
                    most = max(most, bits)
            histograms[1, most] += 1
            worst.append(most)
        histograms[2, max(worst)] += 1
    return histograms


def test_the_exact_pass_counts_every_beat():
    node, datapath = conv((4, 5, 17), 3), Datapath(30)
    layer, x = cut(node, (1, 4, 5, 17))[0].layer, image((4, 5, 17))[0]
    spread = layer_spread(layer, x, datapath)
    np.testing.assert_array_equal([spread.beats, spread.outputs, spread.pixels], exact_spread(layer, x, datapath))
    assert spread.out_of_range(spread.bits) == {"beats": 0, "pixels": 0, "outputs": 0}
    assert spread.out_of_range(spread.bits - 1)["outputs"] > 0


@pytest.mark.parametrize("options", [{"groups": 17, "oc": 17}, {"rowpack": True, "oc": 3},
                                     {"oc": 5, "w_format": "stlq", "w_bits": 4, "words": 2,
                                      "flags": np.arange(18).reshape(1, 2, 3, 3) % 3 == 0}])
def test_the_exact_pass_of_every_kind(options):
    """Without any overflow events and exact sums agree with the monitor: no event at the observed width, some one bit below."""
    node = conv((4, 5, 17), **{"oc": 5, **options})
    net, x = network(node, (4, 5, 17), Datapath(40)), {"x": image((4, 5, 17))}
    stats = run(net, x, "reference", monitor=True).stats["conv"]
    widths = what_if(net, x, reruns=1, engine="reference")
    bits = signed_bits(int(stats.observed_min.min()), int(stats.observed_max.max()))
    assert widths.total.bits == bits
    flags = node.params["flags"]
    second = 0 if flags is None else int(flags.sum())
    taps = {17: 9, 3: 3 * 4, 5: 9 * 2}[len(node.params["bias"])]
    assert widths.total.beats.sum() == 20 * len(node.params["bias"]) * (taps + second)
    assert [rerun.acc_bits for rerun in widths.reruns] == [bits, bits - 1]
    assert [rerun.events > 0 for rerun in widths.reruns] == [False, True]
    assert widths.reruns[0].changed == 0


def test_out_of_range_is_not_events():
    """127 five times: exact sums 127..635 leave 8 bits four times; the wrapped accumulator overflows only every second time."""
    layer = dense([[1] * 5]).but(codes=np.ones((1, 1, 1, 1, 5), np.int64))
    net = dense_net(layer, datapath=Datapath(8, tn=1))
    found = what_if(net, {"x": np.full((1, 5), 127)}, reruns=9)
    assert found.total.out_of_range(8) == {"beats": 4, "pixels": 1, "outputs": 1}
    assert (found.reruns[-1].acc_bits, found.reruns[-1].events, found.reruns[-1].changed) == (8, 2, 1)
    assert smallest_safe(accumulator_bounds(net, {"x": (1, 5)})) == 11


def test_the_shadow_finds_what_the_accumulator_changed():
    node = conv((4, 4, 17), 17, bias=np.zeros(17, np.int64))
    x = {"x": image((4, 4, 17))}
    net = network(node, (4, 4, 17), Datapath(16))
    shadow = shadow_run(net, x, "reference")
    wide = run(with_accumulator(net, 40), x, "reference")
    differs = np.argwhere(shadow.outputs["conv"] != wide["conv"])
    assert (shadow.layers["conv"].changed, shadow.layers["conv"].first) == (len(differs), tuple(differs[0]))
    assert shadow_run(with_accumulator(net, 40), x, "reference").layers["conv"].changed == 0


def test_widths_that_a_bias_does_not_fit_are_left_out():
    net = dense_net(dense([[1]], bias=-129), datapath=Datapath(20))
    assert bias_bits(net) == 9
    assert [rerun.acc_bits for rerun in what_if(net, {"x": np.array([[1]])}).reruns] == [9]


def test_the_smallest_safe_width_does_not_depend_on_the_accumulator_at_hand():
    """A wrapping producer emits less than an exact one: what its consumer reaches then is no width to build."""
    ones = np.ones(1, np.int64)

    def dense(name, source, code, inputs):
        return Node.make(name, "qdense", (source,), codes=np.full((1, 1, 1, 1, inputs), code), bias=0 * ones, m_pos=ones,
                         m_neg=ones, shift=0 * ones, lo=-1024, hi=1023)
    graph = Graph((Node.make("x", "input", shape=(5,)), dense("a", "x", 1, 5), dense("b", "a", 3, 1)), ("x",), ("b",))
    formats = {"x": IntFormat(8), "a": IntFormat(11), "b": IntFormat(11)}
    bounds = {bits: accumulator_bounds(IntegerGraph(graph, formats, dict.fromkeys(formats, Fraction(1)), Datapath(bits), {}),
                                       {"x": (1, 5)}) for bits in (8, 48)}
    assert [layer.bits["reachable"] for layer in bounds[8]] == [11, 10]      # b reads at most 3 * -128
    assert [layer.bits["reachable"] for layer in bounds[48]] == [11, 12]     # 3 * -640
    assert smallest_safe(bounds[8]) == smallest_safe(bounds[48]) == 12
