"""A vector set is judged by the wrong designs it kills: every mutant of the RTL, and what compare says of it."""
import pytest
from helpers.mutants import DEVICES, MUTANTS, Mutant, kill, kill_table, patch, write_directed
from helpers.vector_sets import ROOT

from hwsim.errors import HwsimError


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("directed")
    return {name: write_directed(folder, name) for name in DEVICES}


@pytest.mark.parametrize("name", DEVICES)
def test_the_unmutated_design_passes(sets, name, quickest, tmp_path):
    assert kill(Mutant("none", name, ()), sets[name], quickest, tmp_path / "m").layer is None


def test_every_mutant_dies_and_is_named(sets, quickest, tmp_path):
    kills = [kill(mutant, sets[mutant.device], quickest, tmp_path / str(i)) for i, mutant in enumerate(MUTANTS)]
    assert [killed.mutant.name for killed in kills if killed.layer is None] == []
    named = [killed for killed in kills if killed.mutant.first_cause]
    assert [(killed.mutant.name, killed.first_cause) for killed in named] == \
        [(killed.mutant.name, killed.mutant.first_cause) for killed in named]
    assert len(kills) >= 15 and len(named) >= 10
    if quickest.kind == "icarus":   # Verilator has no X: a word that nothing wrote may kill elsewhere
        assert kill_table(kills) in (ROOT / "docs" / "vectors.md").read_text()


def test_a_patch_that_does_not_apply_is_refused(sets, tmp_path):
    with pytest.raises(HwsimError, match=r"^none: the patched text must occur once in sb\.v, not 0 times$"):
        patch(Mutant("none", "linear", (("sb.v", "no such text", ""),)), sets["linear"].root, tmp_path / "m")
