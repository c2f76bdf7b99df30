"""The cycles of a float network, before anything is quantized, are those of the integer network made from it."""
import numpy as np
import pytest

from hwsim.errors import UsageError
from hwsim.graph.node import Graph, Node
from hwsim.hw.config import load_device, override
from hwsim.hw.costs.network_cycles import image_shapes, network_cycles
from hwsim.pipeline.cycles import float_cycles
from hwsim.pipeline.summary import cycles_summary
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.prepare import prepare


def network():
    """Two convolutions and the raw input, joined: only an input scale that calibration may choose makes the join a move."""
    rng = np.random.default_rng(0)
    return prepare(Graph((Node.make("x", "input", shape=(8, 8, 3)),
                          Node.make("a", "conv2d", ("x",), weights=rng.standard_normal((20, 3, 3, 3)), bias=np.zeros(20),
                                    padding="same"),
                          Node.make("b", "conv2d", ("a",), weights=rng.standard_normal((5, 1, 1, 20)), bias=np.zeros(5)),
                          Node.make("joined", "concat", ("b", "a"), axis=3),
                          Node.make("skip", "concat", ("joined", "x"), axis=3),
                          Node.make("y", "unary", ("skip",), function="tanh")), ("x",), ("y",)))


def both(config, **device):
    """The cycles reports of the float network and of the integer network made from it."""
    graph, device = network(), override(load_device(), **device)
    shapes = image_shapes(graph)
    net = quantize(graph, calibrate(graph, [{"x": np.random.default_rng(1).random(shapes["x"])}], config), config)
    return (cycles_summary(float_cycles(graph, shapes, device, config)), cycles_summary(network_cycles(net, shapes, device)))


@pytest.mark.parametrize("config, device", [
    (Config(), {}),
    (Config(input_bits=10), {}),
    (Config(scales={"x": 0.25}), {}),
    (Config(input_bits=10, scale_policy="frozen", act_bits=8), {"act_bits": 8}),
    (Config(layer_bits={"a": (9, 5)}), {}),
    (Config(weights="stlq", two_word_ratio=0.3), {"w_format": "stlq", "w_bits": 4}),
    (Config(rowpack=True, fold_prelu=False), {"prelu": "unfolded", "dma_bits": 64, "gap": 3}),
])
def test_float_network_counts_as_its_integer_network(config, device):
    before, after = both(config, **device)
    assert before["total"] == after["total"]
    for one, other in zip(before["layers"], after["layers"], strict=True):
        assert {**one, "op": None} == {**other, "op": None}


def test_concat_of_a_decided_input_is_work():
    units = [{row["name"]: (row["unit"], row["cycles"]) for row in both(config)[0]["layers"]}
             for config in (Config(), Config(input_bits=10))]
    assert units[0]["joined"] == units[1]["joined"] == ("address", 0)
    assert units[0]["skip"] == ("address", 0)
    assert units[1]["skip"] == ("vector", 8 * 8 * 2)


def test_a_layer_that_is_not_there_is_refused():
    graph = network()
    with pytest.raises(UsageError) as error:
        float_cycles(graph, image_shapes(graph), load_device(), Config(layer_bits={"nonsense": (8, 8)}))
    assert str(error.value) == "layer_bits must name layers that make values, not 'nonsense'"
