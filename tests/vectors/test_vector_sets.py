"""Sets on disk: same bytes for the same arguments, exact formats, refusals, verification, streams beside the hex."""
import gzip
import json
import re

import numpy as np
import pytest

from helpers.vector_sets import SMALL, write
from hwsim.errors import FileError, HwsimError, UnsupportedError, UsageError
from hwsim.hw.config import override
from hwsim.hw.costs.cycles import array_cycles
from hwsim.vectors.read.verify import verify_set
from hwsim.vectors.write.cases import Maker
from hwsim.vectors.write.directed import LAYERS, directed_cases
from hwsim.vectors.write.folder import Extras
from hwsim.vectors.write.vector_layer import cropped
from hwsim.vectors.write.write_set import Origin, write_set

EVERYTHING = Extras(byte_image=True, c_header=True, trace=True)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write(tmp_path_factory.mktemp("set") / "v", override(SMALL, w_format="stlq", w_bits=4), count=2, extras=EVERYTHING)


@pytest.fixture
def small(tmp_path):
    return write(tmp_path / "v", names=("ties", "window"))


def test_same_arguments_same_bytes(full, tmp_path):
    write(tmp_path / "again", override(SMALL, w_format="stlq", w_bits=4), count=2, extras=EVERYTHING)
    assert contents(full.root) == contents(tmp_path / "again")


def test_another_seed_makes_other_layers(tmp_path):
    one, two = ([w.x.tobytes() for w in directed_cases(SMALL, seed, names=("window",))] for seed in (0, 1))
    assert one != two


def test_verify_accepts_what_was_written(full):
    found = verify_set(full.root)
    assert found.layers == len(full.layers) and found.words > 1000


def test_manifest_has_the_keys_of_the_format(full):
    manifest = json.loads((full.root / "manifest.json").read_text())
    assert manifest["schema"] == "hwsim.vectors/1"
    assert set(manifest["hw"]) == {"TN", "TM", "act_bits", "w_bits", "w_format", "acc_bits", "acc_mode", "mult_bits",
                                   "shift_bits", "prelu", "round", "dma_bits"}
    assert manifest["packing"] == {"lane0": "lsb", "sb_lane": "m*TN+i"}
    wanted = {"id", "name", "op", "in", "out", "k", "stride", "dilation", "groups", "pad", "pad_code", "clamp", "cit", "cot",
              "csr", "hw", "cycles", "stats", "files"}
    for layer in manifest["layers"]:
        assert wanted <= set(layer)
        assert set(layer["cycles"]) == {"total", "issue", "stall", "latency", "per_cotile"}
        assert set(layer["stats"]) == {"sat_out", "acc_overflow", "two_word_tiles"}
        for file in layer["files"]:
            assert set(file) == {"path", "kind", "word_bits", "lanes", "lane_bits", "signed", "words", "layout", "sha256"}
    dma = next(layer for layer in manifest["layers"] if layer["name"] == "dma_equal")
    assert list(dma["hw"]) == ["dma_bits"] and any(file["kind"] == "ldlen" for file in dma["files"])


