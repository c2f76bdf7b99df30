"""`hwsim run` on the shipped model: report keys, files, options that change bits, two engines."""
import json
import sys

import numpy as np
import pytest

from hwsim.reports import outputs

KEYS = {"schema", "hwsim", "model", "config", "quality", "truth", "outputs", "layers", "worst_layer", "overflow", "seconds"}


def test_report_keys(report, model, picture):
    body = report("run", model, "--input", picture)
    assert body.keys() >= KEYS and body["schema"] == "hwsim.run/1"
    assert body["model"].keys() == {"path", "sha256", "parameters"} and len(body["model"]["sha256"]) == 64
    assert body["seconds"].keys() == {"import", "calibrate", "quantize", "simulate"}
    [quality], [truth], [output] = body["quality"], body["truth"], body["outputs"]
    assert quality.keys() >= {"psnr_db", "ssim", "max_abs_error", "signal_peak"} and quality["psnr_db"] > 40
    assert truth["float_psnr_db"] > 15 and quality["signal_peak"] == 1
    assert (output["shape"], output["format"], len(output["sha256"])) == ([1, 32, 48, 3], "i11", 64)
    assert body["worst_layer"] in [layer["name"] for layer in body["layers"]]
    assert all(layer.keys() >= {"name", "format", "sqnr_db", "clamped", "unused_bits"} for layer in body["layers"])
    assert body["config"]["act_bits"] == 11 and body["config"]["input_bits"] == 10


def test_sensor_codes_pass_the_input_unchanged(report, cli, model, mosaic, tmp_path):
    """11-bit activations and a 10-bit sensor: the input codes ARE the sensor's integers."""
    assert cli("run", model, "--input", mosaic, "--dump", "mosaic", "--out", tmp_path / "o").status == 0
    np.testing.assert_array_equal(np.load(tmp_path / "o" / "mosaic.codes.npy"), np.load(mosaic))


def test_engines_give_the_same_bits(report, model, mosaic):
    found = [report("run", model, "--input", mosaic, "--engine", engine, "--no-float") for engine in ("fast", "reference")]
    assert found[0]["outputs"][0]["sha256"] == found[1]["outputs"][0]["sha256"]
    assert [row["clamped"] for row in found[0]["layers"]] == [row["clamped"] for row in found[1]["layers"]]


def test_same_command_same_bits(report, model, picture):
    first, second = (report("run", model, "--input", picture) for _ in range(2))
    for found in (first, second):
        del found["seconds"]
    assert first == second


def test_narrow_accumulator_overflows_with_an_address(report, model, mosaic):
    found = report("run", model, "--input", mosaic, "--acc-bits", 22, "--no-float")["overflow"]
    assert found["total"]["acc_bits"] == 22 and found["total"]["events"] > 0
    [first] = [row["events"]["first"] for row in found["layers"] if row["events"]["first"]]
    assert first.keys() >= {"layer", "cot", "oy", "ox", "oc", "ky", "kx", "cit", "word", "value"}
    assert report("run", model, "--input", mosaic, "--no-float")["overflow"]["total"]["events"] == 0


def test_cycles_and_overflow_sections(report, model, mosaic):
    body = report("run", model, "--input", mosaic)
    assert body["cycles"]["total"].keys() >= {"cycles", "macs", "utilization", "frames_per_second"}
    assert body["cycles"]["layers"][1]["name"] == "enter" and body["cycles"]["layers"][1]["cycles"] == 8 * 8 * 9 * 3 + 6
    row = body["overflow"]["layers"][0]
    assert row["name"] == "enter" and row["bits"].keys() == {"datatype", "weights", "reachable", "observed", "daq_rule"}
    assert row["bits"]["datatype"] >= row["bits"]["weights"] >= row["bits"]["reachable"] >= row["bits"]["observed"]


def test_stepped_engine_leaves_traces_and_waves(report, model, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(64).reshape(1, 8, 8, 1))
    fast = report("run", model, "--input", path, "--no-float")
    stepped = report("run", model, "--input", path, "--no-float", "--engine", "stepped", "--trace", tmp_path / "t",
                     "--vcd", tmp_path / "w")
    assert stepped["outputs"] == fast["outputs"] and stepped["cycles"] == fast["cycles"]
    assert stepped["overflow"] == fast["overflow"]
    files = [len(list((tmp_path / kind).glob(pattern))) for kind, pattern in (("t", "L*.txt"), ("w", "L*.vcd"))]
    assert files == [9, 9] and len(stepped["stepped"]) == 9
    done = (tmp_path / "t" / "L000_enter.txt").read_text().splitlines()[-1]
    assert done == f"{fast['cycles']['layers'][1]['cycles']} D 0 0"


