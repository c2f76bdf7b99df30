"""Log-scale weights: the golden words, exact decisions, the choice of two-word tiles, and why three bits collapse."""
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import QuantizeError, UsageError
from hwsim.ops.weights import weight_format
from hwsim.quantization.config import Config
from hwsim.quantization.stlq import decode, encode, encode_layer, values

GOLDEN = np.array([1, 0.8, 0.51, 0.35, 0.05, -0.05, 0])


def config(**options):
    return Config(**{"weights": "stlq", "weight_bits": 4, **options})


def layer(shape=(40, 3, 3, 20), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_golden_words():
    first = encode(GOLDEN, 1.0, 3)
    assert first.tolist() == [1, 1, 1, 2, 3, -4, 0]
    assert encode(GOLDEN - decode(first, 1.0), 1.0, 3).tolist() == [1, 2, 3, 3, -4, 3, 0]


def test_golden_layer():
    codes, scale, flags = encode_layer(GOLDEN.reshape(-1, 1, 1, 1), 3, config(weight_bits=3, two_word_ratio=1.0))
    assert codes.reshape(2, -1).tolist() == [[1, 1, 1, 2, 3, -4, 0], [1, 2, 3, 3, -4, 3, 0]]
    assert (scale, flags.shape, flags.all()) == (2.0 ** -4, (1, 1, 1, 1), True)


def exact_word(x, unit, bits):
    """The word of x by fractions: k is right iff 2^-(2k+1) < (x/U)^2 < 2^-(2k-1)."""
    if x == 0:
        return 0
    square, k = (Fraction(abs(x)) / Fraction(unit)) ** 2, 0
    while square < Fraction(2) ** -(2 * k + 1):
        k += 1
    while square > Fraction(2) ** -(2 * k - 1):
        k -= 1
    limit = 1 << (bits - 1)
    return min(max(k, 1), limit - 1) if x > 0 else -min(max(k, 1), limit)


@given(st.floats(-4, 4, width=64), st.floats(1e-3, 8), st.integers(2, 5))
def test_the_decision_is_exact(x, unit, bits):
    assert encode(np.array([x]), unit, bits)[0] == exact_word(x, unit, bits)


@pytest.mark.parametrize("k", range(1, 15))
def test_the_decision_beside_the_root(k):
    """The floats next to U * 2^-(k-1/2), where a logarithm in floats can fall on the wrong side."""
    edge = math.ldexp(math.sqrt(2), -k)
    for x in (np.nextafter(edge, 0), edge, np.nextafter(edge, 1)):
        for unit in (1.0, np.nextafter(1, 2), np.nextafter(1, 0)):
            assert encode(np.array([x]), unit, 5)[0] == exact_word(x, unit, 5)


def test_the_smallest_and_largest_floats():
    weights = np.array([5e-324, -5e-324, 1e-310, 1.7e308, -1.7e308])
    assert encode(weights, 1.7e308, 4).tolist() == [7, -8, 7, 1, -1]
    assert encode(np.array([5e-324]), 5e-324, 4).tolist() == [1]


def test_integer_weights_times_scale_are_the_values():
    codes, scale, _ = encode_layer(layer(), 4, config(two_word_ratio=0.5))
    unit = math.ldexp(scale, 8)
    np.testing.assert_array_equal(weight_format("stlq", 4).integer(codes).sum(axis=0) * scale, values(codes, unit))


@pytest.mark.parametrize(("ratio", "tiles"), [(0, 0), (0.15, 8), (0.5, 27), (1, 54)])
def test_how_many_tiles_take_two_words(ratio, tiles):
    """54 tiles; 0.15 * 54 = 8.1, and a half goes to even: 0.25 * 54 = 13.5 is 14."""
    codes, _, flags = encode_layer(layer(), 4, config(two_word_ratio=ratio))
    assert (flags.shape, flags.sum(), len(codes)) == ((3, 2, 3, 3), tiles, 2 if tiles else 1)
    assert encode_layer(layer(), 4, config(two_word_ratio=0.25))[2].sum() == 14


def test_the_tiles_with_the_largest_rest_are_chosen():
    weights = layer()
    _, _, flags = encode_layer(weights, 4, config(two_word_ratio=0.15))
    unit = np.abs(weights).max()
    rest = weights - decode(encode(weights, unit, 4), unit)
    norms = {at: math.fsum((rest[16 * at[0]:16 * at[0] + 16, at[2], at[3], 16 * at[1]:16 * at[1] + 16] ** 2).ravel())
             for at in np.ndindex(flags.shape)}
    assert {at for at in norms if flags[at]} == set(sorted(norms, key=norms.get)[-8:])


def test_ties_go_to_the_lowest_index():
    weights = np.full((48, 1, 1, 16), 0.7)
    weights[0, 0, 0, 0] = 1.0
    _, _, flags = encode_layer(np.concatenate([weights[16:], weights[:16]]), 4, config(two_word_ratio=0.34))
    assert flags.ravel().tolist() == [False, False, True]
    _, _, flags = encode_layer(np.full((48, 1, 1, 16), 0.7), 4, config(two_word_ratio=0.34))
    assert flags.ravel().tolist() == [True, False, False]


def test_the_second_word_is_zero_elsewhere():
    codes, _, flags = encode_layer(layer(), 4, config(two_word_ratio=0.15))
    spread = np.repeat(np.repeat(flags, 16, axis=0)[:40], 16, axis=1)[:, :20].transpose(0, 2, 3, 1)
    assert not codes[1][~spread].any() and codes[1][spread].all()


def test_depthwise_tiles():
    _, _, flags = encode_layer(layer((40, 3, 3, 1)), 4, config(two_word_ratio=0.5), depthwise=True)
    assert (flags.shape, flags.sum()) == ((3, 1, 3, 3), 14)


def test_filters_take_their_whole_column_tile():
    codes, _, flags = encode_layer(layer(), 4, config(two_word_ratio=0.05, granularity="filter"))
    chosen = codes[1].any(axis=(1, 2, 3))
    assert chosen.sum() == 2
    assert flags.all(axis=(1, 2, 3)).tolist() == np.logical_or.reduceat(chosen, [0, 16, 32]).tolist()


def test_elements_have_no_flags():
    codes, _, flags = encode_layer(layer(), 4, config(two_word_ratio=0.1, granularity="element"))
    assert (flags, np.count_nonzero(codes[1])) == (None, 720)
    assert encode_layer(layer(), 4, config(granularity="element"))[0].shape[0] == 1


def test_best_never_adds_error_and_mse_never_more_than_max():
    weights = layer()

    def error(**options):
        codes, scale, _ = encode_layer(weights, 4, config(two_word_ratio=0.5, **options))
        return np.abs(weights - values(codes, math.ldexp(scale, 8)))
    assert (error(stlq="best") <= error()).all()
    assert (error(log_u="mse") ** 2).sum() < (error() ** 2).sum()


def test_a_layer_of_zeros_and_one_that_is_not_finite():
    codes, scale, flags = encode_layer(np.zeros((2, 1, 1, 2)), 4, config(two_word_ratio=1.0))
    assert (codes.any(), scale, flags.all()) == (False, 2.0 ** -8, True)
    with pytest.raises(QuantizeError, match=r"^log weights must be finite numbers$"):
        encode_layer(np.full((1, 1, 1, 1), np.nan), 4, config())


@pytest.mark.parametrize(("mode", "negative"), [("literal", 1), ("best", -1)])
def test_why_three_bits_collapse(mode, negative):
    """A small positive weight becomes 0, a small negative one +-U/16: an error of one sign over a whole filter."""
    small = np.array([1.0, 0.01, -0.01]).reshape(-1, 1, 1, 1)
    codes, _, _ = encode_layer(small, 3, config(weight_bits=3, two_word_ratio=1.0, stlq=mode))
    assert values(codes, 1.0).ravel().tolist() == [1.0, 0.0, negative / 16]


def test_four_bits_make_the_same_error_sixteen_times_smaller():
    small = np.array([1.0, 0.001, -0.001]).reshape(-1, 1, 1, 1)
    codes, _, _ = encode_layer(small, 4, config(two_word_ratio=1.0, stlq="best"))
    assert values(codes, 1.0).ravel().tolist() == [1.0, 0.0, -1 / 256]


def test_log_weights_have_one_scale_a_layer():
    assert not config().channel_scales and not config(per_channel=False).channel_scales and Config().channel_scales
    assert (config().as_json()["per_channel"], Config().as_json()["per_channel"]) == (False, True)
    with pytest.raises(UsageError, match="^per_channel must be off for stlq weights, whose scale is one per layer, not on$"):
        config(per_channel=True)
