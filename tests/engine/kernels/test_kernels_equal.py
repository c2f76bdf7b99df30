"""Every instruction set gives the reference's codes and counters on the corners of the kernels; test_volume.py has the volume."""
import numpy as np
import pytest

from helpers.kernel_layers import assert_exact, depthwise, on_rung, plain_layer
from hwsim.engine.context import Context
from hwsim.engine.kernels import program
from hwsim.engine.kernels.target import ladder
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.node import Node

RUNGS = ladder()
rungs = pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)


@rungs
@pytest.mark.parametrize("channels", [(17, 33), (64, 32), (32, 64), (37, 23)])
def test_wide_rows(rung, channels):
    node, x = plain_layer(*channels, (3, 3), (3, 67))
    for datapath in (Datapath(), Datapath(20, Overflow.SATURATE), Datapath(18, Overflow.WRAP)):
        for monitor in (False, True):
            assert_exact(node, x, Context(datapath, (IntFormat(11),), IntFormat(11), monitor, 2), rung)


@rungs
@pytest.mark.parametrize("channels", [7, 33])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (1, 4)])
def test_depthwise(rung, channels, kernel):
    for case in depthwise(channels, kernel):
        assert_exact(*case, rung)


@rungs
@pytest.mark.parametrize("weight", [127, 4095])
@pytest.mark.parametrize("slope", [1, -1, 0])
def test_extremes_of_ramps(rung, weight, slope):
    """Every tile has a new least or largest sum, or none has, for sums below and above 2^30."""
    codes = np.full((1, 32, 3, 3, 32), weight) * np.where(np.arange(32) % 3, 1, -1)[:, None, None, None]
    node, x = plain_layer(32, 32, (3, 3), (4, 45), codes=codes, w_bits=13)
    x = x // 64 + slope * np.arange(-900, 900, 10, dtype=np.int32).reshape(1, 4, 45, 1)
    for datapath in (Datapath(), Datapath(23, Overflow.SATURATE), Datapath(26, Overflow.SATURATE)):
        for monitor in (True, False):
            assert_exact(node, x, Context(datapath, (IntFormat(11),), IntFormat(11), monitor), rung)


@rungs
@pytest.mark.parametrize("bits", range(13, 27))
def test_any_share_of_tiles_saturates(rung, bits):
    node, x = plain_layer(32, 16, (3, 3), (6, 97))
    assert_exact(node, x, Context(Datapath(bits, Overflow.SATURATE), (IntFormat(11),), IntFormat(11)), rung)


@rungs
@pytest.mark.parametrize("rounding", [r for r in Rounding if r is not Rounding.GEMMLOWP])
@pytest.mark.parametrize("shift", [0, 1, 2, 17, 18, 32, 33, 34, 62])
def test_ties_and_shifts(rung, rounding, shift):
    """1x1 identity weights: the accumulators are the codes, the products all multiples of half a step."""
    m = 1 << min(max(shift - 1, 0), 15)
    node, _ = plain_layer(16, 16, (1, 1), (1, 1), m_pos=np.full(16, m), m_neg=np.full(16, m), shift=np.full(16, shift),
                          codes=np.eye(16, dtype=np.int64)[None, :, None, None, :] * 3, bias=np.zeros(16, np.int64))
    x = np.arange(-640, 640, dtype=np.int32).reshape(1, 5, 16, 16)
    for monitor in (False, True):
        assert_exact(node, x, Context(Datapath(rounding=rounding), (IntFormat(11),), IntFormat(11), monitor), rung)


@rungs
def test_all_smallest_operands(rung):
    """16 bits by 16 bits at the ends: -2^15 * -(2^15 - 1), whose sums need 64 bits."""
    codes = np.full((1, 5, 3, 3, 40), -(1 << 15) + 1)
    node, _ = plain_layer(5, 40, (3, 3), (4, 5), codes=codes, w_bits=16, m_pos=np.full(5, 1), m_neg=np.full(5, 1),
                          shift=np.full(5, 24), lo=-(1 << 15), hi=(1 << 15) - 1, bias=np.zeros(5, np.int64))
    x = np.full((1, 4, 5, 40), -(1 << 15), np.int32)
    context = Context(Datapath(), (IntFormat(16),), IntFormat(16))
    y, _ = on_rung(node, x, context, rung)
    assert y[0, 1, 1].tolist() == [(40 * 9 * 32768 * 32767 + (1 << 23)) >> 24] * 5
    assert_exact(node, x, context, rung)


@pytest.mark.parametrize("hw", [(1, 1), (1, 7), (2, 8), (3, 12), (5, 13), (4, 31)])
@pytest.mark.parametrize("channels", [(1, 1), (16, 1), (1, 16), (15, 17), (32, 3)])
def test_small_and_prime_shapes(hw, channels):
    node, x = plain_layer(*channels, (3, 3), hw)
    for monitor in (False, True):
        assert_exact(node, x, Context(Datapath(17, Overflow.SATURATE), (IntFormat(11),), IntFormat(11), monitor), RUNGS[0])


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(program, "TURN", 1)
    node, x = plain_layer(24, 20, (3, 3), (23, 19))
    x = np.concatenate([x, x[:, ::-1], -x // 2])
    results = [on_rung(node, x, Context(Datapath(17, Overflow.SATURATE), (IntFormat(11),), IntFormat(11), True, n), RUNGS[0])
             for n in (1, 2, 3, 7)]
    for y, stats in results[1:]:
        np.testing.assert_array_equal(y, results[0][0])
        assert (stats.events, stats.first, stats.clamped) == (results[0][1].events, results[0][1].first, results[0][1].clamped)
    assert results[0][1].events > 0




@rungs
@pytest.mark.parametrize("weight, changes", [(None, {}), (None, {"shift": np.full(32, 3)}), (32767, {"w_bits": 16})])
def test_phases_and_groups_of_whole_columns_fill_their_part(rung, weight, changes):
    """16 output channels: the kernels write between what the other phases and groups have written."""
    node, x = plain_layer(32, 16, (3, 3), (5, 13), **changes)
    params = dict(node.params) if weight is None else {**node.params, "codes": np.full((1, 32, 3, 3, 16), weight)}
    grouped = Node.make("layer", "qconv2d", ("x",), **{**params, "groups": 2})
    for name in ("padding", "dilation", "groups", "rowpack"):
        params.pop(name)
    transposed = Node.make("layer", "qconv2d_transpose", ("x",), **{**params, "stride": (2, 2), "crop": (0, 0, 0, 0)})
    for case, codes in ((grouped, np.concatenate([x, -x], axis=3)), (transposed, x)):
        for monitor in (False, True):
            assert_exact(case, codes, Context(Datapath(48), (IntFormat(11),), IntFormat(11), monitor, 2), rung)


@rungs
@pytest.mark.parametrize("ic, kernel", [(86, (3, 3)), (127, (3, 3)), (192, (3, 3)), (64, (5, 5)), (48, (7, 7)), (576, (1, 1))])
def test_long_runs_of_64_bit_sums(rung, ic, kernel):
    """Runs of more than 256 inputs are cut; what fills up the last piece is read past the rows, and must be there."""
    node, _ = plain_layer(3, ic, kernel, (2, 3), codes=np.full((1, 3, *kernel, ic), 32767), w_bits=16, shift=np.full(3, 40))
    x = np.random.default_rng(ic).integers(-32768, 32768, (1, 2, 3, ic)).astype(np.int16)
    for monitor in (False, True):
        assert_exact(node, x, Context(Datapath(), (IntFormat(16),), IntFormat(11), monitor), rung)
