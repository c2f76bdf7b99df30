"""From float network to integer network: hand-computed layers, multipliers, refusals, and no float left inside."""
from fractions import Fraction

import numpy as np
import pytest
from helpers.small_networks import conv, graph, image, ranges
from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.run import run
from hwsim.errors import QuantizeError, UsageError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.node import Node
from hwsim.graph.text import to_text
from hwsim.quantization.config import Config
from hwsim.quantization.conversion import ConversionContext
from hwsim.quantization.convert import quantize


def two_layers(alpha=(0.5, -2.0)):
    return graph(image(), conv("c", "x", [[7.0], [-3.5]], [3.0, -1.0]),
                 Node.make("p", "prelu", ("c",), alpha=np.array(alpha)),
                 conv("d", "p", [[1.0, 7.0]], [0.0]), Node.make("k", "clip", ("d",), clip=(-3.0, 6.0)))


RANGES = ranges(x=7, c=14, pre_c=28, d=7, pre_d=7)
FOUR = {"act_bits": 4, "weight_bits": 4}


def lists(node, *names):
    return [node.params[name].ravel().tolist() for name in names]


def test_folded_by_hand():
    net = quantize(two_layers(), RANGES, Config(**FOUR))
    assert net.scales == {"x": 1, "c": 2, "d": 1}
    assert net.formats == dict.fromkeys("xcd", IntFormat(4))
    assert lists(net.graph["c"], "codes", "bias", "m_pos", "m_neg", "shift") == [
        [7, -7], [3, -2], [32768, 16384], [16384, -32768], [16, 16]]
    assert lists(net.graph["d"], "codes", "bias", "m_pos", "m_neg", "shift") == [[1, 7], [0], [32768], [32768], [14]]
    assert [(net.graph[name].params["lo"], net.graph[name].params["hi"]) for name in "cd"] == [(-8, 7), (-3, 6)]
    assert net.graph["c"].params["alpha_q"] is None
    assert net.datapath == Datapath(8)
    assert net.outputs == ("d",)


def test_folded_by_hand_runs():
    net = quantize(two_layers(), RANGES, Config(**FOUR))
    # x=1: acc 10, -9 -> c 5, 18 -> saturated 7; d: (5 + 49)*2 -> hi.  x=-1: acc -4, 5 -> c -1, 1; d: (-1 + 7)*2 -> hi
    # x=0: acc 3, -2 -> c 2 (1.5 up), 1; d: 9*2 -> hi
    found = run(net, {"x": np.array([1, -1, 0]).reshape(1, 1, 3, 1)}, "reference", dump=("c",))
    assert found["c"].reshape(3, 2).tolist() == [[5, 5], [-1, 1], [2, 1]]
    assert found["d"].ravel().tolist() == [6, 6, 6]


def test_unfolded_by_hand():
    net = quantize(two_layers((0.5, -1.0)), RANGES, Config(fold_prelu=False, **FOUR))
    assert lists(net.graph["c"], "m_pos", "m_neg", "shift", "alpha_q", "m2", "shift2") == [
        [32768, 32768], [32768, 32768], [17, 18], [8192, -16384], [32768, 32768], [14, 14]]
    assert lists(net.graph["d"], "m_pos", "shift", "alpha_q", "m2", "shift2") == [[32768], [14], [16384], [32768], [15]]
    assert not net.datapath.folded


def test_unfolded_relu_has_slope_0():
    net = quantize(two_layers((0.0, 0.0)), RANGES, Config(fold_prelu=False, **FOUR))
    assert lists(net.graph["c"], "alpha_q") == [[0, 0]]


def golden(**options):
    given = graph(image(), conv("c", "x", [[127 / 128]], [0.0]), Node.make("p", "prelu", ("c",), alpha=np.array([0.25])))
    return quantize(given, ranges(x=0, c=0, pre_c=0), Config(
        scales={"x": 2.0**-10, "c": 2.0**-9, "c:pre": 2.0**-9}, **options)).graph["c"]


