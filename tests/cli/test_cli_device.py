"""`hwsim device`, `cycles` and `overflow` as a person calls them."""
import json

import numpy as np
import pytest

from helpers.keras_files import call, functional, image, layer, write


@pytest.fixture
def network(cli, model, mosaic, tmp_path):
    """The shipped model as a quantized network with log weights."""
    path = tmp_path / "net.hwq"
    words = ("--weights", "stlq", "--two-word-ratio", "0.15")
    assert cli("quantize", model, "--calib", mosaic, *words, "-o", path, "-q").status == 0
    return path


def test_the_printed_device_reads_back(cli, tmp_path):
    done = cli("device", "--device", "diannao", "--tm", "8", "--clock-ghz", "0.70")
    (tmp_path / "mine.toml").write_text(done.out)
    assert "TM = 8\n" in done.out and "clock_ghz = 0.70\n" in done.out
    assert cli("device", "--device", tmp_path / "mine.toml").out == done.out


def test_every_option_overrides_its_field(report):
    options = {"tn": 8, "tm": 4, "act_bits": 9, "weight_bits": 3, "weights": "stlq", "acc_bits": 20, "overflow": "saturate",
               "mult_bits": 12, "shift_bits": 5, "rounding": "floor", "dma_bits": 64, "sb_kb": 32, "nbin_kb": 2, "nbout_kb": 3,
               "clock_ghz": "0.5", "gap": 7}
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    assert report("device", *words, "--no-fold-prelu")["device"] == {
        "TN": 8, "TM": 4, "act_bits": 9, "w_bits": 3, "w_format": "stlq", "acc_bits": 20, "acc_mode": "saturate", "mult_bits": 12,
        "shift_bits": 5, "round": "floor", "prelu": "unfolded", "dma_bits": 64, "sb_kb": 32, "nbin_kb": 2, "nbout_kb": 3,
        "clock_ghz": "0.5", "gap": 7}


@pytest.mark.parametrize("text, status, message", [
    ("frequency = 1", 2, "{}: a device key must be one of TN, TM, act_bits, w_bits, w_format, acc_bits, acc_mode, mult_bits, "
     "shift_bits, round, prelu, dma_bits, sb_kb, nbin_kb, nbout_kb, clock_ghz, gap, not 'frequency'"),
    ("TN = 12", 2, "{}: TN must be a power of two in 1..64, not 12"),
    ("TN =", 1, "{}: a device must be TOML, not invalid value (at end of document)"),
    ("TN = " + "[" * 20000, 1, "{}: a device must be a flat TOML file, not nested values"),
    ("#" * 70000, 1, "{}: a device file must be at most 65536 bytes, not more")])
def test_a_bad_device_is_one_line(cli, tmp_path, text, status, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    done = cli("device", "--device", path)
    assert (done.status, done.out, done.err) == (status, "", f"hwsim: {message.format(path)}\n")


def test_cycles_and_run_agree(report, model, mosaic):
    """The shipped model joins its raw input with itself: codes move, whether or not anything is quantized yet."""
    np.save(mosaic, np.load(mosaic) // 2)
    before = report("cycles", model, "--input-size", "32x32")
    after = report("run", model, "--input", mosaic, "--no-float")["cycles"]
    assert before["total"] == after["total"]
    assert [row["cycles"] for row in before["layers"]] == [row["cycles"] for row in after["layers"]]
    assert {row["name"]: (row["unit"], row["cycles"]) for row in before["layers"]}["skip"] == ("address", 0)


def test_cycles_of_a_quantized_network_say_its_words(report, network):
    body = report("cycles", network, "--input-size", "32x32", "--dma-bits", 64, "--gap", 3)
    device = body["device"]
    assert (device["w_format"], device["w_bits"], device["act_bits"], device["dma_bits"]) == ("stlq", 4, 11, 64)
    assert body["total"]["gap_cycles"] == 8 * 3
    assert body["total"]["literature_words"] == pytest.approx(sum(
        row["weight_storage"]["literature_words"] for row in body["layers"] if "weight_storage" in row))


@pytest.mark.parametrize("command", ["cycles", "overflow"])
@pytest.mark.parametrize("option, value", [("--act-bits", "9"), ("--layer-bits", "fine=9/4"), ("--tn", "8")])
def test_a_quantized_network_has_decided(cli, network, command, option, value):
    done = cli(command, network, option, value)
    assert (done.status, done.out) == (2, "")
    assert done.err == f"hwsim: {network}: {option} must be given when the network is quantized, not afterwards\n"


def test_a_layer_that_is_not_there(cli, model):
    done = cli("cycles", model, "--layer-bits", "nonsense=8/8")
    assert (done.status, done.err) == (2, "hwsim: layer_bits must name layers that make values, not 'nonsense'\n")


def small(path):
    """A checkpoint of one 3x3 convolution of ones, 2 inputs to 1 output, without bias."""
    kernel = layer("Conv2D", "c", calls=[call("x")], filters=1, kernel_size=[3, 3], padding="same", use_bias=False)
    return write(path, functional([image("x", 2, (4, 4)), kernel], [["x", 0, 0]], [["c", 0, 0]]),
                 {"c": [("c/kernel:0", np.ones((3, 3, 2, 1)))]})


def test_the_first_event_in_every_mode(cli, report, tmp_path):
    """Codes 1023, weights 127: a beat adds 2*1023*127 = 259,842; 21 bits end at 1,048,575, so the fifth beat inside is the first.

    Pixel (0, 0) has four taps inside the image, pixel (0, 1) six: its fifth is (ky 2, kx 1).
    """
    model, ones = small(tmp_path / "small.h5"), tmp_path / "ones.npy"
    np.save(ones, np.ones((1, 4, 4, 2)))
    first = {"layer": "c", "n": 0, "cot": 0, "oy": 0, "ox": 1, "oc": 0, "ky": 2, "kx": 1, "cit": 0, "word": 0, "value": 1299210}
    given = (model, "--input", ones, "--acc-bits", "21")
    wrapped, held = (report("overflow", *given, "--overflow", mode)["layers"][0] for mode in ("wrap", "saturate"))
    assert wrapped["events"] == {"count": 8 + 4, "first": first}         # edges and middle, once each
    assert held["events"] == {"count": 8 * 2 + 4 * 5, "first": first}    # every later beat pushes again
    done = cli("overflow", *given, "--overflow", "error", "--json", tmp_path / "none.json")
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines()[-1] == (f"hwsim: {model}: c: the accumulator must stay in -1048576..1048575 (i21), not 1299210 "
                                         "at n=0 cot=0 oy=0 ox=1 oc=0 ky=2 kx=1 cit=0 word=0")
    assert not (tmp_path / "none.json").exists()


def test_what_if_in_numbers(report, model, mosaic):
    body = report("overflow", model, "--input", mosaic, "--what-if")
    widths, reruns = body["what_if"]["widths"], body["what_if"]["reruns"]
    assert [row["acc_bits"] for row in widths] == list(range(8, body["total"]["smallest_safe"]["observed"] + 1))
    assert widths[-1]["out_of_range"] == {"beats": 0, "pixels": 0, "outputs": 0}
    assert reruns[0]["events"] == reruns[0]["changed_outputs"] == 0 < reruns[1]["events"]
    json.dumps(body, allow_nan=False)