def test_hex_has_exact_digits_and_nothing_else(full):
    for layer in full.layers:
        for entry in layer.entry["files"]:
            if entry["path"].endswith(".hex"):
                text = (full.root / entry["path"]).read_text()
                digits = -(-entry["word_bits"] // 4)
                assert re.fullmatch(f"([0-9a-f]{{{digits}}}\n){{{entry['words']}}}", text), entry["path"]


def test_arrays_hold_what_the_hex_holds(full):
    for layer in full.layers:
        for stem in ("acc", "out"):
            lanes = layer.values(stem).reshape(*layer.out_hw, -1)[..., :layer.entry["out"]["c"]]
            assert np.array_equal(lanes, layer.array(stem))
        assert layer.array("acc").dtype == np.int64 and layer.array("out").dtype == np.int32


def test_csr_words_are_those_of_the_manifest_and_of_the_session(full):
    for layer in full.layers:
        words = layer.values("csr")[:, 0].tolist()
        assert words == list(layer.entry["csr"].values())
        session = (layer.folder / "csr.txn").read_text().splitlines()
        writes = [line.split() for line in session if line.startswith("W ")]
        assert [(int(w[1], 16), int(w[2], 16), w[4]) for w in writes] == \
            [(4 * i, word, name) for i, (name, word) in enumerate(layer.entry["csr"].items())]
        assert session[len(writes)] == "START" and session[len(writes) + 1].startswith("WAITDONE ")
        assert f"R 00000088 ffffffff {layer.entry['cycles']['total']:08x}" in session


def test_byte_image_is_the_hex_in_little_endian_bytes(full):
    for layer in full.layers[:6]:
        for stem in ("nbin", "sb", "acc", "shift"):
            entry = layer.file(f"{stem}.hex")
            size = -(-entry["word_bits"] // 8)
            words = [int(line, 16).to_bytes(size, "little") for line in (layer.folder / f"{stem}.hex").read_text().split()]
            assert (layer.folder / f"{stem}.bin").read_bytes() == b"".join(words)
            header = (layer.folder / f"{stem}.h").read_text()
            assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", header)) == b"".join(words)


def test_golden_trace_is_sorted_and_carries_the_words(full):
    for layer in full.layers:
        raw = (layer.folder / "events.txt.gz").read_bytes()
        assert raw[4:8] == b"\0\0\0\0" and not raw[3] & 8     # no time, no name
        events = [line.split() for line in gzip.decompress(raw).decode().splitlines()]
        keys = [(int(cycle), "AOD".index(kind)) for cycle, kind, _, _ in events]
        assert keys == sorted(keys) and len(events) == 2 * layer.words + 1
        assert events[-1] == [str(layer.entry["cycles"]["total"]), "D", "0", "0"]
        lines = (layer.folder / "out.hex").read_text().split()
        assert all(lines[int(address)] == word for _, kind, address, word in events if kind == "O")


def test_rowpack_is_written_as_an_ordinary_layer(full):
    layer = full.layer("rowpack")
    assert layer.entry["rowpack"] and layer.entry["k"] == [3, 1] and layer.entry["in"]["c"] == 9
    assert layer.entry["in"]["w"] == layer.entry["out"]["w"] and layer.entry["stride"] == [2, 1]


def test_tight_clamps_are_counted(full):
    assert full.layer("clamp").entry["stats"]["sat_out"] > 0


def test_mode_error_leaves_out_layers_with_events():
    safe, all_of_them = ([case.name for case in directed_cases(override(SMALL, acc_mode=mode), count=0)]
                         for mode in ("error", "wrap"))
    assert {"overflow", "random_walk"} & set(all_of_them) and not {"overflow", "random_walk"} & set(safe)
    assert len(safe) > 10


def test_max_words_drops_rows_at_the_bottom():
    case = next(directed_cases(SMALL, names=("window",)))
    smaller = cropped(case, 24)
    assert smaller.layer.out_hw == (1, 3) and smaller.layer.in_hw == (3, 8)
    assert smaller.cycles.total == array_cycles(smaller.layer, SMALL).total
    with pytest.raises(UsageError, match=r"^window: --max-words must be at least 24, one output row and its input, not 23$"):
        cropped(case, 23)


# ---- refusals ----

def test_a_filled_folder_is_refused(small):
    with pytest.raises(UsageError, match=r"v: the output folder must be new or empty, not filled \(--force replaces"):
        write(small.root)


def test_force_replaces_a_set_and_mixes_nothing(small):
    write(small.root, names=("dense",), force=True)
    assert [path.name for path in sorted(small.root.glob("L*"))] == ["L000_dense"]


def test_force_spares_a_folder_that_is_no_set(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r": --force must replace a vector set, not something else$"):
        write(tmp_path, force=True)
    assert (tmp_path / "thesis.tex").exists()


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    def broken():
        yield next(directed_cases(SMALL, names=("dense",)))
        raise HwsimError("the engine must run, not stop")
    with pytest.raises(HwsimError, match=r"^the engine must run, not stop$"):
        write_set(broken(), tmp_path / "v", Origin("x"))
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"v: the output folder must be writable, not fail with "):
        write(tmp_path / "file" / "v")


def test_an_output_that_engine_and_model_do_not_share_is_refused(tmp_path):
    case = next(directed_cases(SMALL, names=("dense",)))
    out = np.zeros((1, 1, case.layer.oc), np.int64) + 5000
    wrong = type(case)(**{**vars(case), "out": out})
    with pytest.raises(HwsimError, match=r"^dense: engine and golden model must agree, not differ at oy=0 ox=0 oc=0: 5000 and "):
        write_set([wrong], tmp_path / "v", Origin("x"))


@pytest.mark.parametrize("device, message", [
    (override(SMALL, shift_bits=2), r"shift_bits must hold shift \d+, not be 2$"),
    (override(SMALL, mult_bits=31, round="gemmlowp"),
     r"rounding must be one of half-up, half-away, half-even, floor in a vector set, not gemmlowp$")])
def test_what_the_format_cannot_hold_is_refused(device, message):
    maker = Maker(SMALL, 0)
    layer = maker.layer("conv", (3, 3), 4, 4)
    maker.device = device
    with pytest.raises(UnsupportedError, match="^conv: " + message):
        maker.case(layer)


def test_a_bank_too_small_for_a_tile_is_refused_only_with_dma():
    maker = Maker(override(SMALL, sb_kb=1), 0)
    layer = maker.layer("conv", (3, 3), 40, 4)
    maker.case(layer)
    with pytest.raises(UnsupportedError, match=r"^conv: sb_kb must be at least 3 for two banks of 11520 bits, not 1$"):
        maker.case(layer, dma_bits=16)


def test_unknown_directed_layers_are_refused():
    with pytest.raises(UsageError, match=r"^--layers must name directed layers \(corners, .*not 'corner'$"):
        list(directed_cases(SMALL, names=("corner",)))
    assert "corners" in LAYERS
