"""Literal values of the law, from every engine; none is computed by another engine."""
from fractions import Fraction

import numpy as np
import pytest
from helpers.engine_nets import ENGINES, array, assert_engines_agree, codes_of, everything, fields, network, source

from hwsim.engine.result import AccEvent
from hwsim.fixed.formats import Datapath, Overflow, Rounding
from hwsim.fixed.multiplier import folded
from hwsim.graph.node import Node

both_engines = pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
PLAIN = [r for r in Rounding if r is not Rounding.GEMMLOWP]


def outputs(net, inputs, engine):
    """The last tensor, the same plain and monitored."""
    monitored, plain = (everything(net, inputs, engine, monitor)[-1][1] for monitor in (True, False))
    np.testing.assert_array_equal(monitored, plain)
    return monitored


def of_accumulators(acc, datapath, fmt="i32", **params):
    """A dense layer of zero weights whose accumulators are its biases, and its output."""
    node = Node.make("y", "qdense", ("x",), codes=codes_of(np.zeros((len(acc), 1, 1, 1))),
                     **{**fields(len(acc)), **params, "bias": np.array(acc)})
    return network([source((1,)), node], datapath, formats={"x": "i8", "y": fmt}), {"x": np.zeros((1, 1), int)}


def fields_of(ratio, alpha, count):
    m_pos, m_neg, shift = folded(ratio, alpha, 16)
    return {"m_pos": np.full(count, m_pos), "m_neg": np.full(count, m_neg), "shift": np.full(count, shift)}


@both_engines
def test_folded_and_unfolded_prelu_differ_in_saturation(engine):
    """S_w = 2^-7, S_in = 2^-10, S_out = S_conv = 2^-9, alpha = 1/4, A = 11."""
    ratio, acc = Fraction(1, 1 << 8), [-300000, 1000, -1000]
    ends = {"lo": -1024, "hi": 1023}
    net = of_accumulators(acc, Datapath(), "i11", **fields_of(ratio, Fraction(1, 4), 3), **ends)
    assert outputs(*net, engine).tolist() == [[-293, 4, -1]]
    second = fields_of(Fraction(1), 1, 3)
    net = of_accumulators(acc, Datapath(folded=False), "i11", **fields_of(ratio, 1, 3), **ends,
                          alpha_q=np.full(3, 1 << 12), m2=second["m_pos"], shift2=second["shift"])
    assert outputs(*net, engine).tolist() == [[-256, 4, -1]]


ACC = [5, 6, 7, -5, -6, -7, 2, -2, 10, -10]
ROUNDED = {  # ACC / 4
    Rounding.HALF_UP: [1, 2, 2, -1, -1, -2, 1, 0, 3, -2],
    Rounding.HALF_AWAY: [1, 2, 2, -1, -2, -2, 1, -1, 3, -3],
    Rounding.HALF_EVEN: [1, 2, 2, -1, -2, -2, 0, 0, 2, -2],
    Rounding.FLOOR: [1, 1, 1, -2, -2, -2, 0, -1, 2, -3],
}


@both_engines
@pytest.mark.parametrize("rounding", PLAIN)
@pytest.mark.parametrize("wide", [False, True])
def test_ties(engine, rounding, wide):
    """Also when another channel's 31-bit multiplier sends a 48-bit accumulator past 64 bits: 2^47 * (2^31-1)."""
    acc = ACC + [-(1 << 47)]
    m = [1] * len(ACC) + [(1 << 31) - 1 if wide else 1]
    shift = [2] * len(ACC) + [62]
    net = of_accumulators(acc, Datapath(rounding=rounding, mult_bits=31),
                          m_pos=np.array(m), m_neg=np.array(m), shift=np.array(shift))
    assert outputs(*net, engine).tolist()[0][:-1] == ROUNDED[rounding]


@both_engines
@pytest.mark.parametrize("rounding, expected", [
    (Rounding.HALF_UP, [-65536, 65536, -8, 8]), (Rounding.HALF_AWAY, [-65536, 65536, -8, 8]),
    (Rounding.HALF_EVEN, [-65536, 65536, -8, 8]), (Rounding.FLOOR, [-65536, 65535, -8, 7])])
