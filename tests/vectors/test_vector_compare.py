"""compare: traces, VCDs and arrays against a set's files; what is named, what is refused, what is drawn."""
import gzip
import json
import re

import numpy as np
import pytest

from helpers.vector_sets import SMALL, write
from hwsim.errors import FileError, UsageError
from hwsim.hw.config import override
from hwsim.vectors.explain.compare import compare, picture
from hwsim.vectors.explain.explain_output import explain
from hwsim.vectors.explain.replay import Law, Source
from hwsim.vectors.write.folder import Extras
from hwsim.vectors.write.hexfile import pack

NAMES = ("ties", "window", "tiles", "dma")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    return write(tmp_path_factory.mktemp("set") / "v", names=NAMES, extras=Extras(trace=True))


def events(layer):
    return gzip.decompress((layer.folder / "events.txt.gz").read_bytes()).decode().splitlines(keepends=True)


def traced(tmp_path, lines):
    path = tmp_path / "trace.txt"
    path.write_text("".join(lines))
    return path


def compare_one(vectors, name, path, **options):
    (report,) = compare(vectors.root, path, name, **options)
    return report


def test_the_golden_trace_is_equal(vectors, tmp_path):
    for layer in vectors.layers:
        report = compare_one(vectors, layer.name, traced(tmp_path, events(layer)))
        assert report.equal and report.compared == 2 * layer.words and report.notes == []


def test_a_flipped_bit_has_its_place(vectors, tmp_path):
    layer = vectors.layer("window")
    lines = events(layer)
    index = next(i for i, line in enumerate(lines) if line.split()[1:3] == ["O", "5"])
    cycle, kind, address, word = lines[index].split()
    lines[index] = f"{cycle} {kind} {address} {int(word, 16) ^ 1 << 11 * 2 + 3:011x}\n"
    report = compare_one(vectors, "window", traced(tmp_path, lines))
    value = int(layer.values("out")[5, 2])
    assert report.first == {"layer": "window", "stage": "requantizer", "cot": 0, "oy": 1, "ox": 2, "lane": 2, "channel": 2,
                            "cycle": int(cycle), "got": value ^ 8, "expected": value, "bits": [3]}
    assert len(report.wrong) == 1
    drawn = picture(report)
    assert drawn[0] == "lanes 0..3: ..X." and drawn[1] == "pixels of 4x3:" and drawn[3] == "  ..X" and "X" not in drawn[2]


def test_unknown_bits_are_reported_as_x(vectors, tmp_path):
    lines = [line.replace(line.split()[3], "x" * 11) if line.split()[1:3] == ["O", "0"] else line
             for line in events(vectors.layer("window"))]
    first = compare_one(vectors, "window", traced(tmp_path, lines)).first
    assert (first["got"], first["lane"], first["bits"]) == ("X", 0, [])


def test_a_late_design_differs_in_cycles_only(vectors, tmp_path):
    late = [f"{int(line.split()[0]) + 1} {line.split(' ', 1)[1]}" for line in events(vectors.layer("tiles"))]
    report = compare_one(vectors, "tiles", traced(tmp_path, late))
    assert report.first["stage"] == "cycle" and report.first["got"] == report.first["expected"] + 1
    assert report.causes[0]["cause"] == "the accumulator comes one cycle late"


def test_a_missing_event_and_one_too_many(vectors, tmp_path):
    lines = events(vectors.layer("window"))
    first = compare_one(vectors, "window", traced(tmp_path, lines[1:])).first
    assert (first["stage"], first["got"]) == ("accumulator", "no event")
    assert compare_one(vectors, "window", traced(tmp_path, [*lines[:-1], lines[0], lines[-1]])).first["stage"] == "cycle"
    report = compare_one(vectors, "window", traced(tmp_path, lines[:-1]))
    assert report.first["stage"] == "cycle" and report.first["got"] is None


def test_outputs_alone_are_compared_with_a_note(vectors, tmp_path):
    lines = [line for line in events(vectors.layer("window")) if line.split()[1] != "A"]
    report = compare_one(vectors, "window", traced(tmp_path, lines))
    assert report.equal and report.notes == ["no A events in trace.txt: acc values not compared"]