def test_overflow_error_mode_stops(cli, model, mosaic, tmp_path):
    done = cli("run", model, "--input", mosaic, "--acc-bits", 22, "--overflow", "error", "--out", tmp_path / "o")
    assert done.status == 1 and ": the accumulator must stay in -2097152..2097151 (i22), not " in done.err.splitlines()[-1]
    assert not (tmp_path / "o" / "report.json").exists()


def test_more_bits_are_better(report, model, picture):
    psnr = [report("run", model, "--input", picture, "--act-bits", bits)["quality"][0]["psnr_db"] for bits in (8, 11, 14)]
    assert psnr[0] < psnr[1] < psnr[2]


def test_layer_bits_and_scales(report, model, picture, tmp_path):
    scales = tmp_path / "scales.json"
    scales.write_text(json.dumps({"fine": 0.01}))
    found = report("run", model, "--input", picture, "--layer-bits", "down=9/6", "--scales", scales)
    assert {row["name"]: row["format"] for row in found["layers"]}["down"] == "i9"
    assert found["config"]["layer_bits"] == {"down": [9, 6]} and found["config"]["scales"] == {"fine": 0.01}


def test_frozen_at_the_reference_is_calib(report, model, picture):
    calib, frozen = (report("run", model, "--input", picture, "--scale-policy", policy) for policy in ("calib", "frozen"))
    assert calib["outputs"] == frozen["outputs"]
    narrow = report("run", model, "--input", picture, "--scale-policy", "frozen", "--act-bits", 9)
    assert narrow["layers"][0]["clamped"] > 0  # the bus lost its top bits: bright sensor codes saturate


def test_files(cli, model, picture, tmp_path):
    out = tmp_path / "deep" / "out"
    done = cli("run", model, "--input", picture, "--out", out)
    assert done.status == 0 and "integer against float" in done.out
    names = {path.name for path in out.iterdir()}
    assert names == {"report.json", "rgb.codes.npy", "rgb.npy", "rgb.integer.png", "rgb.float.png", "rgb.difference_x32.png"}
    codes, real = np.load(out / "rgb.codes.npy"), np.load(out / "rgb.npy")
    assert codes.dtype == np.int32 and codes.shape == (1, 32, 48, 3)
    np.testing.assert_array_equal(codes * json.loads((out / "report.json").read_text())["outputs"][0]["scale"], real)


def test_a_folder_of_pictures(report, model, picture, tmp_path):
    (tmp_path / "all").mkdir()
    for name in ("a.ppm", "b.ppm"):
        (tmp_path / "all" / name).write_bytes(picture.read_bytes())
    found = report("run", model, "--input", tmp_path / "all", "--calib", picture)
    assert [sample["sample"] for sample in found["samples"]] == ["a.ppm", "b.ppm"]
    assert found["samples"][0]["outputs"] == found["samples"][1]["outputs"]


def test_quantized_network_gives_the_same_bits(report, cli, model, picture, tmp_path):
    net = tmp_path / "net.hwq"
    assert cli("quantize", model, "-o", net, "--input", picture, "-q").status == 0
    assert report("run", net, "--input", picture)["outputs"] == report("run", model, "--input", picture)["outputs"]


@pytest.mark.parametrize("arguments, status, message", [
    (["--act-bits", 1], 2, "act_bits must be 2..16, not 1"),
    (["--act-bits", 17], 2, "act_bits must be 2..16, not 17"),
    (["--weight-bits", 1], 2, "weight_bits must be 2..16, not 1"),
    (["--acc-bits", 49], 2, "acc_bits must be 8..48, not 49"),
    (["--mult-bits", 3], 2, "mult_bits must be 4..31, not 3"),
    (["--input-bits", 11], 2, "input_bits must be at most act_bits - 1 = 10, not 11"),
    (["--input", "none.png"], 1, "none.png: the input must be a file or a folder, not missing"),
    (["--dump", "rgb2"], 2, "dump must name a tensor of the network (near: rgb"),
    (["--layer-bits", "down=9"], 2, "Invalid value for '--layer-bits': must be A/W, not 9"),
    (["--layer-bits", "dawn=9/8"], 2, "dawn"),
    (["--cfa", "rgbx"], 2, "cfa must be rggb, bggr, grbg, gbrg, rgbw or a text file, not rgbx"),
    (["--rounding", "up"], 2, "Invalid value for '--rounding': 'up' is not one of"),
    (["--scales", "none.json"], 1, "none.json: must be a JSON object of scales, not missing"),
])
def test_bad_options(cli, model, picture, tmp_path, arguments, status, message):
    base = ["run", model, "--out", tmp_path / "o"]
    done = cli(*(base if "--input" in arguments else [*base, "--input", picture]), *arguments)
    lines = [line for line in done.err.splitlines() if not line.startswith("warning")]
    assert done.status == status and len(lines) == 1 and message in lines[0], done.err
    assert not list(tmp_path.glob("o/*"))


