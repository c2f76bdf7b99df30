"""In and out: real values to codes and back, the sensor's identity, codes that do not fit."""
from fractions import Fraction

import numpy as np
import pytest

from helpers.small_networks import conv, graph, image, ranges
from hwsim.errors import UsageError
from hwsim.quantization.boundary import check_codes, code_scale, dequantize, quantize_input, read_input
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize


def network(**options):
    return quantize(graph(image(), conv("c", "x", [[1.0]], [0.0])), ranges(x=7, c=7), Config(**options))


def test_ties_to_even_and_saturation():
    codes, clamped = quantize_input(network(act_bits=4), "x", np.array([0.5, 1.5, -2.5, 7.4, 7.5, -8.5, -8.6, 100]))
    assert codes.tolist() == [0, 2, -2, 7, 7, -8, -8, 7]
    assert codes.dtype == np.int32
    assert clamped == 3


@pytest.mark.parametrize("bits", range(1, 16))
def test_the_sensors_integers_are_the_codes(bits):
    net = network(act_bits=max(bits + 1, 2), input_bits=bits)
    raw = np.arange(1 << bits)
    codes, clamped = quantize_input(net, "x", raw / ((1 << bits) - 1))
    assert codes.tolist() == raw.tolist()
    assert clamped == 0
    assert quantize_input(net, "x", dequantize(net, "x", raw))[0].tolist() == raw.tolist()


def test_full_scale_1_at_one_bit_more_is_the_identity_too():
    net = quantize(graph(image(), conv("c", "x", [[1.0]], [0.0])), ranges(x=1, c=7), Config())
    assert net.scales["x"] == Fraction(1, 1023)
    assert quantize_input(net, "x", np.arange(1024) / 1023)[0].tolist() == list(range(1024))


def test_codes_that_fit():
    codes, clamped = check_codes(network(act_bits=4), "x", np.array([-8, 7], np.int8))
    assert (codes.tolist(), codes.dtype, clamped) == ([-8, 7], np.int32, 0)


def test_codes_that_do_not_fit_are_an_error_under_calib():
    with pytest.raises(UsageError, match=r"^x: input codes must be -8\.\.7 \(i4\), not 0\.\.8$"):
        check_codes(network(act_bits=4), "x", np.array([8]))


@pytest.mark.parametrize("policy", ["frozen", "lsb"])
def test_codes_that_do_not_fit_saturate_where_a_bus_was_narrowed(policy):
    net = network(act_bits=4, scale_policy=policy, scale_ref_bits=11)
    codes, clamped = check_codes(net, "x", np.array([1023, -9, 7, -8], np.int64))
    assert (codes.tolist(), clamped) == ([7, -8, 7, -8], 2)


def test_read_input_takes_codes_and_real_values():
    net = network(act_bits=4)
    assert read_input(net, {"x": np.array([1, 2])})[0]["x"].tolist() == [1, 2]
    codes, clamped = read_input(net, {"x": np.array([1.4, 99.0])})
    assert (codes["x"].tolist(), clamped) == ([1, 7], {"x": 1})


def test_wrong_inputs():
    with pytest.raises(UsageError, match="^x: an input must hold finite numbers, not NaN or infinity$"):
        quantize_input(network(), "x", np.array([np.nan]))
    with pytest.raises(UsageError, match="^inputs must be x, not y$"):
        read_input(network(), {"y": np.array([1])})


def test_dequantize():
    assert dequantize(network(act_bits=4), "c", np.array([-8, 3])).tolist() == [-8.0, 3.0]


def test_code_scale():
    assert code_scale(Config()) == Fraction(1, 1023)
    assert code_scale(Config(input_bits=8)) == Fraction(1, 255)
