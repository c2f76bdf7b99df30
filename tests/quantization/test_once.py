"""The float network run once for calibration and comparison: the same figures, the same arrays, and no array kept in vain."""
import numpy as np
import pytest

from helpers.small_networks import conv, graph, image
from hwsim.graph.node import Node
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.compare import compare
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.float_net import cache
from hwsim.quantization.float_net.cache import FloatCache
from hwsim.quantization.float_net.run import bands
from hwsim.quantization.prepare import prepare

X = {"x": np.arange(-8, 8).reshape(1, 4, 4, 1) / 7}


@pytest.fixture
def network():
    return prepare(graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("p", "prelu", ("c",), alpha=np.array([0.5]))))


@pytest.fixture
def runs(monkeypatch):
    """How many times the float network ran behind a FloatCache."""
    seen = []

    def counted(*arguments):
        seen.append(arguments)
        return bands(*arguments)
    monkeypatch.setattr(cache, "bands", counted)
    return seen


def tensors(run, network, inputs):
    return {band.node.name: band.tensor for band in run(network, inputs, None)}


def test_calibration_and_comparison_are_the_same(network, runs):
    config, shared = Config(act_bits=5), FloatCache().bands
    calibration = calibrate(network, [X], config, float_run=shared)
    assert calibration == calibrate(network, [X], config)
    net = quantize(network, calibration, config)
    kept, plain = compare(network, net, X, float_run=shared), compare(network, net, X)
    assert len(runs) == 1
    assert kept.layers == plain.layers
    assert all(np.array_equal(kept.floats[name], plain.floats[name]) for name in plain.floats)


def test_the_second_time_gives_the_very_arrays_and_lets_them_go(network, runs):
    shared = FloatCache().bands
    first, second, third = (tensors(shared, network, X) for _ in range(3))
    assert len(runs) == 2
    assert all(first[name] is second[name] is not third[name] for name in ("c",))


@pytest.mark.parametrize("inputs", [{"x": X["x"].copy()}, {"x": X["x"][:, :2]}])
def test_another_array_is_run(network, runs, inputs):
    shared = FloatCache().bands
    tensors(shared, network, X)
    tensors(shared, network, inputs)
    assert len(runs) == 2


def test_another_network_is_run(network, runs):
    shared, other = FloatCache().bands, prepare(graph(image(), conv("c", "x", [[2.0]], [0.0])))
    tensors(shared, network, X)
    assert np.array_equal(tensors(shared, other, X)["c"], 2 * X["x"])
    assert len(runs) == 2


def test_what_was_left_half_way_is_run(network, runs):
    shared = FloatCache().bands
    next(shared(network, X, None))
    assert len(tensors(shared, network, X)) == len(network.nodes) and len(runs) == 2


def test_many_values_are_not_kept(network, runs, monkeypatch):
    monkeypatch.setattr(cache, "KEPT_BYTES", 2 * 16 * 8 - 1)
    shared = FloatCache().bands
    tensors(shared, network, X)
    tensors(shared, network, X)
    assert len(runs) == 2


def test_bands_of_rows_are_not_kept(network, runs):
    shared = FloatCache().bands
    for _ in range(2):
        assert len(list(shared(network, X, 2))) > len(network.nodes)
    assert len(runs) == 2
