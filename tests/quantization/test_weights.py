"""Weights and biases to codes: the scale rule with its corners, and biases that do not fit."""
import numpy as np
import pytest

from hwsim.errors import QuantizeError
from hwsim.quantization.bias import quantize_bias
from hwsim.quantization.config import Config
from hwsim.quantization.quantizers.quantizer import LayerWeights


def packed(values, bias, w_bits=4, s_in=1.0, in_bits=4, **options):
    weights = np.array(values, float)[:, None, None, :]
    config = Config(**options)
    return config.quantizer.weights(LayerWeights("c", weights, np.array(bias, float), s_in, in_bits, w_bits, False), config)


def test_per_channel():
    layer = packed([[7, -3.5], [1, 2]], [0, 0])
    assert layer.scale.tolist() == [1.0, 2 / 7]
    assert layer.weights.codes[0, :, 0, 0].tolist() == [[7, -4], [4, 7]]  # -3.5 and 3.5 tie to even
    assert layer.weights.flags is None


def test_per_tensor():
    found = packed([[7, -3.5], [1, 2]], [0, 0], per_channel=False)
    assert found.scale.tolist() == [1.0, 1.0]
    assert found.weights.codes[0, :, 0, 0].tolist() == [[7, -4], [1, 2]]


def test_codes_are_narrow():
    assert packed([[-1.0, 1.0]], [0]).weights.codes.ravel().tolist() == [-7, 7]


def test_a_nearly_dead_channel_takes_its_scale_from_its_bias():
    layer = packed([[2e-33], [1.0]], [0.5, 0.0], s_in=0.25)
    assert layer.scale.tolist() == [0.5 / (0.25 * (2**12 - 1)), 1 / 7]
    assert layer.weights.codes.ravel().tolist() == [0, 7]
    assert quantize_bias("c", np.array([0.5, 0.0]), 0.25, layer.scale, "auto").tolist() == [4095, 0]


def test_a_dead_channel_has_scale_1():
    found = packed([[0.0], [1.0]], [0, 0])
    assert found.scale.tolist() == [1.0, 1 / 7]
    assert found.weights.codes.ravel().tolist() == [0, 7]


def test_the_smallest_double():
    found = packed([[5e-324]], [0])
    assert found.weights.codes.ravel().tolist() == [0]


def test_bias_ties_to_even():
    assert quantize_bias("c", np.array([0.5, 1.5, -2.5, 0.0]), 0.5, np.full(4, 2.0), "auto").tolist() == [0, 2, -2, 0]


@pytest.mark.parametrize("bias, acc_bits, message", [
    ([0, 128], 8, "c: the bias of channel 1 must fit 8 accumulator bits, not need 9"),
    ([-129, 0], 8, "c: the bias of channel 0 must fit 8 accumulator bits, not need 9"),
    ([0, 2.0**60], "auto", "c: the bias of channel 1 must fit 48 accumulator bits, not need 62"),
])
def test_a_bias_that_does_not_fit(bias, acc_bits, message):
    with pytest.raises(QuantizeError) as caught:
        quantize_bias("c", np.array(bias, float), 1.0, np.ones(2), acc_bits)
    assert str(caught.value) == message


def test_a_bias_that_just_fits():
    assert quantize_bias("c", np.array([127.0, -128.0]), 1.0, np.ones(2), 8).tolist() == [127, -128]


def test_log_weights():
    found = packed([[1, .8, .51, .35]], [0], w_bits=3, in_bits=8, weights="stlq", weight_bits=3)
    assert found.weights.codes.ravel().tolist() == [1, 1, 1, 2]
    assert found.scale.tolist() == [2.0**-4]


@pytest.mark.parametrize("options", [
    {}, {"weights": "stlq"}, *({"weights": "stlq", "two_word_ratio": 0.3, "granularity": kind, "tn": 4, "tm": 4}
                               for kind in ("tile", "filter", "element"))])
@pytest.mark.parametrize("depthwise", [False, True])
def test_words_and_flags_before_anything_is_calibrated(options, depthwise):
    """They are those of the weights themselves."""
    rng, config = np.random.default_rng(3), Config(**options)
    values = rng.normal(size=(7, 3, 3, 1 if depthwise else 5))
    layer = LayerWeights("c", values, rng.normal(size=7), 0.1, 11, config.w_bits, depthwise)
    weights = config.quantizer.weights(layer, config).weights
    words, flags = config.quantizer.weight_words(layer.weights, layer.w_bits, depthwise, config)
    assert words == weights.words
    if flags is None:
        assert weights.flags is None or not weights.flags.any()
    else:
        np.testing.assert_array_equal(flags, weights.flags)
