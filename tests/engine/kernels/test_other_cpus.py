"""The kernels for CPUs with AVX-512 or AVX-VNNI as they are, run by an emulated CPU on any machine, against the reference."""
import numpy as np
import pytest
from helpers import volume
from helpers.kernel_layers import assert_exact, depthwise, plain_layer

from hwsim.engine.context import Context
from hwsim.engine.kernels import target
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding

emulated = pytest.importorskip("helpers.emulated", exc_type=ImportError)
emulator = emulated.emulator
CPUS = (("sapphirerapids", "avx512"), ("sapphirerapids", "avx2"))  # test_any_shape.py has another one
pytestmark = pytest.mark.skipif(not target.ladder(), reason="needs kernels")


@pytest.fixture(scope="module", params=CPUS, ids="-".join)
def foreign(request):
    made = emulated.Foreign(*request.param)
    yield made
    made.close()


@pytest.fixture
def rung(foreign, monkeypatch):
    """The rung of that CPU, which is this process's only one."""
    foreign.take_over(monkeypatch.setattr)
    return foreign.rung


def test_rung(rung):
    assert (rung.lanes, rung.vnni) == ({"avx512": 16, "avx2": 8}[rung.name], True)


def test_an_instruction_that_is_none_is_a_fault():
    code = emulator.Memory()
    code.put(0, bytes.fromhex("0f0b"))  # ud2
    with pytest.raises(emulator.Fault, match="exception 6"):
        emulator.Machine().call(code.address, (), ())


def test_random_layers(rung):
    for number in range(3, volume.LAYERS, 101):
        case = volume.layer(number)
        assert_exact(case.node, case.x, case.context, rung)


@pytest.mark.parametrize("bits, channels", [(8, (32, 16)), (11, (48, 33)), (16, (32, 16))])
def test_wide_rows(bits, channels, rung):
    """One column and two, whole tiles and the last one, outputs of 16 bits finished in words or not."""
    node, x = plain_layer(*channels, (3, 3), (3, 67), bits)
    word = IntFormat(bits)
    for datapath in (Datapath(), Datapath(20, Overflow.SATURATE), Datapath(18, rounding=Rounding.FLOOR)):
        for monitor in (False, True):
            assert_exact(node, x, Context(datapath, (word,), word, monitor), rung)


@pytest.mark.parametrize("width", [1, 7, 11, 12, 13, 25])
def test_narrow_rows(width, rung):
    node, x = plain_layer(16, 3, (3, 3), (2, width))
    for monitor in (False, True):
        assert_exact(node, x, Context(Datapath(17, Overflow.SATURATE), (IntFormat(11),), IntFormat(11), monitor), rung)


def test_outputs_of_32_bits(rung):
    word = IntFormat(16, signed=False)
    node, x = plain_layer(32, 16, (1, 1), (2, 19), lo=0, hi=word.max, shift=np.full(32, 20))
    assert_exact(node, x, Context(Datapath(), (IntFormat(11),), word, True), rung)


@pytest.mark.parametrize("channels", [7, 33])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (1, 4)])
def test_depthwise(channels, kernel, rung):
    """Even and odd numbers of taps, on columns with and without a neighbour."""
    for case in depthwise(channels, kernel):
        assert_exact(*case, rung)
