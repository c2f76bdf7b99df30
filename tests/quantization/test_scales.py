"""Words and scales: the three policies, fixed scales, ties and the sensor's identity input."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.small_networks import conv, graph, image, ranges
from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.node import Node
from hwsim.quantization.config import Config
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scale_policy import next_power
from hwsim.quantization.scales import find_scales, find_words, scale_from


def scales(given, calibration, **options):
    config = Config(**options)
    prepared = prepare(given)
    return find_scales(prepared, find_words(prepared, config), calibration, config)


def chain():
    return graph(image(), conv("c", "x", [[1.0]], [0.0]), conv("d", "c", [[1.0]], [0.0]))


RANGES = ranges(x=1.0, c=3.0, d=0.75)


def test_calib_follows_the_word():
    found = {"x": Fraction(1, 1023), "c": Fraction(3, 1023), "d": Fraction(3, 4 * 1023)}
    assert scales(chain(), RANGES, act_bits=11) == found
    assert scales(chain(), RANGES, act_bits=11, fold_prelu=False) == found | {"c:pre": found["c"], "d:pre": found["d"]}


def test_frozen_keeps_the_step():
    wide = scales(chain(), RANGES, act_bits=11)
    for bits in (2, 8, 11, 16):
        assert scales(chain(), RANGES, act_bits=bits, scale_policy="frozen", scale_ref_bits=11) == wide
        assert scales(chain(), RANGES, act_bits=bits, scale_policy="frozen", input_bits=10) == wide


@given(st.floats(2**-30, 2**30), st.integers(2, 16))
def test_frozen_and_calib_meet_at_the_reference(amax, bits):
    word = IntFormat(bits)
    assert scale_from(amax, word, Config(act_bits=bits)) == scale_from(
        amax, word, Config(act_bits=bits, scale_policy="frozen", scale_ref_bits=bits))


def test_lsb_takes_powers_of_two_of_the_sensors_step():
    by_name = scales(chain(), ranges(x=0.9, c=3.0, d=7.0), act_bits=11, scale_policy="lsb")
    assert (by_name["x"], by_name["c"], by_name["d"]) == (Fraction(1, 1023), Fraction(4, 1023), Fraction(1, 1023))
    by_name = scales(chain(), ranges(x=0.9, c=1.0, d=7.0), act_bits=8, input_bits=10, scale_policy="lsb")
    assert (by_name["x"], by_name["c"], by_name["d"]) == (Fraction(1, 1023), Fraction(1, 1023), Fraction(1, 1023))
    assert scales(chain(), ranges(x=0.9, c=0.2, d=7.0), act_bits=11, scale_policy="lsb")["c"] == Fraction(1, 4 * 1023)


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9).filter(bool))
def test_next_power(ratio):
    power = next_power(ratio)
    assert power / 2 < ratio <= power
    assert power.numerator & (power.numerator - 1) == power.denominator & (power.denominator - 1) == 0


@pytest.mark.parametrize("bits", [1, 8, 10, 15])
def test_input_bits_give_the_sensors_step(bits):
    assert scales(chain(), ranges(x=0.3, c=1, d=1), act_bits=16, input_bits=bits)["x"] == Fraction(1, (1 << bits) - 1)


def test_a_dead_tensor_gets_range_1():
    assert scales(chain(), ranges(x=0, c=0, d=0), act_bits=4)["c"] == Fraction(1, 7)


def fork(*tail, names="ab"):
    return graph(image(), *(conv(name, "x", [[1.0]], [0.0]) for name in names), *tail)


def test_tied_inputs_take_the_largest_range():
    found = scales(fork(Node.make("j", "concat", ("a", "b"), axis=3)), ranges(x=1, a=2, b=5, j=5), act_bits=4)
    assert found["a"] == found["b"] == found["j"] == Fraction(5, 7)


def test_a_dead_tensor_does_not_widen_its_tie():
    found = scales(fork(Node.make("j", "concat", ("a", "b"), axis=3)), ranges(x=1, a=0, b=0.5, j=0.5), act_bits=4)
    assert found["a"] == Fraction(1, 14)


def test_an_identity_input_stays_exact_in_a_concat():
    found = scales(fork(Node.make("j", "concat", ("a", "x"), axis=3)), ranges(x=1, a=5, b=0, j=5), act_bits=11, input_bits=10)
    assert (found["x"], found["a"], found["j"]) == (Fraction(1, 1023), Fraction(5, 1023), Fraction(5, 1023))


def test_rescaling_changes_the_scale_only():
    given = graph(image(), Node.make("s", "scale", ("x",), factor=0.5), Node.make("f", "crop", ("s",), crop=(1, 0, 0, 0)))
    found = scales(given, ranges(x=7.0), act_bits=4)
    assert (found["x"], found["s"], found["f"]) == (1, Fraction(1, 2), Fraction(1, 2))


def test_fixed_scales_override():
    found = scales(chain(), RANGES, scales={"c": 0.25, "x": 1.0})
    assert (found["c"], found["x"], found["d"]) == (Fraction(1, 4), 1, Fraction(3, 4 * 1023))


def test_fixed_scale_before_an_activation():
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("r", "relu", ("c",)))
    found = scales(given, ranges(x=1, c=1, pre_c=9), act_bits=4, fold_prelu=False)
    assert (found["c"], found["c:pre"]) == (Fraction(1, 7), Fraction(9, 7))
    assert scales(given, ranges(x=1, c=1), act_bits=4, fold_prelu=False, scales={"c:pre": 2.0})["c:pre"] == 2


def test_a_fixed_scale_of_a_move_is_its_producers():
    given = graph(image(), Node.make("s", "scale", ("x",), factor=0.5))
    assert scales(given, ranges(x=1), scales={"s": 0.25})["x"] == Fraction(1, 2)


@pytest.mark.parametrize("options, message", [
    ({"scales": {"y": 1.0}}, "scales must name tensors of the network, not 'y'"),
    ({"scales": {"c": 0.0}}, "scale of c must be positive and finite, not 0.0"),
    ({"scales": {"x": 0.5}, "input_bits": 1, "act_bits": 2}, "scale of x must be 1.0 with input_bits 1, not 0.5"),
    ({"layer_bits": {"y": (4, 4)}}, "layer_bits must name layers that make values, not 'y'"),
    ({"layer_bits": {"x": (4, 4)}, "input_bits": 4}, "act_bits of x must be at least input_bits + 1 = 5, not 4"),
])
def test_wrong_options(options, message):
    with pytest.raises(UsageError) as caught:
        scales(chain(), RANGES, **options)
    assert str(caught.value) == message


def test_fixed_scales_that_contradict_a_move():
    given = graph(image(), Node.make("s", "scale", ("x",), factor=0.5))
    with pytest.raises(UsageError, match="^scale of s must be 0.5, as its codes are those of x, not 1.0$"):
        scales(given, ranges(x=1), scales={"x": 1.0, "s": 1.0})


def test_contradictions_name_the_tensor_that_was_given():
    chain = graph(image(), Node.make("s", "scale", ("x",), factor=0.5), Node.make("t", "scale", ("s",), factor=0.5))
    with pytest.raises(UsageError, match="^scale of t must be 0.5, as its codes are those of s, not 2.0$"):
        scales(chain, ranges(x=1), scales={"s": 1.0, "t": 2.0})


def test_layer_bits_set_the_output_word():
    given = graph(image(), conv("c", "x", [[1.0]], [0.0]), Node.make("m", "max_pool", ("c",), kernel=(2, 2), stride=(2, 2),
                                                                     padding=(0, 0, 0, 0)))
    words = find_words(given, Config(layer_bits={"c": (6, 3)}))
    assert words == {"x": IntFormat(11), "c": IntFormat(6), "m": IntFormat(6)}
    with pytest.raises(UsageError, match="^layer_bits must name layers that make values, not 'm'$"):
        find_words(given, Config(layer_bits={"m": (6, 3)}))


def test_a_range_is_read_as_the_float_it_is():
    third = float(np.float32(1 / 3))
    assert scales(chain(), ranges(x=third, c=1, d=1), act_bits=11)["x"] == Fraction(third) / 1023
    assert float(Fraction(third) / 1023) == third / 1023
