"""The float network in bands of rows: the same tensors, calibrations and comparisons as node by node."""
import math

import numpy as np
import pytest

from hwsim.graph import bands as graph_bands
from hwsim.graph.fit import fitted
from hwsim.graph.node import Graph, Node
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.compare import compare
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.float_net.run import bands, evaluate, steps

RNG = np.random.default_rng(3)


def whole_numbers(*shape):
    """Small integers as floats: sums of their products are exact in any order."""
    return RNG.integers(-4, 5, shape).astype(np.float64)


def weights(oc, kh, kw, ic):
    return {"weights": whole_numbers(oc, kh, kw, ic), "bias": whole_numbers(oc)}


OPERATORS = [
    ("conv2d", {**weights(3, 3, 3, 4), "padding": "same", "stride": (2, 1), "alpha": np.array([0.5, 2.0, -1.0])}),
    ("conv2d", {**weights(4, 3, 2, 1), "padding": (2, 1, 0, 1), "groups": 4, "dilation": (2, 1), "clip": (-9.0, None)}),
    ("conv2d", {**weights(2, 1, 1, 4), "padding": (3, 3, 0, 0)}),
    ("conv2d_transpose", {**weights(2, 3, 3, 4), "stride": (2, 2), "crop": (1, 0, 0, 1)}),
    ("conv2d_transpose", {**weights(2, 1, 2, 4), "stride": (3, 1), "crop": (-2, 1, 0, 0)}),
    ("dense", {"weights": whole_numbers(3, 4), "bias": whole_numbers(3)}),
    ("affine", {"scale": whole_numbers(4), "offset": whole_numbers(4)}),
    ("prelu", {"alpha": whole_numbers(12, 6, 4)}),
    ("unary", {"function": "tanh"}), ("softmax", {}), ("relu", {"slope": 0.5, "max_value": 3.0}), ("clip", {"clip": (-1.0, 2.0)}),
    ("max_pool", {"kernel": (3, 2), "stride": (2, 2), "padding": "same"}),
    ("avg_pool", {"kernel": (3, 2), "stride": (1, 2), "padding": (1, 1, 0, 1)}),
    ("global_avg_pool", {"keepdims": True}), ("global_max_pool", {"keepdims": False}),
    ("upsample_nearest", {"factor": (3, 2)}), ("bilinear", {"factor": (2, 4)}), ("bilinear", {"factor": (4, 1)}),
    ("depth_to_space", {"block": 2, "order": "CRD"}), ("space_to_depth", {"block": 2}),
    ("pad", {"pad": (3, 4, 1, 0)}), ("crop", {"crop": (2, 5, 1, 0)}), ("slice", {"axis": 1, "start": 3, "stop": 11}),
    ("flatten", {}), ("reshape", {"shape": (6, 4, -1)}),
]


@pytest.mark.parametrize("op, params", OPERATORS)
def test_bands_of_one_operator(op, params):
    graph = Graph((Node.make("x", "input", shape=(12, 6, 4)), Node.make("y", op, ("x",), **params)), ("x",), ("y",))
    inputs = {"x": whole_numbers(2, 12, 6, 4)}
    expected = dict(steps(graph, inputs))
    for rows in (1, 2, 5):
        tensors = {}
        for band in bands(graph, inputs, rows):
            name = band.node.name
            tensors[name] = graph_bands.gathered(tensors.get(name), band, expected[name].shape, np.float64)
            if band.note is not None:
                np.testing.assert_array_equal(band.note, expected["y:pre"][band.images, band.rows])
        np.testing.assert_array_equal(tensors["y"], expected["y"])
        np.testing.assert_array_equal(tensors["x"], expected["x"])


def conv(name, reads, ic, oc, **params):
    values = {"weights": RNG.normal(size=(oc, 3, 3, ic)), "bias": RNG.normal(size=oc), "padding": "same"}
    return Node.make(name, "conv2d", (reads,), **values, **params)


def network():
    """Two branches, a transposed layer, an attention; sizes are free."""
    nodes = (Node.make("x", "input", shape=(None, None, 3)), conv("a", "x", 3, 8, stride=(2, 2), alpha=np.full(8, 0.25)),
             conv("b", "a", 8, 8, clip=(0.0, None)), Node.make("c", "add", ("a", "b")),
             Node.make("g", "global_avg_pool", ("c",), keepdims=True), Node.make("s", "unary", ("g",), function="sigmoid"),
             Node.make("m", "multiply", ("c", "s")), Node.make("u", "bilinear", ("m",), factor=(2, 2)),
             conv("d", "u", 8, 3), Node.make("y", "concat", ("d", "x"), axis=3))
    return Graph(nodes, ("x",), ("y", "s"))


NETWORK = network()
X = {"x": RNG.random((2, 26, 10, 3))}


@pytest.fixture
def streaming(monkeypatch):
    """Sets the budget so that every run is in bands of three rows or so."""
    def switch():
        monkeypatch.setattr(graph_bands, "WHOLE_BYTES", 0)
        monkeypatch.setattr(graph_bands, "BAND_BYTES", 3 * 10 * 8 * 8)
    return switch


@pytest.mark.parametrize("method", ["max", "percentile", "mse"])
def test_calibration_does_not_change(method, streaming):
    config = Config(calib_method=method)
    expected = calibrate(NETWORK, [X], config)
    streaming()
    found = calibrate(NETWORK, [X], config)
    assert found.amax == expected.amax and list(found.amax) == list(expected.amax)
    assert found.notes == expected.notes


def test_evaluate(streaming):
    expected = evaluate(NETWORK, X)
    streaming()
    for one, other in zip(evaluate(NETWORK, X), expected):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_comparison(streaming):
    config = Config(act_bits=9)
    net = quantize(NETWORK, calibrate(NETWORK, [X], config), config)
    expected = compare(NETWORK, net, X, dump=("m",), monitor=True)
    streaming()
    told = []
    in_bands = compare(NETWORK, net, X, dump=("m",), monitor=True, progress=lambda node, done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] and len(told) > 40
    assert in_bands.worst_layer == expected.worst_layer and set(in_bands.result.tensors) == {"m", "y", "s"}
    for name in in_bands.result.tensors:
        np.testing.assert_array_equal(in_bands.result[name], expected.result[name])
    for one, other in zip(in_bands.layers, expected.layers):
        assert math.isclose(one.sqnr_db, other.sqnr_db, rel_tol=1e-9)
        assert (one.name, one.op, one.format, one.clamped, one.unused_bits) == (
            other.name, other.op, other.format, other.clamped, other.unused_bits)
    np.testing.assert_allclose(in_bands.floats["y"], expected.floats["y"], rtol=1e-12, atol=1e-12)


def test_an_input_is_checked_band_by_band():
    spoilt = X["x"].copy()
    spoilt[1, 25, 9, 2] = np.nan
    with pytest.raises(Exception, match="^x: an input must hold finite numbers, not NaN or infinity$"):
        for _ in bands(fitted(NETWORK, {"x": spoilt.shape}), {"x": spoilt}, 4):
            pass
