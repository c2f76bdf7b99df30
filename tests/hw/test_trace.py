"""The texts that leave the stepped model: the event trace and the waveform."""
import re

import numpy as np

from helpers.array_layers import conv, image
from hwsim.fixed.formats import Datapath
from hwsim.hw.config import Device
from hwsim.hw.device.counters import Counters
from hwsim.hw.device.stepped import run_stepped
from hwsim.hw.device.trace import file_stem, trace_text, word_hex
from hwsim.hw.device.vcd import vcd_text
from hwsim.ops.cut import cut


def run(log=False, unfolded=False):
    layer = cut(conv((1, 2, 1), 2, (1, 1), unfolded=unfolded), (1, 1, 2, 1))[0].layer
    return run_stepped(layer, Datapath(20, tn=2, tm=2), Device(TN=2, TM=2), image((1, 2, 1))[0], log=log)


def test_hex_words():
    assert word_hex((1, -1), 11) == "3ff801"
    assert word_hex((0,), 5) == "00"
    assert word_hex((-4,), 3) == "4"


def test_trace_lines():
    result = run()
    lines = trace_text(result).splitlines()
    assert [line.split()[:3] for line in lines] == [["4", "A", "0"], ["5", "A", "1"], ["6", "O", "0"], ["7", "O", "1"],
                                                    ["8", "D", "0"]]
    assert lines[-1] == "8 D 0 0"
    for line, pixel in zip(lines[2:4], result.values[0]):
        assert line.split()[3] == word_hex(pixel, 11)
    assert lines[0].split()[3] == word_hex(result.acc[0, 0], 20)


def test_file_names():
    assert file_stem(3, "block 1/conv.g0") == "L003_block_1_conv.g0"


def replay(text):
    """name -> [(time, value)] of a dump, read by the rules of the format."""
    head, body = text.split("$enddefinitions $end\n")
    names, path = {}, []
    for line in head.splitlines():
        words = line.split()
        if words[0] == "$scope":
            path.append(words[2])
        elif words[0] == "$upscope":
            path.pop()
        elif words[0] == "$var":
            names[words[3]] = (".".join([*path, words[4]]), int(words[2]))
    seen, time = {name: [] for name, _ in names.values()}, None
    for line in body.splitlines():
        if line[0] == "#":
            assert time is None or int(line[1:]) > time
            time = int(line[1:])
            continue
        value, identifier = re.fullmatch(r"b?([01]+) ?(\S+)", line if line[0] == "b" else f"{line[0]} {line[1:]}").groups()
        name, width = names[identifier]
        assert len(value) <= width
        seen[name].append((time, int(value, 2)))
    return seen


def test_waveform():
    result = run(log=True)
    seen = replay(vcd_text(result))
    assert seen["hwsim.clk"] == [(t, 1 - t % 2) for t in range(2 * result.cycles + 2)]
    assert seen["hwsim.control.done"] == [(0, 0), (16, 1)]
    assert seen["hwsim.control.running"] == [(0, 1), (4, 0)]
    mask = (1 << 20) - 1
    shown = dict(seen["hwsim.pe_column.acc.acc1"])
    assert (shown[8], shown[10]) == (int(result.acc[0, 0, 1]) & mask, int(result.acc[0, 1, 1]) & mask)
    assert {"hwsim.pe_column.column0.products", "hwsim.nbin.q.q0", "hwsim.sb.column1.q", "hwsim.nbout.valid",
            "hwsim.control.counters.cot"} <= set(seen)


def test_the_unfolded_requantizer_shows_its_stages():
    assert "hwsim.requantizer.activated.activated0" in replay(vcd_text(run(log=True, unfolded=True)))


def test_the_same_run_gives_the_same_texts():
    assert vcd_text(run(log=True)) == vcd_text(run(log=True))
    assert trace_text(run()) == trace_text(run())


def test_counters_have_a_unit_and_a_sentence_and_add_up():
    counters = run().counters
    assert all(unit and len(sentence.split()) > 3 for _, _, unit, sentence in counters.rows())
    assert (counters + counters).cycles == 2 * counters.cycles
    assert [name for name, *_ in counters.rows()][0] == "cycles"
    assert Counters() + counters == counters
    assert np.all([isinstance(value, int) for _, value, _, _ in counters.rows()])
