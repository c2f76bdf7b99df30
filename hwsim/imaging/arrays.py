""".npy and .npz inputs and outputs: in0, in1, ... in the model's order. Files are untrusted: sizes are checked before reading."""
import zipfile

import numpy as np

from hwsim import files
from hwsim.errors import FileError

MAX_BYTES = 1 << 34


def read(path, specs):
    """input name -> array: integers as given (codes), real numbers as float64, finite."""
    found = _npz(path) if path.suffix.lower() == ".npz" else {"in0": _load(path, path)}
    wanted = [f"in{i}" for i in range(len(specs))]
    if sorted(found) != sorted(wanted):
        raise FileError(f"{path}: must hold {', '.join(wanted)}, not {', '.join(sorted(found)) or 'nothing'}")
    return {spec.name: _values(found[key], spec, path) for spec, key in zip(specs, wanted)}


def _npz(path):
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                _check_declared(info.file_size, path)
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name[:-4]: _load(archive.open(name), path) for name in names}
    except (OSError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise FileError(f"{path}: must be a readable .npz file, not {files.reason(error)}") from error


def _load(source, path):
    try:
        array = np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        raise FileError(f"{path}: must be a readable .npy file, not {files.reason(error)}") from error
    return array


def _check_declared(size, path):
    if size > MAX_BYTES:
        raise FileError(f"{path}: an array must hold at most {MAX_BYTES} bytes, not {size}")


def _values(array, spec, path):
    if array.dtype.kind in "iu":
        return array
    if array.dtype.kind != "f":
        raise FileError(f"{path}: input {spec.name} must hold numbers, not {array.dtype}")
    if not np.isfinite(array).all():
        raise FileError(f"{path}: input {spec.name} must be finite, not NaN or Inf")
    return array.astype(np.float64)


def write_npz(path, outputs):
    """Writes out0, out1, ... (in order) whole or not at all."""
    with files.whole(path) as file:
        np.savez(file, **{f"out{i}": value for i, value in enumerate(outputs)})


def write_npy(path, array):
    """Writes one array whole or not at all."""
    with files.whole(path) as file:
        np.save(file, array)
