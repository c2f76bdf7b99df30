"""Expected values and cycles against plain Python integers, and the literal values of the law."""
import numpy as np
import pytest

from helpers.pure_golden import cycles, pixel
from helpers.vector_sets import DEVICES, SMALL
from hwsim.fixed.formats import IntFormat
from hwsim.hw.config import datapath, override
from hwsim.vectors.write import golden
from hwsim.vectors.write.cases import Maker
from hwsim.vectors.write.directed import directed_cases


def sampled(layer, count=12):
    """Some outputs of a layer, the first and last among them."""
    shape = (*layer.out_hw, layer.oc)
    size = int(np.prod(shape))
    return [np.unravel_index(i, shape) for i in sorted({0, size - 1, *range(0, size, max(1, size // count))})]


@pytest.mark.parametrize("name", DEVICES)
def test_values_and_cycles_of_directed_layers(name):
    for case in directed_cases(DEVICES[name], seed=3, count=12):
        layer, device = case.layer, case.device
        band = golden.band(layer, datapath(device), case.x, case.out_format, 0, layer.out_hw[0])
        for place in sampled(layer):
            acc, out, _ = pixel(layer, device, case.out_format.bits, case.x, *map(int, place))
            assert (band.acc[place], band.out[place]) == (acc, out), (case.name, place)
        # pure cycles know square arrays: a depthwise tile elsewhere takes more beats, or shares an input word
        if device.TN == device.TM or not layer.depthwise:
            assert case.cycles.total == cycles(layer, device), case.name


@pytest.mark.parametrize("mode", ["wrap", "saturate"])
def test_events_are_counted_beat_by_beat(mode):
    device = override(SMALL, acc_mode=mode)
    for case in directed_cases(device, names=("overflow", "random_walk")):
        layer = case.layer
        band = golden.band(layer, datapath(device), case.x, case.out_format, 0, layer.out_hw[0])
        places = np.ndindex(*layer.out_hw, layer.oc)
        assert band.events == sum(pixel(layer, device, 11, case.x, *place)[2] for place in places) > 0


@pytest.mark.parametrize("prelu, expected", [("folded", [-293, 4, -1]), ("unfolded", [-256, 4, -1])])
def test_folding_changes_saturation(prelu, expected):
    """S_w=2^-7, S_in=2^-10, S_out=S_conv=2^-9, alpha=1/4, A=11: M = 2^-8."""
    device = override(SMALL, acc_bits=26, prelu=prelu)
    m, shift = 1 << 15, 23
    fields = {"m_pos": np.full(3, m), "m_neg": np.full(3, m >> 2), "shift": np.full(3, shift)}
    if prelu == "unfolded":
        fields |= {"m_neg": fields["m_pos"], "alpha_q": np.full(3, 1 << 12), "m2": np.full(3, m), "shift2": np.full(3, 15)}
    layer = Maker(device, 0).layer("spec", (1, 1), 1, 3, (1, 1), **fields)
    out, _ = golden.requantize(layer, datapath(device), np.array([[[-300000, 1000, -1000]]]), IntFormat(11))
    assert out.tolist() == [[expected]]


def test_products_past_64_bits_are_exact():
    device = override(SMALL, acc_bits=48, mult_bits=31)
    layer = Maker(device, 0).layer("wide", (1, 1), 1, 1, (1, 1), m_pos=np.array([(1 << 31) - 1]), shift=np.array([62]))
    acc = np.array([[[(1 << 47) - 1]]])
    out, _ = golden.requantize(layer, datapath(device), acc, IntFormat(20))
    assert out[0, 0, 0] == min((((1 << 47) - 1) * ((1 << 31) - 1) + (1 << 61)) >> 62, layer.epilogue.hi)


def test_bands_join_to_the_whole():
    case = next(directed_cases(SMALL, names=("window",)))
    at_once = golden.band(case.layer, datapath(SMALL), case.x, case.out_format, 0, case.layer.out_hw[0])
    rows = [golden.band(case.layer, datapath(SMALL), case.x, case.out_format, r, r + 1) for r in range(case.layer.out_hw[0])]
    assert np.array_equal(np.concatenate([row.out for row in rows]), at_once.out)
    assert sum(row.clamped for row in rows) == at_once.clamped
