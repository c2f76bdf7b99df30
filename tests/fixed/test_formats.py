import pytest

from hwsim.errors import UsageError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding


@pytest.mark.parametrize("text, low, high", [
    ("i11", -1024, 1023), ("u10", 0, 1023), ("i8n", -127, 127), ("i2", -2, 1), ("u16", 0, 65535), ("i1", -1, 0), ("u1", 0, 1),
    ("i63", -(1 << 62), (1 << 62) - 1)])
def test_make(text, low, high):
    fmt = IntFormat.parse(text)
    assert (fmt.min, fmt.max, str(fmt)) == (low, high, text)
    assert low in fmt and high in fmt and low - 1 not in fmt and high + 1 not in fmt


@pytest.mark.parametrize("make, message", [
    (lambda: IntFormat(0), r"^integer width must be 1\.\.63 bits, not 0$"),
    (lambda: IntFormat(64), r"^integer width must be 1\.\.63 bits, not 64$"),
    (lambda: IntFormat(8, signed=False, narrow=True), r"^a narrow format must be signed, not unsigned$"),
    (lambda: IntFormat.parse("x8"), r"^format must be like i11, u10 or i8n, not 'x8'$"),
    (lambda: IntFormat.parse("i"), r"^format must be like i11, u10 or i8n, not 'i'$"),
    (lambda: Datapath(acc_bits=49), r"^acc_bits must be 8\.\.48, not 49$"),
    (lambda: Datapath(mult_bits=32), r"^mult_bits must be 4\.\.31, not 32$"),
    (lambda: Datapath(tn=12), r"^tn must be a power of two in 1\.\.64, not 12$"),
    (lambda: Datapath(rounding=Rounding.GEMMLOWP), r"^mult_bits must be 31 for gemmlowp rounding, not 16$")])
def test_make_wrong(make, message):
    with pytest.raises(UsageError, match=message):
        make()


def test_every_rounding_states_its_formula():
    assert all(rounding.formula for rounding in Rounding)
    assert [str(mode) for mode in Overflow] == ["wrap", "saturate", "error"]
