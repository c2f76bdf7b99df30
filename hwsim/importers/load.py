"""The door of the importers: a checkpoint file -> the float Graph. What a file is, its first bytes say, not its name."""
import os
import stat

from hwsim.errors import FileError, HwsimError, UnsupportedError
from hwsim.importers import hdf5_file, json_text
from hwsim.importers.global_heap import check_heaps
from hwsim.importers.keras import h5

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HDF5_OFFSETS = (0, 512, 1024, 2048, 4096)
ZIP_MAGIC = b"PK\x03\x04"
LFS_MAGIC = b"version https://git-lfs.github.com/spec/"
QUANTIZED = "hwsim_hwq"


def load(path):
    """The float Graph of the checkpoint at `path`. Every error is one line that begins with the path."""
    return _read(path, _graph)


def sensor_defaults(path):
    """What a checkpoint says of its sensor, {cfa, input_bits}, either of which may be missing; {} when it says nothing."""
    return _read(path, _sensor)


def _read(path, reader):
    """`reader`(Hdf5File) of the checkpoint at `path`."""
    try:
        _check_kind(path)
        check_heaps(path)
        with hdf5_file.opened(path) as file:
            return reader(file)
    except HwsimError as error:
        raise type(error)(_one_line(f"{path}: {error}")) from None


def _one_line(text):
    """`text` without line breaks and terminal codes, whatever a file put into it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _graph(file):
    if file.has_attribute(QUANTIZED):
        raise FileError("the model must be a float checkpoint, not a quantized network (.hwq)")
    return h5.read(file)


def _sensor(file):
    text = file.text(file.root, "hwsim")
    found = json_text.parse_object(text, "attribute hwsim") if text is not None else {}
    cfa, bits = found.get("cfa"), found.get("input_bits")
    if cfa is not None and not (isinstance(cfa, str) and cfa.isalnum() and len(cfa) <= 16):
        raise FileError(f"cfa in attribute hwsim must be the name of a pattern, not {hdf5_file.show(cfa)}")
    if bits is not None and (type(bits) is not int or not 1 <= bits <= 15):
        raise FileError(f"input_bits in attribute hwsim must be 1..15, not {hdf5_file.show(bits)}")
    return {key: value for key, value in (("cfa", cfa), ("input_bits", bits)) if value is not None}


def _check_kind(path):
    """Nothing, once the first bytes are those of an HDF5 file."""
    start = _first_bytes(path)
    if any(start[at:at + 8] == HDF5_MAGIC for at in HDF5_OFFSETS):
        return
    if not start:
        raise FileError("the file must be a checkpoint, not empty")
    if start.startswith(LFS_MAGIC):
        raise FileError("the file must be a checkpoint, not a Git LFS pointer: fetch the content with git lfs pull")
    if start.startswith(ZIP_MAGIC):
        raise UnsupportedError("the checkpoint must be an HDF5 file, not a zip archive (.keras): save the model as .h5")
    if _looks_like_onnx(start):
        raise UnsupportedError("the checkpoint must be an HDF5 file, not an ONNX model")
    kind = "text" if all(byte >= 32 or byte in b"\t\r\n" for byte in start) else "another format"
    raise FileError(f"the file must be an HDF5 checkpoint, not {kind}")


def _first_bytes(path):
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FileError("a checkpoint must be a regular file, not a folder or device")
        with open(path, "rb") as file:
            return file.read(HDF5_OFFSETS[-1] + len(HDF5_MAGIC))
    except OSError as error:
        raise FileError(f"the file must be readable, not {_lower(error.strerror)}") from None
    except ValueError:
        raise FileError("a path must not hold a zero byte") from None


def _lower(text):
    return text[:1].lower() + text[1:] if text else "unreadable"


def _looks_like_onnx(start):
    """True for a protobuf that begins with field 1 (ir_version) as a small number."""
    return len(start) > 8 and start[0] == 0x08 and 0 < start[1] < 64 and start[2] in (0x12, 0x1A, 0x22, 0x2A, 0x3A, 0x42)
