"""The checked-in sets: verified, and the same bytes when they are written again."""
import importlib.util

import pytest
from helpers.vector_sets import ROOT

from hwsim.vectors.read.verify import verify_set

spec = importlib.util.spec_from_file_location("regenerate", ROOT / "vectors" / "regenerate.py")
regenerate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(regenerate)


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    regenerate.write(folder)
    return folder


@pytest.mark.parametrize("name", regenerate.SETS)
def test_regenerated_bytes_are_the_checked_in_bytes(again, name):
    there = {path.relative_to(ROOT / "vectors"): path for path in (ROOT / "vectors" / name).rglob("*") if path.is_file()}
    made = {path.relative_to(again): path for path in (again / name).rglob("*") if path.is_file()}
    assert set(there) == set(made)
    assert [str(key) for key in there if there[key].read_bytes() != made[key].read_bytes()] == []


@pytest.mark.parametrize("name", regenerate.SETS)
def test_checked_in_sets_verify(name):
    assert verify_set(ROOT / "vectors" / name).layers >= 10
