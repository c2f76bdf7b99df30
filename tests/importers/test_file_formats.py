"""The table of formats: content decides, not the suffix; one more line reads one more kind of file."""
import importlib
import sys
from types import SimpleNamespace

import pytest

table = importlib.import_module("hwsim.importers.load")     # the package gives its function `load` under that name


@pytest.mark.parametrize("start, name", [
    (b"\x89HDF\r\n\x1a\n", "HDF5"), (b"\0" * 512 + b"\x89HDF\r\n\x1a\n", "HDF5"), (b"", "nothing"), (b"PK\x03\x04", "zip"),
    (b"\x08\x07\x12\x07pytorch", "ONNX"), (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    (b"# text", "text"), (b"\x00\x01", "unknown")])
def test_the_first_bytes_decide(tmp_path, start, name):
    for suffix in ("h5", "onnx", "png"):
        path = tmp_path / f"file.{suffix}"
        path.write_bytes(start)
        assert table.format_of(path).name == name


def test_a_format_is_read_or_refused():
    assert all(bool(each.reader) != bool(each.refusal) for each in table.FORMATS)


def test_one_more_format(tmp_path, monkeypatch):
    toy = SimpleNamespace(read=lambda path: f"graph of {path.name}", sensor=lambda path: {"cfa": "rggb"})
    monkeypatch.setitem(sys.modules, "toy_reader", toy)
    entry = table.Format("toy", lambda start: start.startswith(b"TOY"), reader="toy_reader")
    monkeypatch.setattr(table, "FORMATS", (entry, *table.FORMATS))
    path = tmp_path / "net.h5"
    path.write_bytes(b"TOY 1")
    assert (table.load(path), table.sensor_defaults(path)) == ("graph of net.h5", {"cfa": "rggb"})
