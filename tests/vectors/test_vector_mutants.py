"""A vector set is judged by the wrong designs it kills: every mutant of the RTL, and what compare says of it."""
import pytest

from helpers.mutants import DEVICES, first_applicable, kill_table, write_directed
from helpers.vector_sets import ROOT, write
from hwsim.errors import FileError, HwsimError, UsageError
from hwsim.vectors.simulate.mutants import MUTANTS, Mutant, patch
from hwsim.vectors.simulate.qualify import UNPATCHED, kill, qualify


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("directed")
    return {name: write_directed(folder, name) for name in DEVICES}


@pytest.mark.parametrize("name", DEVICES)
def test_the_unmutated_design_passes(sets, name, quickest, tmp_path, builds):
    assert kill(UNPATCHED, sets[name], quickest, tmp_path / "m", builds).layer is None


def test_every_mutant_dies_and_is_named(sets, quickest, tmp_path, builds):
    names = [first_applicable(mutant, sets) for mutant in MUTANTS]
    trials = [kill(mutant, sets[name], quickest, tmp_path / str(i), builds)
              for i, (mutant, name) in enumerate(zip(MUTANTS, names))]
    assert [trial.mutant.name for trial in trials if trial.result != "killed"] == []
    named = [trial for trial in trials if trial.mutant.first_cause]
    assert [(trial.mutant.name, trial.first_cause) for trial in named] == \
        [(trial.mutant.name, trial.mutant.first_cause) for trial in named]
    assert len(trials) >= 15 and len(named) >= 10
    if quickest.kind == "icarus":   # Verilator has no X: a word that nothing wrote may kill elsewhere
        assert kill_table(zip(names, trials)) in (ROOT / "docs" / "vectors.md").read_text()


def test_every_mutant_has_a_name_of_its_own_and_a_set(sets):
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert f"patches {len(MUTANTS)} such bugs" in (ROOT / "README.md").read_text()
    used = {first_applicable(mutant, sets) for mutant in MUTANTS}
    assert used == set(DEVICES)


@pytest.mark.parametrize("device, reached, spared", [
    ("linear", "truncation for rounding", "ties to odd"), ("saturating", "ties to odd", "truncation for rounding"),
    ("log", "load length of tile 0", "saturation missing"), ("unfolded", "slope not applied", "clamp missing")])
def test_a_mutant_that_no_layer_reaches_does_not_apply(sets, quickest, tmp_path, device, reached, spared):
    applicable = {mutant.name for mutant in MUTANTS if any(map(mutant.applies, sets[device].layers))}
    assert reached in applicable and spared not in applicable
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == spared]
    assert kill(mutant, sets[device], quickest, tmp_path / "m", tmp_path).result == "not applicable"
    assert not (tmp_path / "m").exists()


def test_a_weak_set_lets_a_mutant_survive(tmp_path, quickest, builds):
    found = write(tmp_path / "v", names=["ties"])       # its biases are 0
    result = qualify(found.root, ["slope not applied", "m_neg unsigned", "bias not added"], quickest.kind, builds)
    assert [(trial.mutant.name, trial.result, trial.layer, trial.stage) for trial in result.trials] == [
        ("bias not added", "survived", None, None), ("m_neg unsigned", "killed", "ties", "requantizer"),
        ("slope not applied", "not applicable", None, None)]
    assert not result.passed


def test_a_set_that_fails_the_right_design_is_refused(tmp_path, quickest, builds):
    vectors = write(tmp_path / "v", names=["ties"])
    path = vectors.root / "rtl" / "requantizer.v"
    path.write_text(path.read_text().replace("(acc[ACC-1] ? m_neg : m_pos)", "m_pos"))
    with pytest.raises(HwsimError, match=r"the unpatched design must pass, not fail layer ties \(hwsim cosim says where\)$"):
        qualify(vectors.root, (), quickest.kind, builds)
    path = vectors.root / "L000_ties" / "out.hex"
    text = path.read_text()
    path.write_text(text[:-2] + f"{int(text[-2], 16) ^ 1:x}\n")
    with pytest.raises(FileError, match=r"out\.hex: must have the sha256 of the manifest, not be altered$"):
        qualify(vectors.root, (), quickest.kind, builds)


def test_an_unknown_mutant_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"^MUTANT must be one of truncation for rounding, .*, not no such bug$"):
        qualify(tmp_path, ["no such bug"])


def test_a_patch_that_does_not_apply_is_refused(sets, tmp_path):
    with pytest.raises(HwsimError, match=r"^none: the patched text must occur once in sb\.v, not 0 times$"):
        patch(Mutant("none", (), (("sb.v", "no such text", ""),)), sets["linear"].root, tmp_path / "m")