def test_products_past_64_bits(engine, rounding, expected):
    """-2^47, 2^47-1, -2^34 and 2^34 times 2^31-1, by 2^62: just inside -2^16, 2^16, -8 and 8."""
    top = (1 << 47) - 1
    m = np.full(4, (1 << 31) - 1)
    net = of_accumulators([-top - 1, top, -(1 << 34), 1 << 34], Datapath(rounding=rounding, mult_bits=31),
                          m_pos=m, m_neg=m, shift=array(62, 62, 62, 62))
    assert outputs(*net, engine).tolist() == [expected]


@both_engines
def test_gemmlowp_rounds_twice_and_saturates_at_both_ends(engine):
    acc = [-321946, 1 << 40, -(1 << 40), 1 << 33, 3, -3]
    m = [1459357788, (1 << 31) - 1, (1 << 31) - 1, 1 << 30, 1 << 30, 1 << 30]
    shift = [37, 31, 31, 33, 31, 31]
    net = of_accumulators(acc, Datapath(rounding=Rounding.GEMMLOWP, mult_bits=31),
                          m_pos=np.array(m), m_neg=np.array(m), shift=np.array(shift))
    assert outputs(*net, engine).tolist() == [[-3419, (1 << 31) - 1, -(1 << 31), 536870912, 2, -1]]


@both_engines
@pytest.mark.parametrize("bits, acc_bits, shift, expected", [
    (8, 20, 0, 18 << 14), (16, 36, 10, 18 << 20), (16, 48, 10, 18 << 20)])
def test_all_minimum_operands(engine, bits, acc_bits, shift, expected):
    """18 products of the two lowest codes; those of 16 bits need 36."""
    low = -(1 << (bits - 1))
    node = Node.make("y", "qconv2d", ("x",), codes=codes_of(np.full((1, 3, 3, 2), low)), w_bits=bits, **fields(1, shift=shift))
    net = network([source((3, 3, 2)), node], Datapath(acc_bits), formats={"x": f"i{bits}"})
    assert outputs(net, {"x": np.full((1, 3, 3, 2), low)}, engine).tolist() == [[[[expected]]]]


def one_lane_per_beat(weights, mode):
    node = Node.make("y", "qdense", ("x",), codes=codes_of(np.reshape(weights, (1, 1, 1, -1))), **fields(1))
    return network([source((len(weights),)), node], Datapath(acc_bits=8, acc_mode=mode, tn=1), formats={"x": "i8"})


@both_engines
@pytest.mark.parametrize("weights, mode, expected", [
    ([100, 60, -90], Overflow.SATURATE, 37), ([100, -90, 60], Overflow.SATURATE, 70),
    ([100, 60, -90], Overflow.WRAP, 70), ([100, -90, 60], Overflow.WRAP, 70)])
def test_saturation_keeps_the_order_and_wrapping_does_not(engine, weights, mode, expected):
    net = one_lane_per_beat(weights, mode)
    assert outputs(net, {"x": np.ones((1, 3), int)}, engine).tolist() == [[expected]]


@both_engines
def test_events_are_counted_on_the_stored_accumulator_and_observed_is_exact(engine):
    """Wrapping: 100, 160 -> -96 (event), -96 - 90 = -186 -> 70 (event). Exact: 100, 160, 70."""
    _, _, stats = everything(one_lane_per_beat([100, 60, -90], Overflow.WRAP), {"x": np.ones((1, 3), int)}, engine)[-1]
    assert stats.events == 2
    assert stats.first == AccEvent("y", 0, 0, 0, 0, 0, 0, 0, 1, 0, 160)
    assert (stats.observed_min.tolist(), stats.observed_max.tolist(), stats.clamped) == ([70], [160], 0)


@both_engines
def test_the_first_event_is_of_the_first_output_tile(engine):
    """Tile 1 overflows at the first pixel, tile 0 only at the last: issue order has the tile outside the pixels."""
    w = np.zeros((3, 1, 1, 1), np.int64)
    w[0], w[1], w[2] = 1, 1, 100
    node = Node.make("y", "qconv2d", ("x",), codes=codes_of(w), **fields(3))
    net = network([source((1, 2, 1)), node], Datapath(acc_bits=8, tm=2), formats={"x": "i9"})
    _, _, stats = everything(net, {"x": np.array([2, 200]).reshape(1, 1, 2, 1)}, engine)[-1]
    assert stats.first == AccEvent("y", 0, 0, 0, 1, 0, 0, 0, 0, 0, 200)
    assert stats.events == 4