def test_fields_of_the_laws_example():
    assert lists(golden(), "m_pos", "m_neg", "shift") == [[32768], [8192], [23]]
    assert lists(golden(fold_prelu=False), "m_pos", "m_neg", "shift", "alpha_q", "m2", "shift2") == [
        [32768], [32768], [23], [4096], [32768], [15]]


def relu6(s_out, bits=11):
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("r", "relu", ("c",), max_value=6.0))
    config = Config(act_bits=bits, scales={"c": s_out})
    return quantize(given, ranges(x=1, c=6), config).graph["c"].params


@pytest.mark.parametrize("s_out, hi", [(6 / 1023, 1023), (0.01, 600), (0.001, 1023), (4.0, 2), (12.0, 0), (6 / 2.5, 2)])
def test_relu6_clamp(s_out, hi):
    found = relu6(s_out)
    assert (found["lo"], found["hi"]) == (-1024, hi)
    assert found["m_neg"].tolist() == [0]


def test_a_clip_beyond_the_word_is_the_words_end():
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("r", "clip", ("c",), clip=(-1e300, 1e300)))
    found = quantize(given, ranges(x=1, c=1), Config(**FOUR)).graph["c"].params
    assert (found["lo"], found["hi"]) == (-8, 7)


def plan(**options):
    return ConversionContext({}, {}, {}, Config(**options))


@given(st.floats(2.0**-40, 2.0**10), st.integers(-64, 64), st.integers(12, 31))
def test_multipliers_against_their_float_definition(ratio, sixteenths, mult_bits):
    ratio, alpha, limit = float(np.float32(ratio)), sixteenths / 16, 2.0**mult_bits - 1
    m_pos, m_neg, shift = plan(mult_bits=mult_bits).folded("c", ratio, alpha)
    largest = max(1.0, abs(alpha)) * ratio  # products of 24 and 7 bits, and powers of two: float64 is exact
    assert (m_pos, m_neg) == (np.rint(ratio * 2.0**shift), np.rint(alpha * ratio * 2.0**shift))
    assert np.rint(largest * 2.0**shift) <= limit
    assert shift == 62 or np.rint(largest * 2.0 ** (shift + 1)) > limit


@given(st.lists(st.floats(-4, 4).filter(bool), min_size=1, max_size=4))
def test_a_shared_shift_is_the_largest_for_all(ratios):
    ratios = [float(np.float32(ratio)) for ratio in ratios]
    m, shift = plan().shared("s", ratios)
    assert m == [np.rint(ratio * 2.0**shift) for ratio in ratios]
    assert max(map(abs, m)) <= 65535
    assert shift == 62 or max(np.rint(abs(ratio) * 2.0 ** (shift + 1)) for ratio in ratios) > 65535


@pytest.mark.parametrize("options, message", [
    ({"scales": {"x": 1e6, "c": 1.0}}, "c: requantization multiplier must be at most 2^16 - 1 at shift 0, not 1000000"),
    ({"shift_bits": 4}, "c: shift_bits must be at least 5 for a shift of 16, not 4"),
    ({"acc_bits": 8, "scales": {"x": 0.001}}, "c: the bias of channel 0 must fit 8 accumulator bits, not need 13"),
])
def test_refused(options, message):
    given = graph(image(), conv("c", "x", [[7.0]], [3.0]))
    with pytest.raises(QuantizeError) as caught:
        quantize(given, ranges(x=7, c=14), Config(**(FOUR | options)))
    assert str(caught.value) == message


def test_gemmlowp_needs_a_shift_of_31():
    given = graph(image(), conv("c", "x", [[7.0]], [3.0]))
    net = quantize(given, ranges(x=7, c=14), Config(rounding="gemmlowp", mult_bits=31, **FOUR))
    assert net.graph["c"].params["shift"].tolist() == [31]
    with pytest.raises(QuantizeError, match="^c: gemmlowp rounding must have shifts of at least 31, not 30$"):
        quantize(given, ranges(x=7, c=7), Config(rounding="gemmlowp", mult_bits=31, **FOUR))


