import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import GraphError
from hwsim.ops.dims import Dim, ceil_div, show

STEPS = st.lists(st.tuples(st.sampled_from(["+", "*", "//", "ceil"]), st.integers(1, 5)), max_size=6)


@given(STEPS, st.integers(0, 200))
def test_a_dim_is_what_integers_would_be(steps, size):
    symbol, number = Dim("H"), size
    for operation, value in steps:
        if operation == "+":
            symbol, number = symbol + value, number + value
        elif operation == "*":
            symbol, number = symbol * value, number * value
        elif operation == "//":
            symbol, number = symbol // value, number // value
        else:
            symbol, number = ceil_div(symbol, value), ceil_div(number, value)
    assert symbol.at({"H": size}) == number


def test_text_and_equality():
    h = Dim("H")
    assert show((Dim("N"), ceil_div(h, 2) * 4 - 1, 3)) == "Nx4*(H+1)//2-1x3"
    assert h * 4 // 4 == h and h * 2 + h == h * 3 and h - h == 0 and (h // 2) // 2 == h // 4


def test_symbols_do_not_mix():
    with pytest.raises(GraphError, match=r"^dimensions must share a symbol to be added, not H and W$"):
        Dim("H") + Dim("W")
