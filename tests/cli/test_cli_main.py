"""The frame of the command line: help, versions, one-line failures, the other commands."""
import subprocess
import sys
import time

import numpy as np
import pytest

from hwsim.cli.main import COMMANDS, status
from hwsim.version import VERSION


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(cli, name):
    done = cli(name, "--help")
    assert done.status == 0 and "Example" in done.out and f"hwsim {name} " in done.out


def test_help_and_version(cli):
    assert all(name in cli("--help").out for name in COMMANDS)
    assert cli("--version").out == f"hwsim, version {VERSION}\n"


@pytest.mark.parametrize("arguments, message", [
    (["warp"], "hwsim: No such command 'warp'.\n"), (["run"], "hwsim: Missing argument 'MODEL'.\n"),
    (["run", "m.h5", "--zzzz"], "hwsim: No such option '--zzzz'.\n")])
def test_usage_errors_are_one_line(cli, arguments, message):
    done = cli(*arguments)
    assert (done.status, done.out, done.err) == (2, "", message)


@pytest.mark.parametrize("command", ["run", "float", "inspect", "quantize"])
@pytest.mark.parametrize("content", [None, b"", b"hello\n", b"\x89HDF\r\n\x1a\n" + b"\0" * 40])
def test_bad_models_are_one_line(cli, tmp_path, command, content):
    path = tmp_path / "model.h5"
    if content is not None:
        path.write_bytes(content)
    extra = ["-o", tmp_path / "out.hwq"] if command == "quantize" else []
    done = cli(command, path, *extra)
    assert done.status == 1 and done.out == "" and done.err.startswith(f"hwsim: {path}: ") and done.err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else ["model.h5"])


def test_an_output_in_no_folder_is_one_line(cli, model, tmp_path):
    """The folder is looked at first: no warning of a calibration comes before."""
    path = tmp_path / "nowhere" / "net.hwq"
    assert cli("quantize", model, "-o", path) == (1, "", f"hwsim: {path}: must be writable, not missing\n")


@pytest.mark.parametrize("command, options, message", [
    ("cycles", ["--input-size", "30x32"], "tf.nn.space_to_depth: height and width must be multiples of 4, not 30x32"),
    ("quantize", ["--shift-bits", 2, "-o", "no.hwq"], "enter: shift_bits must be at least 5 for a shift of 25, not 2"),
    ("overflow", ["--acc-bits", 20], "up: the bias of channel 2 must fit 20 accumulator bits, not need 21"),
    ("run", ["--engine", "stepped", "--sb-kb", 1, "--dma-bits", 8],
     "enter: sb_kb must be at least 5 for two banks of 18432 bits, not 1"),
    ("vectors", ["--acc-bits", 20, "--out", "v"], "up: the bias of channel 2 must fit 20 accumulator bits, not need 21"),
    ("inspect", ["--plan", "--acc-bits", 20], "up: the bias of channel 2 must fit 20 accumulator bits, not need 21")])
def test_errors_in_a_network_begin_with_its_file(cli, model, tmp_path, monkeypatch, command, options, message):
    monkeypatch.chdir(tmp_path)
    done = cli(command, model, *options)
    lines = [line for line in done.err.splitlines() if not line.startswith("warning")]
    assert (done.status, done.out, lines) == (1, "", [f"hwsim: {model}: {message}"])


@pytest.mark.parametrize("command, option", [
    (["run"], "--input"), (["float"], "--input"), (["overflow"], "--input"), (["vectors", "--out", "v"], "--input"),
    (["quantize", "-o", "no.hwq"], "--calib"), (["inspect", "--plan"], "--calib")])
def test_errors_in_an_input_begin_with_its_file_once(cli, model, tmp_path, monkeypatch, command, option):
    monkeypatch.chdir(tmp_path)
    for shape in ((1, 8, 8, 7), (1, 30, 30, 1)):
        np.save("x.npy", np.zeros(shape))
        done = cli(command[0], model, *command[1:], option, "x.npy")
        lines = [line for line in done.err.splitlines() if not line.startswith("warning")]
        assert done.status and done.out == "" and len(lines) == 1
        assert lines[0].startswith("hwsim: x.npy: ") and lines[0].count("x.npy") == 1 and str(model) not in lines[0]


def test_an_unforeseen_error_is_one_line_too(capfd, monkeypatch):
    from hwsim.cli import main as module
    monkeypatch.setattr(module.hwsim, "main", lambda *a, **k: 1 // 0)
    assert status([]) == 1
    assert capfd.readouterr().err.startswith("hwsim: internal error, please report it: ZeroDivisionError")


@pytest.mark.speed
def test_start_is_quick():
    """CPU time of --help in a fresh process: no numerical library is loaded."""
    code = "import time, sys; from hwsim.cli.main import status; status(['--help']); print(time.process_time(), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stderr) < 0.4


def test_float(cli, model, mosaic, tmp_path):
    np.save(tmp_path / "x.npy", np.load(mosaic) / 1023)
    done = cli("float", model, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npz")
    assert done.status == 0 and "out0" in done.out
    found = np.load(tmp_path / "y.npz")
    assert list(found) == ["out0"] and found["out0"].shape == (1, 32, 32, 3)


def test_inspect(cli, report, model):
    done = cli("inspect", model)
    assert done.status == 0 and "folded into enter" in done.out and "sensor: cfa rgbw, input_bits 10" in done.out
    found = report("inspect", model)
    assert found["problem"] is None and found["inputs"] == ["mosaic"] and found["outputs"] == ["rgb"]
    assert cli("inspect", model, "--text").out.startswith("mosaic = input() {index=0, shape=(None, None, 1)} -> NxHxWx1\n")


def test_json_to_a_file(cli, model, mosaic, tmp_path):
    path = tmp_path / "r.json"
    start = time.time()
    assert cli("run", model, "--input", mosaic, "-q", "--json", path).out == ""
    assert path.stat().st_mtime >= start - 1 and path.read_text().startswith('{\n  "schema": "hwsim.run/1"')


def test_unwritable_output(cli, model, mosaic, tmp_path):
    (tmp_path / "file").write_text("")
    done = cli("run", model, "--input", mosaic, "-q", "--out", tmp_path / "file" / "o")
    assert done.status == 1 and len([x for x in done.err.splitlines() if not x.startswith("warning")]) == 1


def test_a_reader_that_leaves_early_is_no_failure(model):
    done = subprocess.run(f"{sys.executable} -m hwsim inspect {model} | head -1; exit ${{PIPESTATUS[0]}}", shell=True,
                          executable="/bin/bash", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
