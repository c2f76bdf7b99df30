"""The vector commands by command line: one tiny directed set, exit codes, one line on stderr."""
import json
import shutil

import numpy as np
import pytest

TINY = ("vectors", "--directed", "--tn", 4, "--tm", 4, "--acc-bits", 20, "--count", 0,
        "--layers", "ties", "--layers", "dma_equal")


@pytest.fixture
def tiny(cli, tmp_path):
    done = cli(*TINY, "--events", "--out", tmp_path / "v", "-q")
    assert done.status == 0, done.err
    return tmp_path / "v"


def add_five(folder, place):
    """One number of the second layer's manifest entry, five more."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    *keys, last = place
    entry = manifest["layers"][1]
    for key in keys:
        entry = entry[key]
    entry[last] += 5
    path.write_text(json.dumps(manifest, indent=1) + "\n")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fails(done, status, message):
    assert (done.status, done.err.count("\n")) == (status, 1) and message in done.err, done.err


def test_layers_by_the_name_of_their_folder_and_equal_bytes(cli, tiny, tmp_path):
    assert sorted(path.name for path in tiny.glob("L*")) == ["L000_ties", "L001_dma_equal"]
    assert cli(*TINY, "--events", "--out", tmp_path / "again", "-q").status == 0
    assert files(tmp_path / "again") == files(tiny)
    fails(cli(*TINY, "--layers", "dma_odd", "--out", tmp_path / "no"), 2, "must name directed layers")
    assert not (tmp_path / "no").exists()


def test_a_filled_folder_is_refused(cli, tiny):
    before = files(tiny)
    fails(cli(*TINY, "--out", tiny), 2, "must be new or empty, not filled")
    assert files(tiny) == before and cli(*TINY, "--out", tiny, "--force", "-q").status == 0
    assert not (tiny / "L000_ties" / "events.txt.gz").exists()


def test_verify(cli, report, tiny):
    assert report("vectors", "--verify", tiny)["layers"] == 2
    (tiny / "L000_ties" / "sb.hex").unlink()
    fails(cli("vectors", "--verify", tiny), 1, "sb.hex: must exist, not be missing")


def test_compare_and_explain(cli, report, tiny, tmp_path):
    shutil.copy(tiny / "L000_ties" / "out.npy", tmp_path / "mine.npy")
    assert report("compare", tiny, tmp_path / "mine.npy", "--layer", "ties")["first"] is None
    assert report("explain", tiny, "ties", 1, 2, 3)["expected_out"] == report("explain", tiny, "ties", 1, 2, 3)["out"]
    np.save(tmp_path / "bad.npy", np.load(tmp_path / "mine.npy") ^ (np.indices((4, 4, 8)).sum(0) == 0))
    done = cli("compare", tiny, tmp_path / "bad.npy", "--layer", "ties")
    assert done.status == 1 and "\nlanes 0..3: X...\npixels of 4x4:\n  X...\n  ....\n" in done.out
    fails(cli("compare", tiny, tmp_path / "none.txt", "--layer", "ties"), 2, "a trace must exist")
    fails(cli("explain", tiny, "ties", 9, 0, 0), 2, "oy must be 0..3 in ties, not 9")
    (tiny / "L000_ties" / "nbin.hex").write_text("not hex")
    for command in (("explain", tiny, "ties", 0, 0, 0), ("compare", tiny, tmp_path / "mine.npy", "--layer", "ties")):
        fails(cli(*command), 2, "nbin.hex: must have the sha256 of the manifest, not be altered")


@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")
def test_cosim_takes_what_it_expects_from_the_files(cli, report, tiny, tmp_path):
    run = ("cosim", tiny, "--sim", "icarus", "--build", tmp_path / "b", "--json", "-")
    assert report(*run[:-2])["passed"]
    fails(cli(*run[:4], "--build", tiny / "manifest.json"), 2, "manifest.json: the folder of builds must be writable")
    tile = ("cycles", "per_cotile", 0, "end")
    for place in (("cycles", "total"), ("cycles", "issue"), ("cycles", "stall"), ("cycles", "latency"), tile):
        kept = (tiny / "manifest.json").read_text()
        add_five(tiny, place)
        done = cli(*run)
        assert done.status == 1 and json.loads(done.out)["difference"]["first"]["stage"] == "cycle", place
        (tiny / "manifest.json").write_text(kept)
    path = tiny / "L000_ties" / "out.hex"
    text = path.read_text()
    path.write_text(text[:-2] + f"{int(text[-2], 16) ^ 1:x}\n")
    [cause] = json.loads(cli(*run).out)["difference"]["causes"]
    assert cause["cause"].startswith("the expected word is altered")
    (tiny / "L000_ties" / "csr.txn").unlink()
    fails(cli(*run), 2, "csr.txn: must exist, not be missing")


def test_mutants_says_which_bugs_a_set_kills(cli, report, tiny, tmp_path):
    run = ("mutants", tiny, "--build", tmp_path / "b")
    found = report(*run, "m_neg unsigned", "slope not applied")
    assert (found["schema"], found["killed"], found["survived"], found["not_applicable"]) == ("hwsim.mutants/1", 1, 0, 1)
    assert found["mutants"] == [
        {"name": "m_neg unsigned", "needs": ["the folded requantizer"], "result": "killed", "layer": "ties",
         "stage": "requantizer", "first_cause": "m_neg is read without its sign"},
        {"name": "slope not applied", "needs": ["the unfolded requantizer"], "result": "not applicable", "layer": None,
         "stage": None, "first_cause": None}]
    done = cli(*run, "padding off by one: first row", "m_neg unsigned", "events counted per beat")
    assert done.status == 1 and "\n2 of 3 applicable mutants killed, 0 not applicable\n" in done.out, done.out
    fails(cli(*run, "no such bug"), 2, "MUTANT must be one of truncation for rounding, ")
    fails(cli("mutants", tmp_path / "none"), 2, "a vector set must have a manifest")
    (tiny / "rtl" / "sb.v").write_text((tiny / "rtl" / "sb.v").read_text().replace("q = bank1 ?", "q = (bank1) ?"))
    fails(cli(*run, "bank select not delayed"), 2, "the patched text must occur once in sb.v, not 0 times")
    shutil.rmtree(tiny / "rtl")
    fails(cli(*run), 2, "rtl: a vector set must hold its RTL and testbench, not miss this folder")


@pytest.mark.parametrize("options", [("--seed", 3), ("--weights", "stlq", "--two-word-ratio", 0.1)])
def test_a_quantized_network_gives_the_vectors_of_its_checkpoint(cli, model, mosaic, tmp_path, options):
    common = ("--input", mosaic, "--crop", "8x8", "--layers", "fine", "-q", "--out")
    assert cli("quantize", model, "-o", tmp_path / "net.hwq", "--input", mosaic, "-q", *options).status == 0
    for source, folder in (((tmp_path / "net.hwq",), "hwq"), ((model, *options), "h5")):
        done = cli("vectors", *source, *common, tmp_path / folder)
        assert done.status == 0, done.err
    of_network, of_checkpoint = files(tmp_path / "hwq"), files(tmp_path / "h5")
    manifests = [json.loads(found.pop("manifest.json")) for found in (of_network, of_checkpoint)]
    for found in (of_network, of_checkpoint):
        del found["README.txt"]     # it prints the command
    assert of_network == of_checkpoint
    for manifest in manifests:
        del manifest["generator"]["command"], manifest["model_sha256"]
    assert manifests[0] == manifests[1]


def test_the_command_of_a_set_names_what_was_turned_off(cli, model, tmp_path):
    """Without --no-fold-prelu and --per-tensor it would make another set; switches that are off by themselves are not there."""
    done = cli("vectors", model, "--out", tmp_path / "v", "--crop", "8x8", "--no-fold-prelu", "--per-tensor", "-q")
    assert done.status == 0
    manifest = json.loads((tmp_path / "v" / "manifest.json").read_text())
    assert manifest["generator"]["command"] == "hwsim vectors MODEL --crop=8x8 --no-fold-prelu --per-tensor"
