"""The Python API does what the command line does."""
from pathlib import Path

import numpy as np
import pytest

import hwsim

MODEL = Path(__file__).resolve().parents[1] / "models" / "dephasenet10.h5"


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(3).integers(0, 1024, (1, 8, 16, 1)) / 1023


@pytest.fixture(scope="module")
def net(frame):
    graph, config = hwsim.load(MODEL), hwsim.Config(input_bits=10)
    return hwsim.quantize(graph, hwsim.calibrate(graph, [{"mosaic": frame}], config), config)


def test_every_way_to_give_the_input(net, frame):
    runs = [hwsim.run(net, x) for x in (frame, [frame], {"mosaic": frame}, np.rint(frame * 1023).astype(int))]
    assert runs[0]["rgb"].dtype == np.int32 and runs[0]["rgb"].shape == (1, 8, 16, 3)
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0]["rgb"], other["rgb"])


@pytest.mark.parametrize("engine", ["reference", "stepped"])
def test_engines_agree(net, frame, engine):
    fast, other = hwsim.run(net, frame, dump=("fine",)), hwsim.run(net, frame, engine=engine, dump=("fine",))
    for name in ("rgb", "fine"):
        np.testing.assert_array_equal(fast[name], other[name])
    assert fast.cycles == other.cycles and fast.overflow == other.overflow


def test_cycles_and_overflow(net, frame):
    found = hwsim.run(net, frame)
    assert found.cycles["layers"][1]["cycles"] == 2 * 4 * 9 * 3 + 6
    assert found.overflow["total"]["events"] == 0


def test_save_and_open(net, frame, tmp_path):
    hwsim.save(net, tmp_path / "net.hwq")
    np.testing.assert_array_equal(hwsim.run(hwsim.open(tmp_path / "net.hwq"), frame)["rgb"], hwsim.run(net, frame)["rgb"])


def test_wrong_number_of_inputs(net, frame):
    with pytest.raises(hwsim.HwsimError, match=r"^inputs must be 1 arrays \(mosaic\), not 2$"):
        hwsim.run(net, [frame, frame])