def test_arrays_of_someone_else(vectors, tmp_path):
    layer = vectors.layer("window")
    out = np.array(layer.array("out"))
    np.save(tmp_path / "mine.npy", out[None])
    assert compare_one(vectors, "window", tmp_path / "mine.npy").equal
    out[2, 1, 3] ^= 1
    np.save(tmp_path / "mine.npy", out)
    first = compare_one(vectors, "window", tmp_path / "mine.npy").first
    assert (first["oy"], first["ox"], first["channel"], first["bits"], first["cycle"]) == (2, 1, 3, [0], None)
    np.save(tmp_path / "acc.npy", np.array(layer.array("acc")))
    assert compare_one(vectors, "window", tmp_path / "acc.npy").equal


VCD = """$scope module mine $end
$var wire 1 ! ck $end
$var wire 1 " go $end
$var wire 1 # av $end
$var wire 32 $ aa [31:0] $end
$var wire {acc} % ad [0:0] $end
$var wire 1 & ov $end
$var wire 32 ' oa [31:0] $end
$var wire {out} ( od [0:0] $end
$var wire 1 ) fin $end
$upscope $end
$enddefinitions $end
#0
0!
1"
0#
0&
0)
"""
MINE = {"clk": "ck", "start": "go", "acc_valid": "av", "acc_addr": "aa", "acc": "ad", "out_valid": "ov", "out_addr": "oa",
        "out": "od", "done": "fin"}


def dumped(layer):
    """A VCD of the golden events: values settle after the rising edge that begins their cycle."""
    by_cycle = {}
    for line in events(layer):
        cycle, kind, address, word = line.split()
        by_cycle.setdefault(int(cycle), []).append((kind, int(address), int(word, 16)))
    text, clock = VCD.format(acc=layer.file("acc.hex")["word_bits"], out=layer.file("out.hex")["word_bits"]), 10
    for cycle in range(max(by_cycle) + 2):
        text += f"#{clock}\n1!\n0\"\n0#\n0&\n0)\n"
        for kind, address, word in by_cycle.get(cycle, ()):
            if kind == "D":
                text += "1)\n"
            else:
                valid, at, data = ("#", "$", "%") if kind == "A" else ("&", "'", "(")
                text += f"1{valid}\nb{address:b} {at}\nb{word:b} {data}\n"
        text += f"#{clock + 5}\n0!\n"
        clock += 10
    return text


def test_a_vcd_of_named_signals(vectors, tmp_path):
    layer = vectors.layer("window")
    (tmp_path / "wave.vcd").write_text(dumped(layer))
    signals = {key: f"mine.{name}" for key, name in MINE.items()}
    report = compare_one(vectors, "window", tmp_path / "wave.vcd", signals=signals)
    assert report.equal and report.compared == 2 * layer.words
    with pytest.raises(FileError, match=r"wave\.vcd: the VCD must hold signal tb\.clk \(clk\), not lack it$"):
        compare_one(vectors, "window", tmp_path / "wave.vcd")
    with pytest.raises(UsageError, match=r"--signals must come with a \.vcd trace, not "):
        compare_one(vectors, "window", traced(tmp_path, events(layer)), signals=signals)


def test_a_folder_of_traces_stops_at_the_first_difference(vectors, tmp_path):
    for layer in vectors.layers:
        (tmp_path / f"{layer.entry['folder']}.txt").write_text("".join(events(layer)))
    assert [report.equal for report in compare(vectors.root, tmp_path)] == [True] * len(vectors.layers)
    for layer in vectors.layers[1:3]:
        (tmp_path / f"{layer.entry['folder']}.txt").write_text("".join(events(layer)[1:]))
    assert [report.equal for report in compare(vectors.root, tmp_path)] == [True, False]
    assert [report.equal for report in compare(vectors.root, tmp_path, every=True)].count(False) == 2
    (tmp_path / f"{vectors.layers[0].entry['folder']}.txt").unlink()
    with pytest.raises(FileError, match=r": must hold L000_ties\.txt, not lack it$"):
        compare(vectors.root, tmp_path)