@both_engines
def test_two_word_log_weights(engine):
    """N = 3: a word is 2^(4-|q|); q1 and q2 of x = 1, .8, .51, .35, .05, -.05, 0 at U = 1, each lane seen alone."""
    codes = array([1, 1, 1, 2, 3, -4, 0], [1, 2, 3, 3, -4, 3, 0]).reshape(2, 1, 1, 1, 7)
    node = Node.make("y", "qdense", ("x",), codes=codes, w_format="stlq", w_bits=3, **fields(1))
    net = network([source((7,)), node], formats={"x": "i8"})
    assert outputs(net, {"x": np.eye(7, dtype=int)}, engine).ravel().tolist() == [16, 12, 10, 6, 1, 1, 0]


@both_engines
def test_each_word_is_a_beat(engine):
    """60 + 8*8 = 124 fits 8 bits, the second word's 124 + 64 = 188 does not."""
    codes = array([1], [1]).reshape(2, 1, 1, 1, 1)
    node = Node.make("y", "qdense", ("x",), codes=codes, w_format="stlq", w_bits=3, **fields(1, bias=60))
    net = network([source((1,)), node], Datapath(acc_bits=8, acc_mode=Overflow.SATURATE), formats={"x": "i8"})
    _, y, stats = everything(net, {"x": np.full((1, 1), 8)}, engine)[-1]
    assert y.tolist() == [[127]]
    assert stats.first == AccEvent("y", 0, 0, 0, 0, 0, 0, 0, 0, 1, 188)
    assert (stats.observed_min.tolist(), stats.observed_max.tolist()) == ([124], [188])


@both_engines
def test_transposed_convolution_scatters(engine):
    """Input 1, 10 with kernel 1, 2, 3 at stride 2: 1 2 3+10 20 30; the phases are .p00 (even) and .p01 (odd).

    Taps go by growing input: the last output meets input 1 with kernel tap 2 first, then the position after the image.
    """
    node = Node.make("y", "qconv2d_transpose", ("x",), codes=codes_of(array(1, 2, 3).reshape(1, 1, 3, 1)),
                     stride=(1, 2), crop=(0, 0, 0, 0), **fields(1))
    net = network([source((1, 2, 1)), node], Datapath(acc_bits=8), formats={"x": "i8"})
    assert outputs(net, {"x": array(1, 10).reshape(1, 1, 2, 1)}, engine).ravel().tolist() == [1, 2, 13, 20, 30]
    _, _, stats = everything(net, {"x": array(1, 100).reshape(1, 1, 2, 1)}, engine)[-1]
    assert stats.first == AccEvent("y.p00", 0, 0, 0, 2, 0, 0, 0, 0, 0, 300)
    assert stats.events == 2


@both_engines
def test_output_positions_without_taps_hold_the_bias(engine):
    node = Node.make("y", "qconv2d_transpose", ("x",), codes=codes_of(array(5).reshape(1, 1, 1, 1)),
                     stride=(1, 3), crop=(0, 0, -1, 0), **fields(1, bias=7))
    net = network([source((1, 2, 1)), node], formats={"x": "i8"})
    assert outputs(net, {"x": array(1, 10).reshape(1, 1, 2, 1)}, engine).ravel().tolist() == [7, 12, 7, 7, 57]


def vector(op, values, out="i11", datapath=None, **params):
    """One vector operator on an image of one row and one channel per input."""
    images = [np.array(v).reshape(1, 1, -1, 1) for v in values]
    sources = [source(x.shape[1:], f"x{i}", i) for i, x in enumerate(images)]
    node = Node.make("y", op, tuple(d.name for d in sources), **params)
    formats = {d.name: "i11" for d in sources} | {"y": out}
    return network([*sources, node], datapath, formats=formats), {d.name: x for d, x in zip(sources, images)}


ENDS = {"lo": -1024, "hi": 1023}


