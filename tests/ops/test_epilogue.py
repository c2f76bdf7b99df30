"""The stages of an epilogue map to the parameters of nodes and to memories, and every engine runs the classes it names."""
import numpy as np
import pytest

from hwsim.engine.fast.backend import BEST, INTERPRETED
from hwsim.engine.fast.layer import requantizer
from hwsim.engine.reference.requantize import requantize
from hwsim.errors import UnsupportedError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.hw import stages
from hwsim.ops.epilogue import LATE, Epilogue, Folded, Raw, ThreeStep
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Linear, Weights

FOLDED = Folded(m_pos=np.array([3, 5, 7]), m_neg=np.array([-1, 0, 2]), shift=np.array([2, 0, 4]))
THREE = ThreeStep(m1=np.array([3, 5, 7]), shift1=np.array([2, 0, 4]), alpha_q=np.array([1 << 13, -5, 1 << 14]),
                  m2=np.array([2, 3, 4]), shift2=np.array([1, 2, 0]))
STAGES = pytest.mark.parametrize("stage", [FOLDED, THREE, Raw()], ids=lambda stage: stage.name)


def epilogue(stage):
    return Epilogue(np.array([10, -20, 30]), (stage,), -500, 400)


def equal(a, b):
    return type(a) is type(b) and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


@STAGES
def test_fields_go_out_and_come_back(stage):
    fields = epilogue(stage).to_fields()
    again = Epilogue.from_fields(fields)
    assert equal(again.stage, stage) and (again.lo, again.hi) == (-500, 400) and again.bias is fields["bias"]
    assert set(fields) == {"bias", "m_pos", "m_neg", "shift", *LATE, "lo", "hi"}


def test_the_names_of_files():
    assert list(FOLDED.memories()) == ["mpos", "mneg", "shift"]
    assert list(THREE.memories()) == ["mpos", "mneg", "shift", "alpha", "m2", "shift2"]
    assert THREE.memories()["mneg"] is THREE.m1 and THREE.memories()["alpha"] is THREE.alpha_q
    assert [FOLDED.to_fields()[name] for name in LATE] == [None, None, None]


@STAGES
def test_channels_are_sliced_together(stage):
    part = epilogue(stage).of(slice(1, 3))
    assert part.bias.tolist() == [-20, 30]
    assert all(getattr(part.stage, name).tolist() == values[1:].tolist() for name, values in vars(stage).items())


@STAGES
@pytest.mark.parametrize("loops", [BEST, INTERPRETED], ids=["best", "interpreted"])
def test_engines_agree_on_every_stage(stage, loops):
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(0, 0, 0, 0), in_hw=(1, 1), out_hw=(1, 1))
    layer = ArrayLayer("a", ".g0", geometry, Weights(np.ones((1, 3, 1, 1, 1), np.int64), Linear(8)), epilogue(stage))
    acc, out = np.random.default_rng(0).integers(-2000, 2000, (50, 3)), IntFormat(11)
    y = np.empty(acc.shape, np.int32)
    changed = requantizer(layer, Datapath(), out, 2000, loops)(acc, y)
    codes, count = requantize(acc, layer.epilogue, out, Datapath().rounding)
    np.testing.assert_array_equal(y, codes)
    assert changed == count > 0 and layer.full_name == "a.g0"


def test_the_array_has_no_hardware_for_raw_sums():
    assert (stages.latency(Folded), stages.latency(ThreeStep)) == (6, 9)
    with pytest.raises(UnsupportedError, match="^a stage on the array must be Folded or ThreeStep, not Raw$"):
        stages.latency(Raw)
