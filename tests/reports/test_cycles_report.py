"""The cycles report: its keys, its text and its picture, from a small network."""
import json

import numpy as np
import pytest
from rich.console import Console

from hwsim.errors import UsageError
from hwsim.graph.node import Graph, Node
from hwsim.hw.config import load_device, override
from hwsim.hw.costs.network_cycles import image_shapes
from hwsim.pipeline.cycles import float_cycles
from hwsim.quantization.config import Config
from hwsim.quantization.prepare import prepare
from hwsim.reports import cycles, plotting
from hwsim.reports.write import dumps

MODEL = {"path": "small.h5", "sha256": "0" * 64, "parameters": 1}


def found(device, **options):
    rng = np.random.default_rng(0)
    graph = prepare(Graph((Node.make("x", "input", shape=(8, 8, 20)),
                           Node.make("first", "conv2d", ("x",), weights=rng.standard_normal((24, 3, 3, 20)), bias=np.zeros(24),
                                     padding="same"),
                           Node.make("move", "depth_to_space", ("first",), block=2),
                           Node.make("last", "conv2d", ("move",), weights=rng.standard_normal((6, 3, 3, 6)), bias=np.zeros(6),
                                     padding="same")), ("x",), ("last",)))
    config = Config(weights=device.w_format, weight_bits=device.w_bits, **options)
    return cycles.report(MODEL, config.as_json(), float_cycles(graph, image_shapes(graph), device, config))


def test_keys():
    report = json.loads(dumps(found(load_device())))
    assert report["schema"] == "hwsim.cycles/1"
    assert set(report["layers"][0]) == {
        "name", "op", "in_shape", "out_shape", "macs", "tiles", "two_word_tiles", "cycles", "stall_cycles", "utilization", "unit",
        "bits_moved", "line_buffer_bits", "need_bits", "fit", "limit", "advice", "weight_storage"}
    assert {"cycles", "macs", "utilization", "frames_per_second"} <= set(report["total"])
    first, move, last = report["layers"]
    assert (first["cycles"], move["cycles"], last["cycles"]) == (2310, 0, 16 * 16 * 9 + 6)
    assert report["total"]["cycles"] == 2310 + 2310
    assert report["total"]["frames_per_second"] == 1e9 / 4620


def printed(found, width):
    """What a person sees on a terminal of that many columns."""
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        for part in cycles.text(found):
            console.print(part)
    return capture.get().splitlines()


def test_text():
    lines = printed(found(override(load_device(), dma_bits=16)), 200)
    assert ("first |####-...............| 3.8 weights' bandwidth: 3456 of 5766 cycles wait for weights at 16 bits per cycle; "
            "dma_bits 32 hides every load but the first") in [" ".join(line.split()) for line in lines]
    assert lines[-1].startswith("9,228 cycles per image, ")


def test_numbers_stay_whole_on_a_narrow_terminal():
    """Text folds; a number that is cut in two cannot be read."""
    report = found(load_device())
    report["layers"][0] |= {"name": "a_layer_of_a_very_long_name/convolution", "macs": 115_605_504, "cycles": 1_451_590}
    lines = printed(report, 100)
    assert max(map(len, lines)) <= 100
    assert any("115,605,504  1,451,590" in line for line in lines)
    assert any(line.count("|") == 2 and "#" in line for line in lines)


def test_log_weights_report_their_storage():
    device = override(load_device(), w_format="stlq", w_bits=4)
    report = found(device, two_word_ratio=0.5)
    first, last = report["layers"][0]["weight_storage"], report["layers"][2]["weight_storage"]
    assert (first["weights"], first["word_bits"], first["flag_bits"]) == (4320, 4, 36)
    assert (last["weights"], last["second_words"]) == (324, 4 * 36)
    assert (first["literature_words"], last["literature_words"]) == (4320 / 4, 324 / 4)
    assert report["total"]["literature_words"] == (4320 + 324) / 4
    lines = [" ".join(line.split()) for line in printed(report, 100)]
    assert "first 36 18 3,462 4,320 3,392 36 30,884 1,080" in lines
    assert "as the literature counts, 1,161 words of 32 bits" in list(cycles.text(report))[-1]


def test_picture(tmp_path):
    pytest.importorskip("matplotlib")
    report = found(load_device())
    cycles.plot(report, tmp_path / "cycles.png")
    assert (tmp_path / "cycles.png").read_bytes()[:4] == b"\x89PNG"


def test_the_legend_has_the_colours_of_the_bars(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    drawn = []
    monkeypatch.setattr(cycles, "save", lambda figure, path: drawn.append(figure))
    cycles.plot(found(override(load_device(), dma_bits=16)), tmp_path / "cycles.png")
    (axes,) = drawn[0].axes
    legend = axes.get_legend()
    shown = {label.get_text(): patch.get_facecolor() for label, patch in zip(legend.get_texts(), legend.get_patches())}
    assert list(shown) == ["array", "vector", "address", "waiting for weights"]
    assert len(set(shown.values())) == 4
    plotting.pyplot().close(drawn[0])


def test_a_plot_is_a_picture_that_can_be_written():
    with pytest.raises(UsageError) as error:
        plotting.plot_kind("cycles.jpeg")
    assert str(error.value) == "cycles.jpeg: a plot must end in png, svg, pdf, not jpeg"