@pytest.mark.parametrize("slope, code", [(2.0, 32768), (-2.0, -32768), (100.0, 1638400)])
def test_a_slope_too_steep_for_the_unfolded_requantizer(slope, code):
    with pytest.raises(QuantizeError, match=f"^c: alpha_q of channel 1 must be less than 2\\^15 in magnitude, not {code}$"):
        quantize(two_layers((0.5, slope)), RANGES, Config(fold_prelu=False, **FOUR))


def test_options_reach_the_datapath():
    config = Config(acc_bits=20, overflow="saturate", rounding="floor", mult_bits=12, tn=8, tm=32, **FOUR)
    net = quantize(two_layers(), RANGES, config)
    assert net.datapath == Datapath(20, Overflow.SATURATE, Rounding.FLOOR, 12, 6, True, 8, 32)


def test_layer_bits():
    net = quantize(two_layers(), RANGES, Config(layer_bits={"c": (6, 3)}, **FOUR))
    assert (net.formats["c"], net.formats["d"]) == (IntFormat(6), IntFormat(4))
    assert (net.graph["c"].params["w_bits"], net.graph["d"].params["w_bits"]) == (3, 4)
    assert (net.graph["c"].params["lo"], net.graph["c"].params["hi"]) == (-32, 31)
    assert net.scales["c"] == Fraction(14, 31)
    with pytest.raises(UsageError, match="^layer_bits must name layers that make values, not 'p'$"):
        quantize(two_layers(), RANGES, Config(layer_bits={"p": (6, 3)}))


def test_frozen_at_the_reference_width_is_calib():
    calib = quantize(two_layers(), RANGES, Config(**FOUR))
    frozen = quantize(two_layers(), RANGES, Config(scale_policy="frozen", scale_ref_bits=4, **FOUR))
    assert to_text(frozen.graph) == to_text(calib.graph)
    assert (frozen.scales, frozen.formats, frozen.datapath) == (calib.scales, calib.formats, calib.datapath)


def test_frozen_below_the_reference_loses_the_top_bits_only():
    wide = quantize(two_layers(), RANGES, Config(act_bits=6, scale_policy="frozen", scale_ref_bits=6, weight_bits=4))
    narrow = quantize(two_layers(), RANGES, Config(act_bits=4, scale_policy="frozen", scale_ref_bits=6, weight_bits=4))
    assert narrow.scales == wide.scales
    for name in "cd":
        assert lists(narrow.graph[name], "codes", "bias", "m_pos", "m_neg", "shift") == lists(
            wide.graph[name], "codes", "bias", "m_pos", "m_neg", "shift")
    assert (narrow.graph["c"].params["hi"], wide.graph["c"].params["hi"]) == (7, 31)


def test_rowpack_marks_the_first_layer():
    net = quantize(two_layers(), RANGES, Config(rowpack=True, **FOUR))
    assert [net.graph[name].params["rowpack"] for name in "cd"] == [True, False]
    assert net.meta["notes"][-1] == "rowpack: c"


def test_meta():
    net = quantize(two_layers(), RANGES, Config(**FOUR), {"path": "a.h5", "sha256": "0", "parameters": 8})
    assert net.meta["source"] == {"path": "a.h5", "sha256": "0", "parameters": 8}
    assert net.meta["config"] == Config(**FOUR).as_json()
    assert net.meta["calibration"] == {"images": 8, "method": "max", "headroom": 1.0}
    assert net.meta["notes"] == ["p: folded into c", "k: folded into d"]


def test_log_weights():
    net = quantize(two_layers(), RANGES, Config(weights="stlq", act_bits=4))
    found = net.graph["c"].params
    assert (found["w_format"], found["w_bits"], found["codes"].tolist()) == ("stlq", 4, [[[[[1]]], [[[-1]]]]])
