"""A checkpoint file -> the float Graph. The format is decided by the first bytes of the file, not by its suffix."""
import importlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from hwsim.errors import FileError, HwsimError, UnsupportedError, in_file
from hwsim.graph.node import Graph

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HDF5_OFFSETS = (0, 512, 1024, 2048, 4096)   # a user block may stand before an HDF5 file
ZIP_MAGIC = b"PK\x03\x04"
LFS_MAGIC = b"version https://git-lfs.github.com/spec/"
START = HDF5_OFFSETS[-1] + len(HDF5_MAGIC)  # bytes that decide the format
T = TypeVar("T")


class Reader(Protocol):
    """What the module of a readable format offers. Errors: FileError, GraphError, UnsupportedError, without the path."""

    def read(self, path: str | Path) -> Graph:
        """The float Graph of the file."""

    def sensor(self, path: str | Path) -> dict[str, object]:
        """{cfa, input_bits} of the sensor that the model was trained for, as far as the file says."""


@dataclass(frozen=True)
class Format:
    """A kind of file, known by its first bytes; reader: the module that reads it; without one, the error and its sentence."""

    name: str
    matches: Callable[[bytes], bool]
    error: type[HwsimError] = UnsupportedError
    refusal: str = ""
    reader: str = ""


def _is_hdf5(start: bytes) -> bool:
    return any(start[at:at + len(HDF5_MAGIC)] == HDF5_MAGIC for at in HDF5_OFFSETS)


def _is_onnx(start: bytes) -> bool:
    """A protobuf that begins with field 1 (ir_version) as a small number."""
    return len(start) > 8 and start[0] == 0x08 and 0 < start[1] < 64 and start[2] in (0x12, 0x1A, 0x22, 0x2A, 0x3A, 0x42)


def _is_text(start: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n" for byte in start)


FORMATS = (     # the first that matches counts
    Format("HDF5", _is_hdf5, reader="hwsim.importers.keras.checkpoint"),
    Format("nothing", lambda start: not start, FileError, "the file must be a checkpoint, not empty"),
    Format("Git LFS pointer", lambda start: start.startswith(LFS_MAGIC), FileError,
           "the file must be a checkpoint, not a Git LFS pointer: fetch the content with git lfs pull"),
    Format("zip", lambda start: start.startswith(ZIP_MAGIC), UnsupportedError,
           "the checkpoint must be an HDF5 file, not a zip archive (.keras): save the model as .h5"),
    Format("ONNX", _is_onnx, UnsupportedError, "the checkpoint must be an HDF5 file, not an ONNX model"),
    Format("text", _is_text, FileError, "the file must be an HDF5 checkpoint, not text"),
    Format("unknown", lambda start: True, FileError, "the file must be an HDF5 checkpoint, not another format"),
)


def load(path: str | Path) -> Graph:
    """The float Graph of the checkpoint at `path`. Every error is one line that begins with the path."""
    return _read(path, lambda reader: reader.read(path))


def sensor_defaults(path: str | Path) -> dict[str, object]:
    """What a checkpoint says of its sensor, {cfa, input_bits}, either of which may be missing; {} when it says nothing."""
    return _read(path, lambda reader: reader.sensor(path))


def format_of(path: str | Path) -> Format:
    """The Format of the file at `path`. Errors: FileError for what cannot be read as a file."""
    start = _first_bytes(path)
    return next(each for each in FORMATS if each.matches(start))


def _read(path: str | Path, action: Callable[[Reader], T]) -> T:
    """`action` on the reader of the file's format."""
    try:
        return action(_reader(format_of(path)))
    except HwsimError as error:
        raise in_file(type(error)(_one_line(str(error))), _one_line(str(path))) from None


def _reader(kind: Format) -> Reader:
    if not kind.reader:
        raise kind.error(kind.refusal)
    return cast(Reader, importlib.import_module(kind.reader))


def _one_line(text: str) -> str:
    """`text` without line breaks and terminal codes, whatever a file put into it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _first_bytes(path: str | Path) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FileError("a checkpoint must be a regular file, not a folder or device")
        with open(path, "rb") as file:
            return file.read(START)
    except OSError as error:
        raise FileError(f"the file must be readable, not {_lower(error.strerror)}") from None
    except ValueError:
        raise FileError("a path must not hold a zero byte") from None


def _lower(text: str | None) -> str:
    return text[:1].lower() + text[1:] if text else "unreadable"
