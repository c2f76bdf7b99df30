import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.fixed.formats import IntFormat
from hwsim.fixed.narrow import clamp, saturate, wrap

FORMATS = [IntFormat(bits, signed) for bits in (1, 2, 3, 5) for signed in (True, False)]


@pytest.mark.parametrize("fmt", FORMATS, ids=str)
def test_exhaustive_small(fmt):
    codes = range(fmt.min, fmt.max + 1)
    for value in range(-100, 101):
        assert wrap(value, fmt) in codes and (wrap(value, fmt) - value) % len(codes) == 0
        assert saturate(value, fmt) == min(max(value, fmt.min), fmt.max)
    values = np.arange(-100, 101)
    np.testing.assert_array_equal(wrap(values, fmt), [wrap(int(v), fmt) for v in values])
    np.testing.assert_array_equal(saturate(values, fmt), [saturate(int(v), fmt) for v in values])


@given(st.integers(-(1 << 100), 1 << 100), st.integers(1, 63), st.booleans())
def test_wide(value, bits, signed):
    fmt = IntFormat(bits, signed)
    assert wrap(value, fmt) in fmt and (wrap(value, fmt) - value) % (1 << bits) == 0
    assert saturate(value, fmt) == min(max(value, fmt.min), fmt.max)


def test_literals():
    assert wrap(128, IntFormat(8)) == -128 and wrap(-129, IntFormat(8)) == 127 and wrap(256, IntFormat(8)) == 0
    assert saturate(1 << 40, IntFormat(11)) == 1023 and saturate(-(1 << 40), IntFormat(11)) == -1024
    assert saturate(-200, IntFormat(8, narrow=True)) == -127


def test_order_of_saturation_is_part_of_the_result():
    """100, 60, -90 into 8 bits: wrapping gives 70 in every order, saturating does not."""
    fmt, orders = IntFormat(8), [(100, 60, -90), (100, -90, 60), (60, -90, 100), (-90, 100, 60)]

    def accumulate(narrow, values):
        acc = 0
        for value in values:
            acc = narrow(acc + value, fmt)
        return acc
    assert {accumulate(wrap, order) for order in orders} == {70}
    assert {accumulate(saturate, order) for order in orders} == {37, 70}


def test_clamp_keeps_arrays_of_int64():
    out = clamp(np.array([-(1 << 61), 5, 1 << 61]), -3, 4)
    assert out.dtype == np.int64 and out.tolist() == [-3, 4, 4]
