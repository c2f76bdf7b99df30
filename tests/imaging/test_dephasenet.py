"""The shipped checkpoint says what it is, and its README agrees with it."""

import json
import re
from pathlib import Path

import h5py
import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"
CHECKPOINT = MODELS / "dephasenet10.h5"
ROW = re.compile(r"\| (\w+) \| (\d+\.\d+) \| (\d+\.\d+) \| \+(\d+\.\d+) \|")


@pytest.fixture(scope="module")
def stored():
    with h5py.File(CHECKPOINT) as file:
        yield file


def parameters(group):
    sizes = []
    group.visititems(lambda name, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    return sum(sizes)


def test_it_carries_its_pattern_and_bits(stored):
    assert json.loads(stored.attrs["hwsim"]) == {"cfa": "rgbw", "input_bits": 10}


def test_it_is_a_small_keras_file_of_weights_only(stored):
    assert set(stored) == {"model_weights"} and "training_config" not in stored.attrs
    assert CHECKPOINT.stat().st_size < 3_000_000
    assert parameters(stored["model_weights"]) == 303_024


def test_its_input_is_one_channel_of_any_size(stored):
    first = json.loads(stored.attrs["model_config"])["config"]["layers"][0]
    assert (first["class_name"], first["config"]["batch_input_shape"]) == ("InputLayer", [None, None, None, 1])


def test_some_slopes_are_negative(stored):
    slopes = []
    stored.visititems(lambda name, item: slopes.append(item[()].min()) if "alpha" in name else None)
    assert len(slopes) == 8 and min(slopes) < 0


def test_the_readme_states_what_was_promised():
    table = {name: tuple(map(float, rest)) for name, *rest in ROW.findall((MODELS / "README.md").read_text())}
    mean = table.pop("mean")
    assert mean[0] >= 36 and mean[0] - mean[1] >= 8
    assert sorted(table) == [f"kodim{i}" for i in range(17, 25)]
    assert all(network - bilinear >= 3 for network, bilinear, _ in table.values())
