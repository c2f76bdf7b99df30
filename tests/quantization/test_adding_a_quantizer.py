"""The worked example of docs/adding-a-quantizer.md, run from the page itself, and what the registry refuses."""
import re
from pathlib import Path

import numpy as np
import pytest

import hwsim
from helpers.small_networks import conv, graph, image, ranges
from hwsim.cli.options import config_of, device_of
from hwsim.errors import QuantizeError, UsageError
from hwsim.hw.config import Device
from hwsim.hw.costs.network_cycles import network_cycles
from hwsim.pipeline.cycles import float_cycles
from hwsim.quantization.config import Config
from hwsim.quantization.quantizers.linear import Linear
from hwsim.quantization.quantizers.quantizer import LayerWeights
from hwsim.quantization.quantizers.registry import QUANTIZERS, register
from hwsim.quantization.quantizers.stlq import Stlq

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-quantizer.md"


@pytest.fixture
def page():
    """The names that the page's code defines; its quantizer is taken out of the registry afterwards."""
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(compile(block, str(PAGE), "exec"), names)
    yield names
    QUANTIZERS.pop("ternary", None)


def test_the_weights_are_ternary(page):
    for name in ("a", "b"):
        p = page["net"].graph[name].params
        assert set(np.unique(p["codes"])) == {-1, 0, 1}
        assert (p["w_format"], p["w_bits"], p["flags"]) == ("linear", 2, None)
        assert (p["lo"], p["hi"]) == (-1023, 1023)


def test_by_hand(page):
    net = hwsim.quantize(graph(image(2), conv("c", "x", [[4.0, -2.0], [0.0, 0.0], [1.0, 9.0]], [0.0] * 3)),
                         ranges(x=1, c=1), Config(weights="ternary", act_bits=8))
    assert net.graph["c"].params["codes"].reshape(3, 2).tolist() == [[1, 0], [0, 0], [0, 1]]
    wide = hwsim.quantize(graph(image(2), conv("c", "x", [[4.0, -2.0], [0.0, 0.0], [1.0, 9.0]], [0.0] * 3)),
                          ranges(x=1, c=1), Config(weights="ternary", act_bits=8, per_channel=False))
    assert wide.graph["c"].params["codes"].reshape(3, 2).tolist() == [[1, -1], [0, 0], [0, 1]]


def test_all_engines_agree(page, tmp_path):
    net, images = page["net"], page["images"]
    expected = hwsim.run(net, images["x"], engine="reference", dump=("a", "b"))
    for name in ("a", "b"):
        for engine in ("fast", "stepped"):
            np.testing.assert_array_equal(hwsim.run(net, images["x"], engine=engine, dump=("a", "b"))[name], expected[name])
        assert expected[name].min() >= -1023
    np.testing.assert_array_equal(page["result"]["b"], expected["b"])
    hwsim.save(net, tmp_path / "net.hwq")
    np.testing.assert_array_equal(hwsim.run(hwsim.open(tmp_path / "net.hwq"), images["x"])["b"], expected["b"])


def test_it_is_near_the_float_network_with_the_same_weights(page):
    """The float network whose weights are S_w times the codes: only activations are rounded then."""
    net, given, config = page["net"], page["graph"], page["config"]
    prepared = hwsim.prepare(given)
    decoded = {}
    for name in ("a", "b"):
        node = prepared[name]
        layer = page["Ternary"]().weights(_layer(node), config)
        decoded[name] = node.but(weights=layer.weights.codes[0] * layer.scale.reshape(-1, 1, 1, 1))
    wanted = hwsim.evaluate(prepared.replaced(decoded), page["images"])[0]
    real = hwsim.dequantize(net, "b", page["result"]["b"])
    signal, error = np.sum(wanted ** 2), np.sum((wanted - real) ** 2)
    assert 10 * np.log10(signal / error) > 30


def _layer(node):
    return LayerWeights(node.name, node.params["weights"], node.params["bias"], 1.0, 11, 2, False)


def test_its_cycles_and_its_options(page):
    assert page["result"].cycles["total"]["cycles"] > 0
    assert page["net"].meta["config"]["weights"] == "ternary" and page["net"].meta["config"]["weight_bits"] == 2
    with pytest.raises(UsageError) as caught:
        Config(weights="ternary", weight_bits=8)
    assert str(caught.value) == "weight_bits must be 2..2 for ternary weights, not 8"
    with pytest.raises(UsageError) as caught:
        Config(weights="ternary", layer_bits={"a": (8, 3)})
    assert str(caught.value) == "weight_bits of a must be 2..2, not 3"


@pytest.mark.parametrize(("given", "fields"), [
    ({"weights": "ternary"}, ("linear", 2, "ternary")), ({"weights": "stlq"}, ("stlq", 4, "stlq")),
    ({"weights": "linear"}, ("linear", 8, "linear")), ({}, ("linear", 8, "linear")),
    ({"weights": "stlq", "weight_bits": 3}, ("stlq", 3, "stlq")),
])
def test_the_options_of_a_command(page, given, fields):
    """The device has the format and width of the quantizer's words; the config has its name."""
    given = {"device_name": None, "layer_bits": (), "scales_file": None, **given}
    device = device_of(given)
    config, _ = config_of(given, {}, device)
    assert (device.w_format, device.w_bits, config.weights) == fields
    assert config.w_bits == device.w_bits


def test_its_cycles_are_those_of_the_float_network(page):
    """Before anything is quantized: the array reads its weights as linear ones, whatever the quantizer is called."""
    shapes, device = {"x": (1, 12, 10, 3)}, Device(w_bits=2)
    cycles = float_cycles(hwsim.prepare(page["graph"]), shapes, device, page["config"])
    assert cycles.layers == network_cycles(page["net"], shapes, device).layers


def test_weights_that_are_no_numbers(page):
    with pytest.raises(QuantizeError, match="^a: ternary weights must be finite numbers$"):
        page["Ternary"]().weights(_layer(hwsim.Node.make("a", "conv2d", ("x",), weights=np.full((1, 1, 1, 1), np.inf),
                                                         bias=np.zeros(1))), page["config"])


def test_the_name_is_an_option_only_once_it_is_registered():
    with pytest.raises(UsageError) as caught:
        Config(weights="ternary")
    assert str(caught.value) == "weights must be one of linear, stlq, not 'ternary'"


def test_the_registry():
    assert {name: type(quantizer) for name, quantizer in QUANTIZERS.items()} == {"linear": Linear, "stlq": Stlq}
    assert all(name == quantizer.name for name, quantizer in QUANTIZERS.items())
    with pytest.raises(UsageError, match="^the name of a quantizer must be new, not 'linear'$"):
        register(Linear())


def test_padding_that_the_array_does_not_have():
    class Shifted(Linear):
        name, padding_code = "shifted", 3
    with pytest.raises(UsageError, match="^padding_code of shifted must be 0, which the array pads with, not 3$"):
        register(Shifted())
