"""The walk over a network: inputs, dumps, progress, liveness, error mode, and every refusal as one line."""
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from helpers.engine_nets import ENGINES, FAST, array, codes_of, fields, network, source
from helpers.random_graphs import random_network
from hwsim.engine.context import HostEngine
from hwsim.engine.result import AccEvent, LayerStats
from hwsim.engine.run import run, steps
from hwsim.errors import GraphError, OverflowFault, UnsupportedError, UsageError
from hwsim.fixed.formats import Datapath, Overflow, Rounding
from hwsim.graph.node import Node

REPOSITORY = Path(__file__).resolve().parents[2]


def conv(name="y", reads="x", weight=1, **params):
    return Node.make(name, "qconv2d", (reads,), codes=codes_of(np.full((1, 1, 1, 1), weight)), **{**fields(1), **params})


def chain(datapath=None, size=(2, 2, 1), **params):
    """x -> a -> b -> y of 1x1 convolutions with weight 1."""
    nodes = [source(size), conv("a", "x", **params), conv("b", "a"), conv("y", "b")]
    return network(nodes, datapath, formats={"x": "i8"})


PIXELS = np.arange(4).reshape(1, 2, 2, 1)


def test_run_keeps_outputs_and_dumps():
    result = run(chain(), {"x": PIXELS}, dump=("a", "x"))
    assert sorted(result.tensors) == ["a", "x", "y"]
    assert sorted(result.stats) == ["a", "b", "x", "y"]
    assert result.outputs == ("y",)
    np.testing.assert_array_equal(result["a"], PIXELS)
    assert result["y"].dtype == np.int32


def test_progress_is_told_of_every_node():
    told = []
    run(chain(), {"x": PIXELS}, progress=lambda node, done, total: told.append((node.name, done, total)))
    assert told == [("x", 1, 4), ("a", 2, 4), ("b", 3, 4), ("y", 4, 4)]


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_engines_by_name_and_no_counters_unasked(engine):
    stats = run(chain(), {"x": PIXELS}, engine=engine).stats["a"]
    assert stats == LayerStats() or vars(stats) == vars(LayerStats())


def test_another_image_size_than_declared():
    x = np.arange(15).reshape(1, 3, 5, 1)
    np.testing.assert_array_equal(run(chain(), {"x": x})["y"], x)


def test_dead_tensors_are_freed():
    tensors = {}

    def run_node(node, inputs, context):
        y, stats = FAST.run_node(node, inputs, context)
        tensors[node.name] = weakref.ref(y)
        return y, stats

    alive = []
    for node, tensor, _ in steps(chain(), {"x": PIXELS}, HostEngine("watched", run_node)):
        del tensor
        alive.append((node.name, sorted(name for name, ref in tensors.items() if ref() is not None)))
    assert alive == [("x", []), ("a", ["a"]), ("b", ["b"]), ("y", ["y"])]


def test_the_average_that_placing_splits_is_still_one_step():
    average = Node.make("y", "qglobal_avg_pool", ("x",), keepdims=False, ratio=(1, 1), mult_bits=16, lo=0, hi=1)
    net = network([source((2, 2, 1)), average], formats={"x": "i8", "y": "i8"})
    found = list(steps(net, {"x": PIXELS}, monitor=True))
    assert [(node.op, tensor.tolist()) for node, tensor, _ in found][1:] == [("qglobal_avg_pool", [[1]])]
    assert found[1][2].clamped == 1


ROOMY = Datapath(acc_bits=8, acc_mode=Overflow.ERROR)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
@pytest.mark.parametrize("monitor", [False, True])
def test_error_mode_stops_at_the_first_event(engine, monitor):
    net = chain(ROOMY, weight=100)
    message = r"^a: the accumulator must stay in -128\.\.127 \(i8\), not 200 at n=0 cot=0 oy=1 ox=0 oc=0 ky=0 kx=0 cit=0 word=0$"
    with pytest.raises(OverflowFault, match=message) as caught:
        run(net, {"x": PIXELS}, engine, monitor=monitor)
    assert caught.value.event == AccEvent("a", 0, 0, 1, 0, 0, 0, 0, 0, 0, 200)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
def test_error_mode_without_an_event_is_silent(engine):
    np.testing.assert_array_equal(run(chain(ROOMY), {"x": PIXELS}, engine)["y"], PIXELS)


@pytest.mark.parametrize("inputs, message", [
    ({}, r"^inputs must be x, not none$"),
    ({"z": PIXELS}, r"^inputs must be x, not z$"),
    ({"x": PIXELS * 0.5}, r"^x: input codes must be integers, not float64$"),
    ({"x": PIXELS + 125}, r"^x: input codes must be -128\.\.127 \(i8\), not 125\.\.128$"),
    ({"x": np.int64(3)}, r"^x: input codes must be images, N first, not an array of shape \(\)$"),
    ({"x": PIXELS[:0]}, r"^x: input codes must be images, N first, not an array of shape \(0, 2, 2, 1\)$"),
])
def test_wrong_codes(inputs, message):
    with pytest.raises(UsageError, match=message):
        run(chain(), inputs)


