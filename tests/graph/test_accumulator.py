"""Accumulator widths by integer arithmetic: the law's literal checks, and every bound against all inputs of a small layer."""
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import QuantizeError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.accumulator import array_layers, daq_rule, datatype_bits, datatype_range, safe_bits, signed_bits, weights_range
from hwsim.graph.node import Graph, Node

U8, I8 = IntFormat(8, signed=False), IntFormat(8)


def qconv(codes, bias=None, **params):
    codes = np.asarray(codes, np.int64)
    ones = np.ones(codes.shape[1], np.int64)
    bias = np.zeros_like(ones) if bias is None else np.array(bias, np.int64)
    return Node.make("c", "qconv2d", ("x",), codes=codes, bias=bias, m_pos=ones, m_neg=ones, shift=ones, lo=-8, hi=7, **params)


def network(node, channels):
    return Graph((Node.make("x", "input", shape=(None, None, channels)), node), ("x",), ("c",))


def layer_of(node, channels, fmt):
    (layer, found), = array_layers(network(node, channels), {"x": fmt})
    assert found is fmt
    return layer


def row(weights, bias=0, **params):
    return layer_of(qconv(np.reshape(weights, (-1, 1, 1, 1, np.shape(weights)[-1])), [bias], **params), np.shape(weights)[-1], U8)


@pytest.mark.parametrize("fmt, lo, hi", [(U8, -765, 1020), (I8, -893, 892)])
def test_the_laws_example(fmt, lo, hi):
    found = weights_range(row([3, -2, 1, -1]), fmt)
    assert (found.lo.tolist(), found.hi.tolist(), found.bits, found.prefix_safe) == ([lo], [hi], 11, True)


def test_the_published_rule_is_no_bound():
    layer = layer_of(qconv(np.zeros((1, 1, 3, 3, 256), int)), 256, I8)
    assert datatype_bits(layer, I8) == 27
    assert daq_rule(layer, I8) == 26


@pytest.mark.parametrize("kernel, ic, bits", [((1, 1), 1, 15), ((1, 1), 2, 15), ((1, 1), 3, 16), ((1, 2), 1, 15),
                                              ((3, 3), 1, 18)])
def test_daq_rule(kernel, ic, bits):
    assert daq_rule(layer_of(qconv(np.zeros((1, 1, *kernel, ic), int)), ic, I8), I8) == bits


def test_datatype_counts_extreme_products():
    assert datatype_range(row([0, 0, 0, 0]), I8) == (4 * -128 * 127, 4 * 128 * 127)
    assert datatype_range(row([0, 0, 0, -128]), I8) == (4 * 127 * -128, 4 * 128 * 128)


@pytest.mark.parametrize("words, end", [(1, 1 << 7), (2, 1 << 8)])
def test_datatype_of_log_words(words, end):
    layer = row(np.zeros((words, 3), int), w_format="stlq", w_bits=4)
    assert datatype_range(layer, U8) == (3 * 255 * -end, 3 * 255 * end)


def test_bias_joins_each_end_by_its_own_sign():
    assert weights_range(row([1, -1], bias=10), U8).hi.tolist() == [265]
    assert weights_range(row([1, -1], bias=10), U8).lo.tolist() == [-255]
    assert weights_range(row([1, -1], bias=-10), U8).lo.tolist() == [-265]


def test_both_words_count_on_their_own():
    layer = row([[1], [-2]], w_format="stlq", w_bits=3)  # weights 2^3 and -2^2: as beats 8x then -4x
    found = weights_range(layer, U8)
    assert (found.lo.tolist(), found.hi.tolist()) == ([-4 * 255], [8 * 255])


def test_a_format_without_zero_is_not_prefix_safe():
    class Above(IntFormat):
        min = 1
    assert not weights_range(row([1, 1]), Above(8)).prefix_safe


@pytest.mark.parametrize("lo, hi, bits", [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-129, 0, 9), (0, 128, 9), (5, 5, 4)])
def test_signed_bits(lo, hi, bits):
    assert signed_bits(lo, hi) == bits


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=4), st.integers(-9, 9))
def test_every_prefix_of_every_input_is_inside_and_the_ends_are_met(weights, bias):
    fmt = IntFormat(2)
    bounds = weights_range(row(weights, bias), fmt)
    sums = set()
    for x in product(range(fmt.min, fmt.max + 1), repeat=len(weights)):
        products = [a * w for a, w in zip(x, weights)]
        sums |= {bias + sum(products[:n]) for n in range(len(products) + 1)} | {sum(products)}
    assert (min(sums | {0}), max(sums | {0})) == (bounds.lo[0], bounds.hi[0])


def test_a_transposed_layer_counts_its_phases():
    codes = np.full((1, 1, 4, 4, 1), 100, np.int64)
    ones = np.ones(1, np.int64)
    node = Node.make("c", "qconv2d_transpose", ("x",), codes=codes, bias=ones * 0, m_pos=ones, m_neg=ones, shift=ones,
                     lo=-8, hi=7, stride=(2, 2), crop=(1, 1, 1, 1))
    found = [weights_range(layer, U8).hi.tolist() for layer, _ in array_layers(network(node, 1), {"x": U8})]
    assert found == [[4 * 100 * 255]] * 4


def test_safe_bits():
    assert safe_bits(network(qconv(np.ones((1, 1, 1, 1, 1), int)), 1), {"x": IntFormat(2)}) == 8
    assert safe_bits(network(qconv(np.full((1, 2, 1, 1, 1), 127)), 1), {"x": I8}) == 15
    wide = qconv(np.ones((1, 1, 1, 1, 1), int), [1 << 50])
    with pytest.raises(QuantizeError, match="^c: the accumulator must be at most 48 bits, not 52 as its weights need$"):
        safe_bits(network(wide, 1), {"x": I8})
