"""The layout and the modes of the widest registers on any machine: only the dot products are put together from smaller pieces."""
import numpy as np
import pytest
import volume
from layers import assert_exact, plain_layer

from hwsim.engine.context import Context
from hwsim.engine.kernels import ir, microkernel, target
from hwsim.engine.kernels.target import Rung, ladder
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding

WIDE = Rung("avx512", 16, {1: 12, 2: 8}, {1: 12, 2: 8}, "", vnni=True)
pytestmark = pytest.mark.skipif(not ladder(), reason="needs x86-64")


def _field(b, value, first, bits, signed):
    """Bits first..first+bits-1 of every 32-bit lane as a number."""
    left = b.shl(value, ir.constant(value.type, 32 - first - bits))
    return (b.ashr if signed else b.lshr)(left, ir.constant(value.type, 32 - bits))


def _pair_dot(b, rung, acc, x, w):
    for first in (0, 16):
        acc = b.add(acc, b.mul(_field(b, x, first, 16, True), _field(b, w, first, 16, True)))
    return acc


def _byte_dot(b, acc, x, w):
    for first in (0, 8, 16, 24):
        acc = b.add(acc, b.mul(_field(b, x, first, 8, False), _field(b, w, first, 8, True)))
    return acc


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """This process has the rung WIDE alone; its kernels are compiled under a stamp of their own."""
    monkeypatch.setattr(target, "ladder", lambda: (WIDE,))
    monkeypatch.setattr(ir, "madd", _pair_dot)
    monkeypatch.setattr(ir, "byte_dot", _byte_dot)
    monkeypatch.setattr(microkernel, "STAMP", microkernel.STAMP ^ 1)
    microkernel.kernel.cache_clear()
    yield
    microkernel.kernel.cache_clear()


def test_random_layers():
    for number in range(3, volume.LAYERS, 43):
        case = volume.layer(number)
        assert_exact(case.node, case.x, case.context, WIDE)


@pytest.mark.parametrize("bits, channels", [(8, (32, 16)), (11, (48, 33)), (11, (5, 20)), (15, (16, 7)), (16, (32, 16))])
def test_wide_rows(bits, channels):
    """One column and two, whole tiles and the last one, outputs of 16 bits finished in words or not."""
    node, x = plain_layer(*channels, (3, 3), (3, 67), bits)
    word = IntFormat(bits)
    for datapath in (Datapath(), Datapath(20, Overflow.SATURATE), Datapath(18, rounding=Rounding.FLOOR)):
        for monitor in (False, True):
            assert_exact(node, x, Context(datapath, (word,), word, monitor), WIDE)


@pytest.mark.parametrize("width", [1, 2, 7, 11, 12, 13, 25])
def test_narrow_rows(width):
    node, x = plain_layer(16, 3, (3, 3), (2, width))
    for monitor in (False, True):
        assert_exact(node, x, Context(Datapath(17, Overflow.SATURATE), (IntFormat(11),), IntFormat(11), monitor), WIDE)


def test_outputs_of_32_bits():
    word = IntFormat(16, signed=False)
    node, x = plain_layer(32, 16, (1, 1), (2, 19), lo=0, hi=word.max, shift=np.full(32, 20))
    assert_exact(node, x, Context(Datapath(), (IntFormat(11),), word, True), WIDE)
