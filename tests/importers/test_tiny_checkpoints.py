"""The checked-in checkpoints: imported and run as floats and as integers, and the same again when they are written again."""
import importlib.util
from pathlib import Path

import h5py
import numpy as np
import pytest

import hwsim
from helpers.engine_nets import assert_engines_agree
from hwsim.importers import load
from hwsim.quantization.float_net.run import evaluate

TESTS = Path(__file__).resolve().parents[1]
DATA = TESTS / "data"
spec = importlib.util.spec_from_file_location("write_tiny_checkpoints", TESTS.parent / "tools" / "write_tiny_checkpoints.py")
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)
NAMES = [build.__name__ for build in tiny.NETWORKS]
RTOL = 2e-5  # of the largest output, as for the outputs of the frameworks


@pytest.fixture
def example(request):
    with np.load(DATA / f"{request.param}.npz") as stored:
        return load(DATA / f"{request.param}.h5"), stored["x"], stored["y"]


each = pytest.mark.parametrize("example", NAMES, indirect=True)


@each
def test_floats_are_the_layers_definitions(example):
    graph, x, expected = example
    (y,) = evaluate(graph, {graph.inputs[0]: x})
    assert y.shape == expected.shape
    assert np.abs(y - expected).max() <= RTOL * np.abs(expected).max()


@each
def test_engines_agree_on_the_integers(example):
    graph, x, _ = example
    config = hwsim.Config(act_bits=9)
    net = hwsim.quantize(graph, hwsim.calibrate(graph, [{graph.inputs[0]: x}], config), config)
    codes = {name: np.rint(x / float(net.scales[name])).astype(np.int32) for name in net.graph.inputs}
    assert assert_engines_agree(net, codes)


def content(path):
    """Every attribute and dataset of an HDF5 file, in plain Python."""
    with h5py.File(path) as file:
        items = {"/": {key: plain(value) for key, value in file.attrs.items()}}
        file.visititems(lambda name, item: items.update({name: (
            {key: plain(value) for key, value in item.attrs.items()},
            (str(item.dtype), item[()].tolist()) if isinstance(item, h5py.Dataset) else None)}))
    return items


def plain(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny.write(folder)
    return folder


def test_no_file_is_left_over(again):
    assert sorted(path.name for path in DATA.iterdir()) == sorted(path.name for path in again.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_tiny(name):
    """A clone carries them for ever."""
    assert (DATA / f"{name}.h5").stat().st_size <= 20 << 10
    assert (DATA / f"{name}.npz").stat().st_size <= 5 << 10


@pytest.mark.parametrize("name", NAMES)
def test_written_again_is_the_same(name, again):
    """Content, not bytes: another HDF5 library may lay a file out in another way, and sums in another order."""
    assert content(again / f"{name}.h5") == content(DATA / f"{name}.h5")
    with np.load(again / f"{name}.npz") as new, np.load(DATA / f"{name}.npz") as checked_in:
        np.testing.assert_array_equal(new["x"], checked_in["x"])
        np.testing.assert_allclose(new["y"], checked_in["y"], rtol=1e-5, atol=1e-7)
