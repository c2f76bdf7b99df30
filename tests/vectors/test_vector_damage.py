"""Damaged sets: missing, truncated and altered files, wrong manifests: one line that says what must hold."""
import hashlib
import json
import re
import shutil

import pytest
from helpers.vector_sets import write

from hwsim.errors import FileError, UsageError
from hwsim.vectors.read.vectorset import open_layer, open_set
from hwsim.vectors.read.verify import verify_set


@pytest.fixture
def small(tmp_path):
    return write(tmp_path / "v", names=("ties", "window"))


def damaged(small, name, change):
    path = small.layers[0].folder / name
    path.write_bytes(change(path.read_bytes()))
    return path


def flipped(data):
    """The lowest bit of the first hex digit changed."""
    return b"%x" % (int(data[:1], 16) ^ 1) + data[1:]


@pytest.mark.parametrize("name", ["acc.hex", "out.hex", "nbin.hex", "sb.hex", "bias.hex", "csr.hex", "csr.txn"])
def test_an_altered_file_is_found(small, name):
    damaged(small, name, flipped if name.endswith("hex") else lambda data: data.replace(b"START", b"STOP_"))
    with pytest.raises(FileError, match=f"/{re.escape(name)}: must have the sha256 of the manifest, not be altered$"):
        verify_set(small.root)


def test_an_altered_file_with_a_forged_checksum_is_found(small):
    path = damaged(small, "acc.hex", flipped)
    manifest = json.loads((small.root / "manifest.json").read_text())
    for file in manifest["layers"][0]["files"]:
        if file["path"].endswith("/acc.hex"):
            file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (small.root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FileError, match=r"/acc\.hex: values must be what the other files imply, not differ$"):
        verify_set(small.root)


def test_changed_cycles_are_found(small):
    text = (small.root / "manifest.json").read_text()
    total = small.layers[0].entry["cycles"]["total"]
    (small.root / "manifest.json").write_text(text.replace(f'"total": {total}', f'"total": {total + 1}', 1))
    with pytest.raises(FileError, match=r"manifest\.json: cycles of ties must be .* not "):
        verify_set(small.root)


def test_missing_and_truncated_files_are_found(small):
    damaged(small, "acc.hex", lambda data: data[:-3])
    with pytest.raises(FileError, match=r"/acc\.hex: must be \d+ bytes, not \d+$"):
        small.layers[0].lines("acc")
    (small.layers[0].folder / "acc.hex").unlink()
    with pytest.raises(FileError, match=r"/acc\.hex: must exist, not be missing$"):
        small.layers[0].lines("acc")


@pytest.mark.parametrize("change, message", [
    (lambda m: m.pop("layers"), r"the manifest must have layers \(list\), not None$"),
    (lambda m: m.update(schema="other/1"), r"schema must be hwsim\.vectors/1, not other/1$"),
    (lambda m: m.update(layers=[]), r"a set must have layers, not none$"),
    (lambda m: m["layers"][0].update(cit="1"), r"a layer must have cit \(int\), not '1'$"),
    (lambda m: m["layers"][0]["files"][0].update(path="../../etc/passwd"), r"must lie in L000_ties, not at \.\./\.\."),
    (lambda m: m["layers"][0]["files"][0].update(lanes=0), r"must have \d+ words of \d+ lanes, not \d+ of 0$"),
    (lambda m: m["layers"][0].update(k=[0, 1]), r"ties must have sizes and windows of 1\.\."),
    (lambda m: m["hw"].update(acc_bits=99), r"hw of ties must be complete and in range, not so: acc_bits"),
    (lambda m: m["layers"][0]["cycles"].update(per_cotile=[]), r"must have load, start and end of 2 output tiles"),
])
def test_a_damaged_manifest_is_one_line(small, change, message):
    manifest = json.loads((small.root / "manifest.json").read_text())
    change(manifest)
    (small.root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FileError, match=message):
        open_set(small.root)


def test_no_manifest_and_no_json(small):
    (small.root / "manifest.json").write_text("{")
    with pytest.raises(FileError, match=r"a manifest must be JSON, not damaged text$"):
        open_set(small.root)
    with pytest.raises(FileError, match=r"a vector set must have a manifest, not a missing or unreadable one$"):
        open_set(small.root / "nowhere")


def test_a_layer_is_named_by_folder_or_name(small):
    assert open_layer(small.root, "window").name == "window"
    assert open_layer(small.layers[1].folder).name == "window"
    with pytest.raises(UsageError, match=r"--layer must be one of ties, window, not conv$"):
        open_layer(small.root, "conv")


def test_moving_a_set_changes_nothing(small, tmp_path):
    before = verify_set(small.root)
    shutil.move(small.root, tmp_path / "elsewhere")
    assert verify_set(tmp_path / "elsewhere") == before
