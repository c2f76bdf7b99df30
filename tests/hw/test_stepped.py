"""The clock by clock model against the reference engine in every value and event, and against the closed form in every cycle."""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.array_layers import ACT, conv, image, network
from hwsim.engine.run import steps
from hwsim.errors import GraphError, OverflowFault, UnsupportedError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.node import Node
from hwsim.hw.config import Device, override
from hwsim.hw.costs.cycles import array_cycles
from hwsim.hw.device import stepped as stepped_module
from hwsim.hw.device.stepped import Chip, Parts, run_stepped
from hwsim.hw.device.stepped_engine import stepped_engine
from hwsim.ops.cut import cut

SIZES = st.sampled_from((1, 2, 3, 5))
CHANNELS = st.sampled_from((1, 2, 7, 8, 9, 15, 16, 17, 33))


def assert_equal_everywhere(node, in_shape, datapath, device, n=1, act=ACT):
    """Stepped == reference in values and counters, == closed form in cycles, and its counters balance."""
    net, x = network(node, in_shape, datapath, act), image(in_shape, fmt=act, n=n)
    runs = []
    stepped = list(steps(net, {"x": x}, stepped_engine(device, observe=runs.append), monitor=True))[-1]
    expected = list(steps(net, {"x": x}, "reference", monitor=True))[-1]
    np.testing.assert_array_equal(stepped[1], expected[1])
    for name in ("events", "first", "clamped"):
        assert getattr(stepped[2], name) == getattr(expected[2], name), name
    np.testing.assert_array_equal(stepped[2].observed_min, expected[2].observed_min)
    np.testing.assert_array_equal(stepped[2].observed_max, expected[2].observed_max)
    forms = [array_cycles(piece.layer, device) for piece in cut(node, (1, *in_shape), datapath.tm)]
    for seen, form in zip(runs, [form for form in forms for _ in range(n)], strict=True):
        assert_same_cycles(seen.run, form, device)