@pytest.mark.parametrize("shape, message", [
    ((1, 2, 2, 3), r"^x: input shape must be NxHxWx1, not 1x2x2x3$"),
    ((2, 2, 1), r"^x: input shape must be NxHxWx1, not 2x2x1$"),
])
def test_wrong_input_shape(shape, message):
    with pytest.raises(GraphError, match=message):
        run(chain(), {"x": np.zeros(shape, int)})


def test_images_must_be_as_many_on_every_input():
    net = network([source((2, 2, 1)), source((2, 2, 1), "z", 1), Node.make("y", "qconcat", ("x", "z"), axis=3, m=array(1, 1),
                                                                           shift=array(0, 0), lo=-128, hi=127)], default="i8")
    with pytest.raises(UsageError, match=r"^all inputs must hold the same number of images, not 1, 2$"):
        run(net, {"x": PIXELS, "z": np.concatenate([PIXELS, PIXELS])})


@pytest.mark.parametrize("options, message", [
    ({"dump": ("bb",)}, r"^dump must name a tensor of the network \(near: b, y, x\), not 'bb'$"),
    ({"engine": "quick"}, r"^engine must be fast or reference, not 'quick'$"),
    ({"threads": 0}, r"^threads must be an integer of at least 1, not 0$"),
])
def test_wrong_options(options, message):
    with pytest.raises(UsageError, match=message):
        run(chain(), {"x": PIXELS}, **options)


def vector(op, datapath=None, y="i8", **params):
    return network([source((2, 2, 1)), Node.make("y", op, ("x",), **params)], datapath, formats={"x": "i8", "y": y})


RANGE = {"lo": -128, "hi": 127}
GEMMLOWP = Datapath(rounding=Rounding.GEMMLOWP, mult_bits=31)


@pytest.mark.parametrize("net, message", [
    (chain(Datapath(acc_bits=8), bias=array(128)), r"^a: the bias of channel 0 must fit i8, not 128$"),
    (chain(m_pos=array(1 << 16)), r"^a: m_pos must be at most 2\^16 - 1, not 65536$"),
    (chain(Datapath(folded=False), alpha_q=array(-1 << 15), m2=array(1), shift2=array(0)),
     r"^a: alpha_q must be less than 2\^15, not 32768$"),
    (vector("qadd", m=array(1, 2), shift=0, **RANGE), r"^y: m and shift must hold one value for each of 1 inputs, not \[2\]$"),
    (vector("qadd", m=array(-1 << 16), shift=0, **RANGE), r"^y: m must be at most 2\^16 - 1, not 65536$"),
    (vector("qprelu", m_pos=array(1), m_neg=array(1), shift=array(63), **RANGE), r"^y: shift must be 0\.\.62, not 63\.\.63$"),
    (vector("identity", y="i7"), r"^y: identity keeps the codes of its input: its format must hold i8, not i7$"),
    (vector("qtable", table=np.arange(255)), r"^y: the table must have one entry for each of the 256 codes of i8, not 255$"),
    (vector("qtable", table=np.arange(256)), r"^y: table entries must fit i8, not 0\.\.255$"),
    (vector("max_pool", kernel=(1, 1), stride=(1, 1), padding=(1, 0, 0, 0)),
     r"^y: every window must meet the image, not lie in the padding alone$"),
    (vector("qavg_pool", kernel=(2, 2), stride=(1, 1), padding="same", taps=array(4, 1), m=array(1, 1),
            shift=array(2, 0), **RANGE),
     r"^y: taps must hold every count of real taps, not miss 2$"),
    (vector("identity", y="i40"), r"^y: codes must fit 32 bits, not i40$"),
])
def test_networks_that_cannot_run(net, message):
    with pytest.raises(GraphError, match=message):
        run(net, {"x": PIXELS})


@pytest.mark.parametrize("net, shift", [
    (chain(GEMMLOWP, m_pos=array(1 << 30), m_neg=array(1 << 30), shift=array(30)), 30),
    (vector("qadd", GEMMLOWP, m=array(1), shift=0, **RANGE), 0),
    (vector("qbilinear", GEMMLOWP, factor=(2, 2), **RANGE), 22),
    (vector("qconcat", GEMMLOWP, m=array(2), shift=array(1), axis=3, **RANGE), 1),
])
def test_gemmlowp_has_no_small_shifts(net, shift):
    name = net.nodes[1].name
    with pytest.raises(UnsupportedError, match=rf"^{name}: gemmlowp rounding must have shifts of at least 31, not {shift}$"):
        run(net, {"x": PIXELS})


SCRIPT = """
import sys
sys.path.insert(0, "tests")
from helpers.random_graphs import random_network
from hwsim.engine.run import run
from hwsim.engine.fast.backend import BEST, INTERPRETED
assert BEST is INTERPRETED
net, inputs = random_network(7)
for name, tensor in run(net, inputs, monitor=True).tensors.items():
    print(name, tensor.ravel().tolist())
"""


def test_without_the_compiler():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True,
                          env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)
    net, inputs = random_network(7)
    expected = run(net, inputs, "reference").tensors
    assert done.stdout == "".join(f"{name} {tensor.ravel().tolist()}\n" for name, tensor in expected.items())
