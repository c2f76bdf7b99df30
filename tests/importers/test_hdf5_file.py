"""Files that lie about themselves are refused before anything is read or allocated."""
import os
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest

from helpers.keras_files import outputs, write
from hwsim.errors import FileError, UnsupportedError
from hwsim.importers import load
from hwsim.importers.json_text import parse, parse_object

MODEL = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {
    "name": "d", "units": 2, "batch_input_shape": [None, 3]}}]}
GROUPS = {"d": [("d/kernel:0", np.ones((3, 2))), ("d/bias:0", np.zeros(2))]}
KERNEL = "model_weights/d/d/kernel:0"


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "m.h5", MODEL, GROUPS)


def refusal(path, kind=FileError):
    """The message after the file's name, once load refused with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(kind) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)[len(f"{path}: "):]


def replaced(path, make):
    """The file with its kernel dataset made anew by `make(group, name)`."""
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        make(file["model_weights/d/d"], "kernel:0")
    return path


NAME = "d: kernel (dataset 'd/kernel:0')"


def test_as_written(path):
    np.testing.assert_array_equal(outputs(path, [[1.0, 2.0, 3.0]])[0], [[6.0, 6.0]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_float_widths(path, dtype):
    replaced(path, lambda group, name: group.create_dataset(name, data=np.ones((3, 2), dtype)))
    np.testing.assert_array_equal(outputs(path, [[1.0, 2.0, 3.0]])[0], [[6.0, 6.0]])


def test_deflated(path):
    replaced(path, lambda group, name: group.create_dataset(name, data=np.ones((3, 2), "f4"), compression="gzip", shuffle=True))
    np.testing.assert_array_equal(outputs(path, [[1.0, 2.0, 3.0]])[0], [[6.0, 6.0]])


def test_soft_link(path):
    replaced(path, lambda group, name: group.__setitem__(name, h5py.SoftLink("/elsewhere")))
    assert refusal(path) == f"{NAME} must be in the file itself, not behind a link"


def test_external_link(path):
    replaced(path, lambda group, name: group.__setitem__(name, h5py.ExternalLink("other.h5", "/a")))
    assert refusal(path) == f"{NAME} must be in the file itself, not behind a link"


def test_external_storage(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(24))
    replaced(path, lambda group, name: group.create_dataset(name, (3, 2), "f4", external=[(str(tmp_path / "secret"), 0, 24)]))
    assert refusal(path) == f"{NAME} must be stored in this file, not in another"


def test_virtual_dataset(path, tmp_path):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (3, 2))
    replaced(path, lambda group, name: group.create_virtual_dataset(name, layout))
    assert refusal(path) == f"{NAME} must be stored in this file, not in another"


def test_fill_value_only(path):
    replaced(path, lambda group, name: group.create_dataset(name, (3, 2), "f4", chunks=(3, 2)))
    assert refusal(path) == f"{NAME} must be stored whole: 24 bytes, not 0"


@pytest.mark.parametrize("data, reason", [
    (np.ones((3, 2), np.int32), "must hold 16, 32 or 64 bit floats, not int32"),
    (np.ones((3, 2), np.complex64), "must hold 16, 32 or 64 bit floats, not complex64"),
    (np.full((3, 2), b"x"), "must hold 16, 32 or 64 bit floats, not |S1"),
    (np.array([[1, 2], [3, np.inf], [5, 6]], np.float32), "must hold finite numbers, not inf at [1, 1]"),
    (np.ones((2, 3), np.float32), "must have shape 3x2, not 2x3"),
])
def test_wrong_content(path, data, reason):
    replaced(path, lambda group, name: group.create_dataset(name, data=data))
    assert refusal(path) == f"{NAME} {reason}"


def test_a_bomb_that_configuration_and_dataset_agree_on(tmp_path):
    """Both declare 2^34 weights; nothing is stored."""
    model = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {
        "name": "d", "units": 1 << 30, "batch_input_shape": [None, 16]}}]}
    path = write(tmp_path / "m.h5", model, {"d": [("d/kernel:0", [0]), ("d/bias:0", [0])]})
    replaced(path, lambda group, name: group.create_dataset(name, (16, 1 << 30), "f4", chunks=(16, 1 << 10)))
    assert refusal(path) == f"a model must have at most 67108864 weights, not more (at {NAME})"


def test_a_filter_of_a_plug_in(path):
    replaced(path, lambda group, name: group.create_dataset(name, data=np.ones((3, 2), "f4"), compression="lzf"))
    assert refusal(path) == f"{NAME} must be stored plain or deflated, not with filter 32000"


def test_bytes_cut_anywhere(path, tmp_path):
    """Every truncation is refused in one line."""
    content = path.read_bytes()
    for size in range(1, len(content), 97):
        cut = tmp_path / "cut.h5"
        cut.write_bytes(content[:size])
        refusal(cut)


def test_bytes_flipped(path, tmp_path):
    """Damage anywhere gives a network or one line, never another exception."""
    content, random = path.read_bytes(), np.random.default_rng(zlib.crc32(b"flip"))
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 4):
            damaged[place] = random.integers(256)
        (tmp_path / "d.h5").write_bytes(damaged)
        try:
            load(tmp_path / "d.h5")
        except (FileError, UnsupportedError) as error:
            assert str(error).isprintable()


def test_damaged_heap(path):
    """The free rest of a text heap with size 0, over which the HDF5 library itself loops for ever."""
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while data[at:at + 2] != b"\0\0":
        at += 16 + (int.from_bytes(data[at + 8:at + 16], "little") + 7) // 8 * 8
    data[at + 8:at + 16] = bytes(8)
    path.write_bytes(data)
    assert refusal(path) == f"the texts of an HDF5 file must be whole, not damaged (heap at byte {data.index(b'GCOL')})"


@pytest.mark.parametrize("content, reason", [
    (b"", "the file must be a checkpoint, not empty"),
    (b"hello\n", "the file must be an HDF5 checkpoint, not text"),
    (b"\x00\x01\x02", "the file must be an HDF5 checkpoint, not another format"),
    (b"version https://git-lfs.github.com/spec/v1\n",
     "the file must be a checkpoint, not a Git LFS pointer: fetch the content with git lfs pull"),
])
def test_other_files(tmp_path, content, reason):
    (tmp_path / "m.h5").write_bytes(content)
    assert refusal(tmp_path / "m.h5") == reason


def test_other_formats(tmp_path):
    (tmp_path / "m.h5").write_bytes(b"PK\x03\x04....")
    assert refusal(tmp_path / "m.h5", UnsupportedError) == (
        "the checkpoint must be an HDF5 file, not a zip archive (.keras): save the model as .h5")
    (tmp_path / "m.h5").write_bytes(b"\x08\x07\x12\x07pytorch")
    assert refusal(tmp_path / "m.h5", UnsupportedError) == "the checkpoint must be an HDF5 file, not an ONNX model"


def test_no_file(tmp_path):
    assert refusal(tmp_path / "none.h5") == "the file must be readable, not no such file or directory"
    assert refusal(tmp_path) == "a checkpoint must be a regular file, not a folder or device"
    os.mkfifo(tmp_path / "pipe.h5")
    assert refusal(tmp_path / "pipe.h5") == "a checkpoint must be a regular file, not a folder or device"


def test_quantized_network(tmp_path):
    path = write(tmp_path / "m.hwq", MODEL, GROUPS, hwsim_hwq="1")
    assert refusal(path) == "the model must be a float checkpoint, not a quantized network (.hwq)"


def test_a_name_with_a_terminal_code(tmp_path):
    model = {"class_name": "\x1b[2J\nQuiet", "config": {}}
    message = refusal(write(tmp_path / "m.h5", model, {}))
    assert message.startswith("class_name of the model must be a printable text, not '\\x1b[2J")


@pytest.mark.parametrize("text, reason", [
    ("{", "t must be JSON, not broken text (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
    ("[NaN]", "t must be JSON, not broken text (NaN is no number)"),
    ("[1e999]", "t must be JSON, not broken text (1e999 is too large)"),
    ("[" * 65 + "]" * 65, "t must be at most 64 levels deep, not deeper"),
    ("[" * 100_000, "t must be at most 64 levels deep, not deeper"),
])
def test_json(text, reason):
    with pytest.raises(FileError) as caught:
        parse(text, "t")
    assert str(caught.value) == reason


def test_json_object():
    assert parse_object('{"a": 1}', "t") == {"a": 1}
    with pytest.raises(FileError, match="^t must be a JSON object, not list$"):
        parse_object("[]", "t")
