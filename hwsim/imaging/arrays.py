""".npy and .npz inputs and outputs: in0, in1, ... in the model's order. Files are untrusted: sizes are checked before reading."""
import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from hwsim import files
from hwsim.errors import FileError

MAX_BYTES = 1 << 34


def read(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """input name -> array: in0, in1, ... in the order of `names`. Integers as given (codes), real numbers as float64, finite.

    Errors: FileError.
    """
    arrays = _npz(path) if path.suffix.lower() == ".npz" else {"in0": _load(path, path)}
    wanted = [f"in{i}" for i in range(len(names))]
    if sorted(arrays) != sorted(wanted):
        raise FileError(f"{path}: must hold {', '.join(wanted)}, not {', '.join(sorted(arrays)) or 'nothing'}")
    return {name: _values(arrays[key], name, path) for name, key in zip(names, wanted)}


def _npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                _check_declared(info.file_size, path)
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name[:-4]: _load(archive.open(name), path) for name in names}
    except (OSError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise FileError(f"{path}: must be a readable .npz file, not {files.reason(error)}") from error


def _load(source: Path | IO[bytes], path: Path) -> np.ndarray:
    try:
        array = np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        raise FileError(f"{path}: must be a readable .npy file, not {files.reason(error)}") from error
    return array


def _check_declared(size: int, path: Path) -> None:
    if size > MAX_BYTES:
        raise FileError(f"{path}: an array must hold at most {MAX_BYTES} bytes, not {size}")


def _values(array: np.ndarray, name: str, path: Path) -> np.ndarray:
    if array.dtype.kind in "iu":
        return array
    if array.dtype.kind != "f":
        raise FileError(f"{path}: input {name} must hold numbers, not {array.dtype}")
    if not np.isfinite(array).all():
        raise FileError(f"{path}: input {name} must be finite, not NaN or Inf")
    return array.astype(np.float64)


def write_npz(path: str | os.PathLike[str], outputs: Iterable[np.ndarray]) -> None:
    """Writes out0, out1, ... (in order) whole or not at all."""
    with files.whole(path) as file:
        arrays: dict[str, Any] = {f"out{i}": value for i, value in enumerate(outputs)}
        np.savez(file, **arrays)


def write_npy(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Writes one array whole or not at all."""
    with files.whole(path) as file:
        np.save(file, array)