def assert_same_cycles(run, form, device):
    run.counters.check(device.pes)
    assert run.cycles == form.total
    assert run.tiles == tuple((tile.load, tile.start, tile.end) for tile in form.tiles)
    assert (run.counters.beats, run.counters.stall_cycles) == (form.issue, form.stall)
    assert run.trace[-1][:3] == (form.total, "D", 0)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_random_layers(data):
    draw = data.draw
    kernel, ic, oc = (draw(st.integers(1, 3)), draw(st.integers(1, 3))), draw(CHANNELS), draw(CHANNELS)
    kind = draw(st.sampled_from(("full", "depthwise", "groups")))
    groups = {"full": 1, "depthwise": ic, "groups": 2}[kind]
    ic, oc = {"full": (ic, oc), "depthwise": (ic, ic), "groups": (2 * min(ic, 9), 2 * min(oc, 9))}[kind]
    tn, tm = draw(st.sampled_from((1, 4, 16))), draw(st.sampled_from((2, 4, 16)))
    dma = draw(st.sampled_from((0, 64, 1000, 4096)))
    log = draw(st.booleans())
    flags = None
    if log:
        depthwise = groups == oc == ic > 1
        grid = (-(-oc // tm), 1 if depthwise else -(-ic // groups // tn), *kernel)
        flags = np.random.default_rng(draw(st.integers(0, 99))).random(grid) < draw(st.sampled_from((0, 0.5, 1)))
    node = conv((5, 5, ic), oc, kernel, (draw(st.integers(1, 2)), draw(st.integers(1, 2))), groups=groups,
                padding=draw(st.sampled_from(("same", (0, 0, 0, 0), (2, 0, 1, 3)))), unfolded=draw(st.booleans()),
                w_format="stlq" if log else "linear", w_bits=draw(st.integers(2, 5)) if log else 8, seed=draw(st.integers(0, 99)))
    if flags is not None:
        node = node.but(flags=flags, codes=two_words(node.params["codes"], flags, groups == oc == ic > 1, tm, tn))
    datapath = Datapath(draw(st.sampled_from((14, 17, 30))), draw(st.sampled_from((Overflow.WRAP, Overflow.SATURATE))),
                        draw(st.sampled_from((Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.FLOOR))), tn=tn, tm=tm)
    device = Device(TN=tn, TM=tm, dma_bits=dma, w_bits=node.params["w_bits"])
    assert_equal_everywhere(node, (5, 5, ic), datapath, device)


def two_words(codes, flags, depthwise, tm, tn):
    """The codes with a second word wherever `flags` says so."""
    oc, ic = codes.shape[1], codes.shape[4]
    mask = np.repeat(np.repeat(flags, tm, axis=0)[:oc], 1 if depthwise else tn, axis=1)[:, :ic].transpose(0, 2, 3, 1)
    return np.concatenate([codes, np.where(mask, codes[:, ::-1, ::-1], 0)])


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_random_transposed_and_dense_layers(data):
    draw, rng = data.draw, np.random.default_rng(data.draw(st.integers(0, 99)))
    ic, oc, kernel, stride = draw(CHANNELS), draw(CHANNELS), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    fields = {"bias": rng.integers(-99, 99, oc), "m_pos": rng.integers(1, 999, oc), "m_neg": rng.integers(-999, 999, oc),
              "shift": np.full(oc, 12), "lo": -1024, "hi": 1023}
    device = Device(dma_bits=draw(st.sampled_from((0, 512))))
    up = Node.make("up", "qconv2d_transpose", ("x",), codes=rng.integers(-127, 128, (1, oc, kernel, kernel, ic)),
                   crop=(0, 0, 0, 0), stride=(stride, stride), **fields)
    assert_equal_everywhere(up, (3, 4, ic), Datapath(18), device)
    dense = Node.make("fc", "qdense", ("x",), codes=rng.integers(-127, 128, (1, oc, 1, 1, ic)), **fields)
    assert_equal_everywhere(dense, (ic,), Datapath(18), device, n=2)


@pytest.mark.parametrize("device", [Device(), Device(dma_bits=256)])
@pytest.mark.parametrize(("in_shape", "stride", "padding"), [((7, 9, 3), (1, 1), "same"), ((8, 8, 1), (2, 2), "same"),
                                                             ((6, 6, 5), (1, 2), (1, 0, 2, 1))])
def test_rowpack(device, in_shape, stride, padding):
    node = conv(in_shape, 17, (3, 3), stride, padding=padding, rowpack=True)
    assert_equal_everywhere(node, in_shape, Datapath(16, Overflow.SATURATE), device)


@pytest.mark.parametrize("bits", [2, 16])
def test_the_widest_words(bits):
    act = IntFormat(bits)
    node = conv((3, 3, 17), 17, w_bits=16).but(lo=act.min, hi=act.max)
    assert_equal_everywhere(node, (3, 3, 17), Datapath(48, mult_bits=31), Device(act_bits=bits, w_bits=16), act=act)


def test_two_images():
    assert_equal_everywhere(conv((4, 4, 3), 5), (4, 4, 3), Datapath(14), Device(), n=2)


def test_cycles_do_not_depend_on_data():
    node, device = conv((5, 5, 17), 17, unfolded=True), Device(dma_bits=512)
    layer = cut(node, (1, 5, 5, 17))[0].layer
    images = [np.full((5, 5, 17), value) for value in (0, -1024, 1023)] + [image((5, 5, 17))[0]]
    runs = [run_stepped(layer, Datapath(14), device, x) for x in images]
    assert len({run.cycles for run in runs}) == len({run.tiles for run in runs}) == 1
    assert len({tuple(event[:3] for event in run.trace) for run in runs}) == 1


@pytest.mark.parametrize("folded", [True, False])
def test_event_timing(folded):
    """A beat issued at c: accumulator at c+4, NBout at c+6 (unfolded c+9), done at c+7 (c+10)."""
    layer = cut(conv((1, 2, 1), 1, (1, 1), unfolded=not folded), (1, 1, 2, 1))[0].layer
    run = run_stepped(layer, Datapath(30), Device(), image((1, 2, 1))[0])
    late = 0 if folded else 3
    assert [event[:3] for event in run.trace] == sorted(
        [(4, "A", 0), (5, "A", 1), (6 + late, "O", 0), (7 + late, "O", 1), (8 + late, "D", 0)])


def test_the_order_of_modules_does_not_matter():
    layer = cut(conv((4, 4, 17), 17), (1, 4, 4, 17))[0].layer
    runs = []
    for order in ((0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (3, 0, 5, 2, 4, 1)):
        chip = Chip(layer, Datapath(20), Device(dma_bits=700), image((4, 4, 17))[0], (ACT, ACT), Parts(), None)
        chip.modules = tuple(chip.modules[i] for i in order)
        while not chip.control.done.value:
            chip.step()
        runs.append(chip.result())
    assert runs[0].trace == runs[1].trace == runs[2].trace


def test_error_mode_stops_with_the_first_event():
    node = conv((4, 4, 17), 17)
    net = network(node, (4, 4, 17), Datapath(14, Overflow.ERROR))
    faults = []
    for engine in ("reference", stepped_engine()):
        with pytest.raises(OverflowFault) as caught:
            list(steps(net, {"x": image((4, 4, 17))}, engine))
        faults.append((str(caught.value), caught.value.event))
    assert faults[0] == faults[1]


def test_a_bank_too_small_is_refused():
    layer = cut(conv((4, 4, 17), 17), (1, 4, 4, 17))[0].layer
    x = image((4, 4, 17))[0]
    with pytest.raises(UnsupportedError, match=r"^conv: sb_kb must be at least 9 for two banks of 36864 bits, not 8$"):
        run_stepped(layer, Datapath(30), Device(dma_bits=64, sb_kb=8), x)
    assert run_stepped(layer, Datapath(30), Device(dma_bits=64, sb_kb=9), x).cycles
    assert run_stepped(layer, Datapath(30), Device(sb_kb=1), x).cycles


def test_two_words_per_element_are_refused():
    node = conv((4, 4, 3), 3, w_format="stlq", w_bits=4, words=2)
    layer = cut(node, (1, 4, 4, 3))[0].layer
    text = r"^conv: two-word weights must be chosen per tile or filter to run on the array, not per element$"
    with pytest.raises(UnsupportedError, match=text):
        run_stepped(layer, Datapath(30), Device(w_bits=4), image((4, 4, 3))[0])
    assert array_cycles(layer, Device(w_bits=4)).issue == 4 * 4 * 18


def test_flags_of_another_shape_are_refused():
    node = conv((4, 4, 17), 3, w_format="stlq", w_bits=4, words=2, flags=np.ones((1, 2, 3, 3), bool))
    layer = cut(node, (1, 4, 4, 17))[0].layer
    layer = replace(layer, weights=replace(layer.weights, flags=np.ones((1, 1, 3, 3), bool)))
    with pytest.raises(GraphError, match=r"^conv: flags must be \(1, 2, 3, 3\), one per tile, not \(1, 1, 3, 3\)$"):
        run_stepped(layer, Datapath(30), Device(w_bits=4), image((4, 4, 17))[0])


def test_stepped_imports_neither_engines_nor_closed_form():
    import subprocess
    import sys
    code = f"import sys, {stepped_module.__name__}; print(*(m for m in sys.modules if m.startswith('hwsim.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith("hwsim.engine") or "cycles" in name]


def test_the_device_brings_only_its_memory_system():
    """Widths and rules are the network's; another clock or name changes nothing."""
    node = conv((4, 4, 3), 5)
    runs = []
    for device in (Device(), override(Device(), clock_ghz="0.5", act_bits=16, acc_bits=48)):
        list(steps(network(node, (4, 4, 3), Datapath(20)), {"x": image((4, 4, 3))}, stepped_engine(device, observe=runs.append)))
    assert runs[0].run.trace == runs[1].run.trace
    assert replace(runs[0], run=None) == replace(runs[1], run=None)
