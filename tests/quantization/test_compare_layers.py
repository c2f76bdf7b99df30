"""The comparison with the float network, layer by layer."""
import json
import math

import numpy as np
import pytest

from helpers.small_networks import conv, graph, image
from hwsim.errors import GraphError
from hwsim.graph.node import Node
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.compare import LayerQuality, compare, sqnr_db, worst_layer
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize


def network():
    return graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("r", "relu", ("c",)), conv("d", "c", [[0.3]], [0.1]),
                 outputs=("r", "d"))


X = {"x": np.arange(-8, 8).reshape(1, 4, 4, 1) / 7}


def net_of(given, **options):
    config = Config(**options)
    return quantize(given, calibrate(given, [X], config), config)


def test_an_exact_network_has_infinite_quality():
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]))
    codes = {"x": np.arange(-8, 8).reshape(1, 4, 4, 1)}
    net = net_of(given, act_bits=5, weight_bits=2, scales={"x": 1.0, "c": 1.0})
    report = compare(given, net, codes, "reference", monitor=True)
    assert report.layers == (LayerQuality("x", "input", "i5", math.inf, 0, 1), LayerQuality("c", "qconv2d", "i5", math.inf, 0, 1))
    assert report.result["c"].ravel().tolist() == list(range(-8, 8))
    assert report.floats["c"].ravel().tolist() == list(range(-8, 8))


def test_layers_of_a_network():
    done = []
    comparison = compare(network(), net_of(network(), act_bits=4), X, "reference", dump=("x",), monitor=True,
                    progress=lambda node, *count: done.append((node.name, *count)))
    assert [layer.name for layer in comparison.layers] == ["x", "c", "r", "d"]
    assert [layer.op for layer in comparison.layers] == ["input", "qconv2d", "qprelu", "qconv2d"]
    assert done == [("x", 1, 4), ("c", 2, 4), ("r", 3, 4), ("d", 4, 4)]
    assert set(comparison.result.tensors) == {"x", "r", "d"}
    assert set(comparison.floats) == {"r", "d"}
    assert comparison.worst_layer in ("c", "d", "r")


def test_saturated_inputs_are_counted():
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]))
    net = net_of(given, act_bits=3, scale_policy="frozen", scale_ref_bits=4, scales={"x": 1 / 7, "c": 1 / 7})
    assert compare(given, net, X, "reference", monitor=True).layers[0].clamped == 8


def test_a_network_of_another_graph():
    other = graph(image(), conv("z", "x", [[1.0]], [0.0]))
    with pytest.raises(GraphError, match="^c: the float graph must be the one that the network was made from, not give z here$"):
        compare(other, net_of(network()), X, "reference")


def test_sqnr():
    assert sqnr_db(np.array([10.0, 0.0]), np.array([9, 0]), 1.0) == 20.0
    assert sqnr_db(np.zeros(3), np.ones(3, int), 1.0) is None
    assert sqnr_db(np.ones(3), np.ones(3, int), 1.0) == math.inf


def test_sqnr_in_chunks(monkeypatch):
    x, q = np.random.default_rng(0).normal(size=(2, 50, 7)) * 9, np.zeros((2, 50, 7), int)
    q[:] = np.rint(x)
    whole = sqnr_db(x, q, 1.0)
    monkeypatch.setattr("hwsim.quantization.compare.CHUNK", 13)
    assert math.isclose(sqnr_db(x, q, 1.0), whole, rel_tol=1e-12)


def quality(name, op, db):
    return LayerQuality(name, op, "i11", db, 0, 0)


def test_worst_layer():
    assert worst_layer([quality("x", "input", 1.0), quality("a", "qadd", None), quality("b", "qadd", 5.0),
                        quality("c", "qadd", 5.0)]) == "b"
    assert worst_layer([quality("a", "qadd", None)]) is None


def test_as_json():
    assert json.dumps(quality("a", "qadd", math.inf).as_json()) == (
        '{"name": "a", "op": "qadd", "format": "i11", "sqnr_db": null, "clamped": 0, "unused_bits": 0}')
