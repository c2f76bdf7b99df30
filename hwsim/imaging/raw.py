"""Headerless raw frames: unsigned little-endian samples, row by row; one byte up to 8 bits, two above."""

import os
from pathlib import Path

import numpy as np

from hwsim.errors import FileError, UsageError


def read_raw(path: str | os.PathLike[str], width: int, height: int, bits: int, black: int = 0,
             white: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(samples int64 (H,W,1) in 0..2^bits-1, values float64 (H,W,1) in 0..1) of a raw frame.

    Errors: UsageError for sizes and levels out of range, FileError where the file does not hold such samples.
    """
    if not 1 <= bits <= 16:
        raise UsageError(f"raw bits must be 1..16, not {bits}")
    white = (1 << bits) - 1 if white is None else white
    _check(width, height, bits, black, white)
    samples = _samples(Path(path), width, height, bits)
    return samples, normalised(samples, black, white)


def normalised(samples: np.ndarray, black: int, white: int) -> np.ndarray:
    """(samples - black) / (white - black), clipped to 0..1."""
    return np.clip((samples - black) / (white - black), 0, 1)


def _check(width: int, height: int, bits: int, black: int, white: int) -> None:
    if min(width, height) < 1:
        raise UsageError(f"a raw frame must be at least 1x1 pixels, not {width}x{height}")
    if not 0 <= black < white < 1 << bits:
        raise UsageError(f"raw levels must be 0 <= black < white < 2^{bits}, not black {black} and white {white}")


def _samples(path: Path, width: int, height: int, bits: int) -> np.ndarray:
    stored = np.dtype("<u2") if bits > 8 else np.dtype("u1")
    data = _bytes(path, width, height, stored.itemsize)
    samples = np.frombuffer(data, stored).astype(np.int64).reshape(height, width, 1)
    if samples.max() >= 1 << bits:
        y, x, _ = np.unravel_index(samples.argmax(), samples.shape)
        raise FileError(f"{path}: samples must be 0..{(1 << bits) - 1}, not {samples.max()} in row {y}, column {x}")
    return samples


def _bytes(path: Path, width: int, height: int, itemsize: int) -> bytes:
    want = width * height * itemsize
    try:
        size = path.stat().st_size
        if size == want:
            return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: a raw frame must be a readable file, not {(error.strerror or 'unreadable').lower()}") from error
    raise FileError(f"{path}: {width}x{height} samples of {itemsize} byte(s) must be {want} bytes, not {size}")
