"""Weight formats say true integer facts, and Weights keep codes and flags together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.fixed.formats import IntFormat
from hwsim.ops.weights import FORMATS, Linear, Log, Weights, weight_format


def every_code(form):
    return np.arange(form.word.min, form.word.max + 1)


FORMS = [*(Linear(bits) for bits in (2, 3, 8)), *(Log(bits) for bits in (2, 3, 4, 5))]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_extremes_are_those_of_every_code(form):
    weights = form.integer(every_code(form))
    assert form.extremes() == (weights.min(), weights.max())
    assert form.extremes(2) == (2 * weights.min(), 2 * weights.max())
    narrow = form.integer(every_code(form)[1:])
    assert form.extremes(1, narrow=True) == (narrow.min(), narrow.max())


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_products_fit_their_word_and_not_a_narrower_one(form):
    activation = IntFormat(6)
    products = np.multiply.outer(form.integer(every_code(form)), np.array([activation.min, activation.max]))
    bits = form.product_bits(activation)
    assert products.min() in IntFormat(bits) and products.max() in IntFormat(bits)
    assert products.max() not in IntFormat(bits - 1) or products.min() not in IntFormat(bits - 1)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_unit_code_weighs_one(form):
    assert abs(form.integer(np.array([form.unit_code]))[0]) == 1
    assert form.codes.min >= form.word.min and form.codes.max == form.word.max


def test_the_registry_is_by_the_names_of_files():
    assert (list(FORMATS), weight_format("linear", 8), weight_format("stlq", 4)) == (["linear", "stlq"], Linear(8), Log(4))


def log_weights(flags):
    return Weights(np.arange(-6, 6).reshape(2, 6, 1, 1, 1), Log(4), flags)


def test_fields_go_out_and_come_back():
    weights = log_weights(np.ones((3, 1, 1, 1), bool))
    again = Weights.from_fields(weights.to_fields())
    assert again.codes is weights.codes and again.flags is weights.flags and again.format == weights.format


@given(st.lists(st.booleans(), min_size=3, max_size=3), st.integers(0, 5), st.integers(1, 6))
def test_a_group_takes_two_words_where_one_of_its_channels_does(tiles, first, count):
    outs, tm = slice(first, min(first + count, 6)), 2
    group = log_weights(np.array(tiles).reshape(3, 1, 1, 1)).of(outs, tm)
    channels = np.repeat(tiles, tm)[outs]
    expected = [any(channels[start:start + tm]) for start in range(0, len(channels), tm)]
    assert group.flags.ravel().tolist() == expected
    np.testing.assert_array_equal(group.codes, log_weights(None).codes[:, outs])


def test_second_words():
    assert log_weights(None).second_words(2, 9) == [9, 9] and log_weights(None).per_element
    assert log_weights(np.array([1, 0, 1], bool).reshape(3, 1, 1, 1)).second_words(3, 1) == [1, 0, 1]
    one = Weights(np.ones((1, 6, 1, 1, 1), np.int64), Linear(8))
    assert one.second_words(2, 9) == [0, 0] and not one.per_element


def test_the_lowest_code_counts_only_where_it_occurs():
    codes = np.array([-127, 127]).reshape(1, 1, 1, 1, 2)
    assert Weights(codes, Linear(8)).extremes == (-127, 127)
    assert Weights(codes - 1, Linear(8)).extremes == (-128, 127)


def test_taps_are_taken_in_order():
    codes = np.arange(9).reshape(1, 1, 3, 3, 1)
    weights = Weights(codes, Linear(8))
    assert weights.at_taps((2, 0), (1,)).codes.ravel().tolist() == [7, 1]
    assert weights.taps == 9
    assert weights.without_taps().codes.shape == (1, 1, 1, 1, 1) and not weights.without_taps().codes.any()
