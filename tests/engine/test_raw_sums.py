"""Layers that hand out their sums as they are: no requantization, only the clamp; every engine, and what the bounds say."""
from dataclasses import replace

import numpy as np
import pytest

from helpers.engine_nets import assert_engines_agree, codes_of, network, source
from hwsim.engine.run import run
from hwsim.errors import GraphError, UnsupportedError
from hwsim.fixed.formats import Datapath, Overflow
from hwsim.graph.integer import check_network
from hwsim.graph.node import Node
from hwsim.graph.store import open_net, save
from hwsim.hw.accumulator.bounds import accumulator_bounds
from hwsim.hw.config import load_device
from hwsim.hw.costs.network_cycles import network_cycles

META = {"source": {"path": None, "sha256": None, "parameters": 0}, "config": {"scale_policy": "calib"}, "calibration": {},
        "notes": []}


def raw_network(ic=5, oc=18, kernel=3, lo=-(1 << 31), hi=(1 << 31) - 1, datapath=None, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-127, 128, (1, oc, kernel, kernel, ic))
    bias = rng.integers(-5000, 5000, oc)
    layer = Node.make("y", "qconv2d", ("x",), codes=weights, bias=bias, lo=lo, hi=hi, padding="same")
    net = network([source((8, 9, ic)), layer], datapath or Datapath(acc_bits=32), formats={"x": "i11", "y": "i32"})
    return net, {"x": rng.integers(-1024, 1024, (2, 8, 9, ic))}


def plain_sums(net, x):
    """The sums in Python's own order, int64."""
    p = net.graph["y"].params
    codes, k = p["codes"][0], p["codes"].shape[2]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    return np.einsum("nyxcij,oijc->nyxo", windows, codes) + p["bias"]


@pytest.mark.parametrize(("ic", "oc", "kernel"), [(1, 1, 1), (5, 18, 3), (16, 16, 1), (17, 33, 3)])
def test_the_sums_come_out(ic, oc, kernel):
    net, inputs = raw_network(ic, oc, kernel)
    assert np.array_equal(run(net, inputs, "reference")["y"], plain_sums(net, inputs["x"]))
    assert_engines_agree(net, inputs)


@pytest.mark.parametrize("mode", [Overflow.WRAP, Overflow.SATURATE])
def test_a_narrow_accumulator_and_a_clamp(mode):
    net, inputs = raw_network(lo=-30000, hi=20000, datapath=Datapath(acc_bits=18, acc_mode=mode))
    assert_engines_agree(net, inputs)
    codes = run(net, inputs, "reference")["y"]
    assert codes.min() == -30000 and codes.max() == 20000


def test_the_bounds_hold_the_sums():
    net, inputs = raw_network()
    result = run(net, inputs, "reference", monitor=True)
    [bound] = accumulator_bounds(net, {"x": (2, 8, 9, 5)}, result.stats)
    assert (bound.reachable.lo <= bound.observed.lo).all() and (bound.observed.hi <= bound.reachable.hi).all()


def test_a_file_holds_it(tmp_path):
    net, inputs = raw_network()
    save(replace(net, meta=META), tmp_path / "raw.hwq")
    assert np.array_equal(run(open_net(tmp_path / "raw.hwq"), inputs)["y"], run(net, inputs)["y"])


def test_no_device_runs_it():
    net, _ = raw_network()
    with pytest.raises(UnsupportedError, match="^y: a stage on the array must be Folded or ThreeStep, not Raw$"):
        network_cycles(net, {"x": (1, 8, 9, 5)}, load_device())


@pytest.mark.parametrize(("fields", "message"), [
    ({"m_pos": 1}, "m_pos, m_neg and shift must come together"),
    ({"alpha_q": 1, "m2": 1, "shift2": 0}, "m_pos, m_neg and shift must come together"),
    ({"m_pos": 1, "m_neg": 1, "shift": 0, "m2": 1}, "alpha_q, m2 and shift2 must come together"),
])
def test_half_a_stage(fields, message):
    one = {name: np.array([value]) for name, value in fields.items()}
    layer = Node.make("y", "qconv2d", ("x",), codes=codes_of([[[[1]]]]), bias=np.array([0]), lo=0, hi=1, **one)
    with pytest.raises(GraphError, match=f"^y: {message}$"):
        check_network(network([source((4, 4, 1)), layer]))