def test_wrong_input_shape(cli, model, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 32, 32, 3)))
    done = cli("run", model, "--input", tmp_path / "x.npy")
    assert done.status == 1 and done.err == "hwsim: x.npy: mosaic: input shape must be NxHxWx1, not 1x32x32x3\n"
    np.save(tmp_path / "x.npy", np.zeros((1, 30, 32, 1)))
    done = cli("run", model, "--input", tmp_path / "x.npy")
    assert done.status == 1 and len(done.err.splitlines()) == 1 and "multiples of 4" in done.err


def test_codes_outside_the_word(cli, model, tmp_path):
    np.save(tmp_path / "x.npy", np.full((1, 32, 32, 1), 2000))
    done = cli("run", model, "--input", tmp_path / "x.npy")
    assert done.status == 2
    assert done.err.splitlines()[-1] == "hwsim: x.npy: mosaic: input codes must be -1024..1023 (i11), not 0..2000"


def test_without_the_images_extra(cli, model, picture, tmp_path, monkeypatch):
    """Pictures are .ppm, and one warning says what to install; the figures need no extra."""
    for name in ("PIL", "PIL.Image", "skimage", "skimage.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("hwsim.reports.outputs.find_spec", lambda name: None)
    done = cli("run", model, "--input", picture, "--calib", picture, "--out", tmp_path / "o", "--json", tmp_path / "r.json")
    assert done.status == 0 and done.err.count("pip install 'hwsim[images]'") == 1
    assert json.loads((tmp_path / "r.json").read_text())["quality"][0]["ssim"] > 0.9
    assert {p.suffix for p in (tmp_path / "o").iterdir()} == {".json", ".npy", ".ppm"}


def test_a_quantized_network_has_decided_its_options(cli, model, picture, tmp_path):
    net = tmp_path / "net.hwq"
    cli("quantize", model, "-o", net, "--input", picture, "-q")
    for option in (["--act-bits", 5], ["--overflow", "saturate"], ["--calib", picture], ["--layer-bits", "down=9/8"]):
        done = cli("run", net, "--input", picture, *option)
        assert done.status == 2
        assert done.err == f"hwsim: {net}: {option[0]} must be given when the network is quantized, not afterwards\n"


@pytest.mark.parametrize("names", [("real", "codes"), ("codes", "real")])
def test_a_folder_of_codes_and_real_numbers(cli, model, mosaic, tmp_path, names):
    kinds = {"codes": np.load(mosaic), "real": np.load(mosaic) / 1023}
    (tmp_path / "mix").mkdir()
    for file, name in zip("ab", names):
        np.save(tmp_path / "mix" / f"{file}.npy", kinds[name])
    done = cli("run", model, "--input", tmp_path / "mix", "--out", tmp_path / "o")
    assert done.status == 2 and done.err.count("\n") == 1 and done.err.startswith("hwsim: b.npy: input mosaic must be ")
    assert not (tmp_path / "o").exists()


def test_a_bad_second_file_leaves_nothing(cli, model, mosaic, tmp_path):
    (tmp_path / "all").mkdir()
    np.save(tmp_path / "all" / "a.npy", np.load(mosaic) / 1023)
    np.save(tmp_path / "all" / "b.npy", np.full((1, 32, 32, 1), np.nan))
    done = cli("run", model, "--input", tmp_path / "all", "--calib", tmp_path / "all" / "a.npy", "--out", tmp_path / "o")
    assert done.status == 1 and "b.npy" in done.err.splitlines()[-1]
    assert sorted(p.name for p in tmp_path.iterdir() if p != mosaic) == ["all"]


@pytest.mark.parametrize("arguments", [("quantize", "{m}", "-o", "{m}"), ("run", "{m}", "--json", "{m}"),
                                       ("float", "{m}", "--input", "{x}", "--output", "{x}")])
def test_an_input_is_never_written_over(cli, model, mosaic, tmp_path, arguments):
    copy = tmp_path / "m.h5"
    copy.write_bytes(model.read_bytes())
    done = cli(*(a.format(m=copy, x=mosaic) for a in arguments))
    assert done.status == 2 and done.err.endswith(": an output must be another file than the input, not the same\n")
    assert copy.read_bytes() == model.read_bytes()


def test_names_that_look_alike_get_files_of_their_own():
    assert outputs.file_names(["o/2", "o_2", "a b", "o/2"]) == {"o/2": "o_2", "o_2": "o_2~2", "a b": "a_b"}


def test_options_and_notes_with_v(cli, model, mosaic):
    done = cli("run", model, "--input", mosaic, "-v")
    assert "act_bits" in done.out and "note: enter_prelu: folded into enter" in done.out