@both_engines
@pytest.mark.parametrize("net, expected", [
    (vector("qadd", [[3, -3, 1000], [4, -4, 1000]], m=array(1, 1), shift=1, **ENDS), [4, -3, 1000]),
    (vector("qadd", [[9], [4]], m=array(2, -3), shift=0, **ENDS), [6]),
    (vector("qmul", [[3, -3, 1023], [5, 5, 1023]], m=1, shift=1, **ENDS), [8, -7, 1023]),
    (vector("qmaximum", [[3, -5], [2, -2]], m=array(1, 4), shift=array(0, 1), **ENDS), [4, -4]),
    (vector("qminimum", [[3, -5], [2, -2]], m=array(1, 4), shift=array(0, 1), **ENDS), [3, -5]),
    (vector("qconcat", [[3, -5], [3]], m=array(1, 1), shift=array(0, 1), axis=2, **ENDS), [3, -5, 2]),
    (vector("qprelu", [[6, -6, -2047 // 2]], m_pos=array(2), m_neg=array(1), shift=array(2), **ENDS), [3, -1, -256]),
    (vector("qtable", [[-1024, 1023, 0]], table=np.arange(2048)[::-1] - 1024), [1023, -1024, -1]),
    (vector("qbilinear", [[0, 100]], factor=(1, 2), **ENDS), [0, 25, 75, 100]),
    (vector("qbilinear", [[0, 30]], factor=(1, 3), **ENDS), [0, 0, 10, 20, 30, 30]),
    (vector("max_pool", [[-3, -7, -5]], kernel=(1, 2), stride=(1, 2), padding="same"), [-3, -5]),
    (vector("qavg_pool", [[3, 4, 9]], kernel=(1, 2), stride=(1, 2), padding="same", taps=array(2, 1), m=array(1, 2),
            shift=array(1, 1), **ENDS), [4, 9]),
    (vector("qglobal_avg_pool", [[3, 4, 9, 8]], keepdims=False, ratio=(1, 1), mult_bits=16, **ENDS), [6]),
    (vector("upsample_nearest", [[1, 2]], factor=(1, 2)), [1, 1, 2, 2]),
], ids=lambda v: v[0].nodes[-1].op if isinstance(v, tuple) else "")
def test_vector_operators(engine, net, expected):
    assert outputs(*net, engine).ravel().tolist() == expected


@both_engines
@pytest.mark.parametrize("order, expected", [("DCR", [0, 2, 4, 6, 1, 3, 5, 7]), ("CRD", [0, 1, 2, 3, 4, 5, 6, 7])])
def test_depth_to_space_orders(engine, order, expected):
    """Channel 0 of the four pixels, then channel 1."""
    node = Node.make("y", "depth_to_space", ("x",), block=2, order=order)
    net = network([source((1, 1, 8)), node], default="i8")
    y = outputs(net, {"x": np.arange(8).reshape(1, 1, 1, 8)}, engine)
    assert y.transpose(3, 0, 1, 2).ravel().tolist() == expected


@both_engines
def test_space_to_depth(engine):
    net = network([source((2, 2, 2)), Node.make("y", "space_to_depth", ("x",), block=2)], default="i8")
    assert outputs(net, {"x": np.arange(8).reshape(1, 2, 2, 2)}, engine).ravel().tolist() == list(range(8))


@both_engines
@pytest.mark.parametrize("formats, a, b, expected", [
    (("u16", "u16"), 65535, 65535, 2), (("i32", "i3"), -(1 << 31), -4, 4), (("i32", "i32"), -(1 << 31), 1 << 30, 1 - (1 << 30))])
def test_vector_products_up_to_and_past_64_bits(engine, formats, a, b, expected):
    """a * b * (2^31-1) / 2^62, half-up: 1.9999, 4 - 2^-29 and -2^30 + 1/2."""
    sources = [source((1, 1, 1), "a"), source((1, 1, 1), "b", 1)]
    node = Node.make("y", "qmul", ("a", "b"), m=(1 << 31) - 1, shift=62, lo=-(1 << 31), hi=(1 << 31) - 1)
    net = network([*sources, node], Datapath(mult_bits=31), formats=dict(zip("ab", formats)))
    x = np.ones((1, 1, 1, 1), np.int64)
    assert outputs(net, {"a": x * a, "b": x * b}, engine).item() == expected


def test_bilinear_weights_round_ties_to_even():
    """At factor 2048 every weight is a tie, 1/2, 3/2, 5/2, ... of 2^-11; a step of 65535 shows each of them."""
    net, inputs = vector("qbilinear", [[-32768, 32767]], "i16", factor=(1, 2048), lo=-32768, hi=32767)
    net = network(net.nodes, default="i16")
    y = assert_engines_agree(net, inputs)[-1][1].ravel()
    weights = [o + o % 2 for o in range(2048)]
    assert y[1024:1024 + 2048].tolist() == [((2048 - w) * 2048 * -32768 + w * 2048 * 32767 + (1 << 21)) >> 22 for w in weights]