@pytest.mark.parametrize("line, message", [
    ("4 A 0 00\n", r"line 1: A words of window must have 20 hex digits, not '00': another set\?$"),
    ("4 A 99 " + "0" * 20 + "\n", r"line 1: A addresses of window must be below 12, not 99: another set\?$"),
    ("4 B 0 00\n", r"line 1: an event must be `cycle A\|O\|D addr hex`, not '4 B 0 00'$"),
    ("nothing\n", r"line 1: an event must be `cycle A\|O\|D addr hex`, not 'nothing'$"),
    ("", r"trace\.txt: a trace must have A, O or D events, not none$")])
def test_a_trace_of_something_else_is_bad_input(vectors, tmp_path, line, message):
    with pytest.raises(FileError, match=message):
        compare_one(vectors, "window", traced(tmp_path, [line]))


def test_a_missing_trace_an_altered_set_and_wrong_arrays_are_bad_input(tmp_path):
    vectors = write(tmp_path / "v", names=("window",))
    with pytest.raises(FileError, match=r"nothing\.txt: a trace must exist, not be missing$"):
        compare_one(vectors, "window", tmp_path / "nothing.txt")
    np.save(tmp_path / "mine.npy", np.zeros((2, 2, 2), np.int32))
    with pytest.raises(FileError, match=r"mine\.npy: must hold integers of shape \(4, 3, 4\), not int32 \(2, 2, 2\)$"):
        compare_one(vectors, "window", tmp_path / "mine.npy")
    np.save(tmp_path / "mine.npy", np.full((4, 3, 4), 5000))
    with pytest.raises(FileError, match=r"mine\.npy: out values of window must fit 11 bits, not 5000\.\.5000$"):
        compare_one(vectors, "window", tmp_path / "mine.npy")
    path = vectors.layers[0].folder / "out.hex"
    path.write_bytes(pack(vectors.layers[0].values("out") ^ 1, 11))
    with pytest.raises(FileError, match=r"out\.hex: must have the sha256 of the manifest, not be altered$"):
        compare_one(vectors, "window", tmp_path / "mine.npy")


# ---- replay and explain ----

def words_of(layer, address):
    """(accumulators, outputs) of one address, replayed as specified."""
    law = Law(Source(layer))
    pixel, cot = divmod(address, layer.entry["cot"])
    acc = law.acc(pixel, cot)
    return acc, law.out(acc, cot)


@pytest.mark.parametrize("device", [
    SMALL, override(SMALL, acc_bits=18, acc_mode="saturate", prelu="unfolded", round="half-away"),
    override(SMALL, w_format="stlq", w_bits=4, round="half-even")])
def test_replay_and_explain_reach_the_filed_words(tmp_path, device):
    for layer in write(tmp_path / "v", device, names=("ties", "overflow", "depthwise", "window", "clamp", "words"),).layers:
        for address in {0, layer.words - 1}:
            acc, out = words_of(layer, address)
            assert acc.tolist() == layer.values("acc")[address].tolist()
            assert out.tolist() == layer.values("out")[address].tolist()
        size = layer.entry["out"]
        _, values = explain(layer.root, layer.name, size["h"] - 1, 0, size["c"] - 1)
        assert (values["acc"], values["out"]) == (values["expected_acc"], values["expected_out"])


def test_explain_prints_every_beat(vectors):
    lines, values = explain(vectors.root, "ties", 0, 1, 1)
    assert values == {"beats": 1, "acc": -7, "out": -3, "expected_acc": -7, "expected_out": -3}
    assert lines == ["ties oy=0 ox=1 oc=1: cot 0, lane 1, address 2 of acc.hex and out.hex",
                     "bias 0   (20-bit accumulator, wrap)",
                     "beat  ky  kx cit word  input at        codes x weights                     tree -> accumulator",
                     "   0   0   0   0    0  y=0 x=1         -7*1 = -7 -> -7",
                     "acc -7 < 0: m_neg = 1, shift 1",
                     "product -7, / 2^1 half-up [(p + 2^(s-1)) >> s]: -3",
                     "clamp to -1024..1023: -3",
                     "files: acc -7, out -3"]
    with pytest.raises(UsageError, match=r"^oc must be 0\.\.7 in ties, not 8$"):
        explain(vectors.root, "ties", 0, 0, 8)


def test_reports_are_json(vectors, tmp_path):
    report = compare_one(vectors, "window", traced(tmp_path, events(vectors.layer("window"))[1:]))
    assert re.search('"first"', json.dumps(report.as_json()))
