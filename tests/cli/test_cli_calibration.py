"""`--save-calibration` and `--calibration`: the same network without its calibration images."""
import json

import numpy as np
import pytest

COMMANDS = (("run", "--no-float"), ("overflow",), ("inspect", "--plan"))


@pytest.fixture
def ranges(cli, model, picture, tmp_path):
    """The calibration of the shipped model on a picture."""
    path = tmp_path / "ranges.json"
    done = cli("quantize", model, "-o", tmp_path / "own.hwq", "--calib", picture, "--save-calibration", path, "-q")
    assert done.status == 0, done.err
    return path


@pytest.mark.parametrize("options", [(), ("--act-bits", 9, "--scale-policy", "lsb"), ("--calib-method", "mse", "--headroom", 2)])
def test_the_same_bytes(cli, model, picture, tmp_path, options):
    own, loaded, path = tmp_path / "own.hwq", tmp_path / "loaded.hwq", tmp_path / "ranges.json"
    first = cli("quantize", model, "-o", own, "--calib", picture, "--save-calibration", path, "-q", *options)
    again = cli("quantize", model, "-o", loaded, "--calibration", path, "-q", *options)
    assert (first.status, again.status) == (0, 0)
    assert first.err == again.err
    assert own.read_bytes() == loaded.read_bytes()


@pytest.mark.parametrize("options", [(), ("--act-bits", 9)])
def test_codes_keep_the_scale_that_they_were_calibrated_with(cli, model, mosaic, tmp_path, options):
    np.save(mosaic, np.load(mosaic) // 4)
    own, loaded, path = tmp_path / "own.hwq", tmp_path / "loaded.hwq", tmp_path / "ranges.json"
    cli("quantize", model, "-o", own, "--input", mosaic, "--save-calibration", path, "-q", *options)
    assert cli("quantize", model, "-o", loaded, "--calibration", path, "-q", *options).status == 0
    assert own.read_bytes() == loaded.read_bytes()
    assert list(json.loads(path.read_text())["input_scales"]) == ["mosaic"]
    done = cli("quantize", model, "-o", loaded, "--calibration", path, "--act-bits", 8)
    assert done.status == 2 and done.err.count("\n") == 1 and "scale of mosaic must be 0.00" in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_it(report, model, picture, mosaic, ranges, command):
    name, *options = command
    reports = [report(name, model, "--input", mosaic, *options, *calibration)
             for calibration in (("--calib", picture), ("--calibration", ranges))]
    for each in reports:
        each.pop("seconds", None)
    assert reports[0] == reports[1]


def test_vectors_take_it(cli, model, picture, mosaic, ranges, tmp_path):
    for folder, calibration in (("a", ("--calib", picture)), ("b", ("--calibration", ranges))):
        done = cli("vectors", model, "--input", mosaic, *calibration, "--crop", "8x8", "--layers", "enter", "--out",
                   tmp_path / folder, "-q")
        assert done.status == 0, done.err
    assert [path.read_bytes() for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()] == [
        path.read_bytes() for path in sorted((tmp_path / "b").rglob("*")) if path.is_file()]


def test_a_run_saves_what_it_measured(cli, report, model, picture, ranges, tmp_path):
    report("run", model, "--input", picture, "--no-float", "--save-calibration", tmp_path / "run.json")
    assert (tmp_path / "run.json").read_bytes() == ranges.read_bytes()


def fails(done, status, message):
    assert (done.status, done.err) == (status, f"hwsim: {message}\n")


def test_what_is_refused(cli, model, picture, ranges, tmp_path):
    fails(cli("run", model, "--calib", picture, "--calibration", ranges), 2,
          "--calib must come without --calibration, which holds its ranges already, not with it")
    fails(cli("run", model, "--calibration", ranges, "--calib-method", "mse"), 2,
          f"{ranges}: calib_method must be max, as it was calibrated, not mse")
    fails(cli("run", tmp_path / "own.hwq", "--calibration", ranges), 2,
          f"{tmp_path / 'own.hwq'}: --calibration must be given when the network is quantized, not afterwards")
    fails(cli("run", tmp_path / "own.hwq", "--save-calibration", tmp_path / "x"), 2,
          f"{tmp_path / 'own.hwq'}: --save-calibration must be given when the network is quantized, not afterwards")
    fails(cli("quantize", model, "-o", tmp_path / "x", "--calibration", tmp_path / "none.json"), 1,
          f"{tmp_path / 'none.json'}: a calibration must be a JSON file, not missing")
    fails(cli("quantize", model, "-o", tmp_path / "x", "--calibration", ranges, "--save-calibration", ranges), 2,
          f"{ranges}: an output must be another file than the input, not the same")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("sha256", "other"), [("a" * 64, f"sha256 {'a' * 16}..."), (None, "an unnamed one")])
def test_another_model_is_refused(cli, model, ranges, tmp_path, sha256, other):
    ranges.write_text(json.dumps(json.loads(ranges.read_text()) | {"model_sha256": sha256}))
    done = cli("quantize", model, "-o", tmp_path / "x", "--calibration", ranges)
    assert done.status == 2 and done.err.count("\n") == 1
    assert f"{ranges}: the calibration must be of this model (sha256 " in done.err and f"...), not of {other}\n" in done.err


@pytest.mark.parametrize(("command", "options", "code", "message"), [
    ("quantize", ("-o", "n.hwq", "--save-calibration", "n.hwq"), 2, "n.hwq: two outputs must be two files, not the same"),
    ("quantize", ("-o", "n.hwq", "--save-calibration", "nowhere/r.json"), 1, "nowhere/r.json: must be writable, not missing"),
    ("quantize", ("-o", "n.hwq", "--save-calibration", "."), 1, ".: must be writable, not a folder"),
    ("run", ("--save-calibration", "nowhere/r.json"), 1, "nowhere/r.json: must be writable, not missing"),
    ("run", ("--calibration", ""), 2, "--calibration must name a file, not nothing"),
    ("inspect", ("--calibration", "r.json"), 2, "--calibration must come with --plan, which quantizes, not without it"),
])
def test_refused_before_any_work(cli, model, tmp_path, monkeypatch, command, options, code, message):
    monkeypatch.chdir(tmp_path)
    done = cli(command, model, *options)
    assert done.status == code and message in done.err and done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
