"""Calibration: ranges over all images, one image at a time, with warnings for people."""
import numpy as np
import pytest

from helpers.small_networks import conv, graph, image, ranges
from hwsim.errors import QuantizeError, UsageError
from hwsim.graph.node import Node
from hwsim.quantization.calibrate import Calibration, calibrate
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize


def network():
    return graph(image(), conv("c", "x", [[2.0]], [-1.0]), Node.make("r", "relu", ("c",)))


def batches(*peaks):
    for peak in peaks:
        yield {"x": np.full((1, 2, 2, 1), peak)}


def test_ranges_before_and_after_an_activation():
    found = calibrate(network(), batches(0.25, -3.0, 2.0, 0.0), Config())
    assert found.amax == {"x": 3.0, "c:pre": 7.0, "c": 3.0}
    assert (found.images, found.method, found.headroom, found.notes) == (4, "max", 1.0, ())


def test_images_are_taken_one_at_a_time():
    seen = []

    def source():
        for n in range(3):
            assert seen == list(range(1, n + 1))
            yield {"x": np.ones((1, 4 + n, 2, 1))}
    found = calibrate(network(), source(), Config(), seen.append)
    assert found.images == 3
    assert found.notes == ("calibration saw 3 images; fewer than 4 can cost several dB",)


def test_ranges_are_float32_with_headroom():
    found = calibrate(network(), batches(0.1), Config(headroom=1.5))
    assert found.amax["x"] == float(np.float32(0.1 * 1.5))
    assert found.notes == ("calibration saw 1 image; fewer than 4 can cost several dB",)


def test_a_dead_tensor_has_range_0():
    assert calibrate(network(), batches(-1.0), Config()).amax["c"] == 0.0


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_methods(method):
    values = np.random.default_rng(0).normal(size=(4, 64, 64, 1))
    found = calibrate(network(), ({"x": v[None]} for v in values), Config(calib_method=method, act_bits=4))
    assert 0 < found.amax["x"] < np.abs(values).max()
    if method == "percentile":
        assert found.amax["x"] == float(np.float32(np.percentile(np.abs(values), 99.99)))


def test_no_image():
    with pytest.raises(UsageError, match="^calibration must have at least one image, not none$"):
        calibrate(network(), (), Config())


def test_values_that_leave_the_floats():
    inverse = graph(image(), Node.make("i", "unary", ("x",), function="reciprocal"))
    with pytest.raises(QuantizeError, match="^i: the float network must stay finite while it is calibrated, not give inf$"):
        with np.errstate(divide="ignore"):
            calibrate(inverse, batches(0.0), Config())


def test_ranges_are_asked_for_by_name():
    found = Calibration({"x": 2.0, "y": float("inf")}, 8)
    assert found.range_of("x") == 2.0
    with pytest.raises(QuantizeError, match="^z: the calibration must hold the range of this tensor, not only of 2 others$"):
        found.range_of("z")
    with pytest.raises(QuantizeError, match="^y: the calibrated range must be finite, not inf$"):
        found.range_of("y")


def test_inputs_of_other_names():
    with pytest.raises(UsageError, match="^inputs must be x, not y$"):
        calibrate(graph(image(2), conv("c", "x", [[1.0, 1.0]], [0.0])), [{"y": np.zeros((1, 1, 1, 2))}], Config())


def test_a_network_that_is_quantized_already():
    net = quantize(graph(image(2), conv("c", "x", [[1.0, 1.0]], [0.0])), ranges(x=1, c=1), Config())
    with pytest.raises(UsageError, match="must be given a float Graph, as hwsim.load makes it, not IntegerGraph$"):
        quantize(net, ranges(x=1, c=1), Config())
