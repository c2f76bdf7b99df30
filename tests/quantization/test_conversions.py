"""A quantizer that makes several integer nodes of one float node: the same codes, and everything that follows goes along."""
from dataclasses import replace

import numpy as np
import pytest

import hwsim
from helpers.small_networks import conv, graph, image
from hwsim import Config, Node
from hwsim.hw.config import Device
from hwsim.hw.costs.network_cycles import network_cycles
from hwsim.pipeline.cycles import float_cycles
from hwsim.quantization.convert_array import convert_array
from hwsim.quantization.quantizers.linear import Linear
from hwsim.quantization.quantizers.quantizer import Conversion
from hwsim.quantization.quantizers.registry import QUANTIZERS, register
from hwsim.quantization.shape_twin import sized_layer

SUM = ":sum"


def _in_two(layer):
    """The layer under another name, and its codes passed on under its own."""
    return replace(layer, name=layer.name + SUM), Node.make(layer.name, "identity", (layer.name + SUM,))


class TwoNodes(Linear):
    """`two_nodes`: linear, but each convolution is two nodes."""

    name = "two_nodes"
    conversions = {"conv2d": Conversion(lambda node, context: _in_two(convert_array(node, context)),
                                        lambda node, config: _in_two(sized_layer(node, config)))}

    def words(self, graph, config):
        return self._with_sums(graph, super().words(graph, config))

    def scales(self, graph, words, calibration, config):
        return self._with_sums(graph, super().scales(graph, words, calibration, config))

    @staticmethod
    def _with_sums(graph, of_tensors):
        return of_tensors | {node.name + SUM: of_tensors[node.name] for node in graph.nodes if node.op == "conv2d"}


@pytest.fixture
def two_nodes():
    register(TwoNodes())
    yield Config(weights="two_nodes")
    del QUANTIZERS["two_nodes"]


X = {"x": np.random.default_rng(3).normal(size=(2, 9, 7, 2))}


def network():
    weights = np.random.default_rng(5).normal(size=(2, 2, 2))
    return graph(image(2), conv("a", "x", weights[0], [0.5, -0.25]), conv("b", "a", weights[1], [0.0, 1.0]))


def quantized(config):
    return hwsim.quantize(network(), hwsim.calibrate(network(), [X], config), config)


@pytest.mark.parametrize("engine", ["fast", "reference", "stepped"])
def test_the_codes_are_those_of_one_node(two_nodes, engine):
    net = quantized(two_nodes)
    assert [node.name for node in net.nodes] == ["x", "a:sum", "a", "b:sum", "b"]
    expected = hwsim.run(quantized(Config()), X["x"])["b"]
    assert np.array_equal(hwsim.run(net, X["x"], engine=engine)["b"], expected)


def test_the_comparison_passes_over_added_nodes(two_nodes):
    both = hwsim.compare(network(), quantized(two_nodes), X, monitor=True)
    alone = hwsim.compare(network(), quantized(Config()), X, monitor=True)
    sqnr = {layer.name: layer.sqnr_db for layer in both.layers}
    assert {name: sqnr[name] for name in ("x", "a", "b")} == {layer.name: layer.sqnr_db for layer in alone.layers}
    assert sqnr["a:sum"] is None and np.array_equal(both.floats["b"], alone.floats["b"])


def test_its_cycles_before_and_after_calibration(two_nodes):
    shapes, device = {"x": (1, 9, 7, 2)}, Device()
    assert (float_cycles(hwsim.prepare(network()), shapes, device, two_nodes).layers
            == network_cycles(quantized(two_nodes), shapes, device).layers)


def test_the_file_holds_it(two_nodes, tmp_path):
    hwsim.save(quantized(two_nodes), tmp_path / "net.hwq")
    net = hwsim.open(tmp_path / "net.hwq")
    assert np.array_equal(hwsim.run(net, X["x"])["b"], hwsim.run(quantized(Config()), X["x"])["b"])
