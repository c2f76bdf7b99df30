"""Portable pixmaps: binary .pgm (P5) and .ppm (P6) of 1 to 16 bits, without any library."""

import re

import numpy as np

from hwsim.errors import FileError

MAGIC = {1: b"P5", 3: b"P6"}
CHANNELS = {magic: channels for channels, magic in MAGIC.items()}
HEADER = re.compile(rb"(P[56])" + rb"(?:\s|#[^\n]*\n)+(\d{1,9})" * 3 + rb"\s")


def decode(data: bytes, name: object) -> tuple[np.ndarray, int]:
    """(codes (H,W,C), bits) of the bytes of a .pgm or .ppm; two bytes a value, big end first, above 8 bits.

    `name` begins the message of a FileError.
    """
    header = HEADER.match(data)
    if header is None:
        raise FileError(f"{name}: a pixmap must begin with P5 or P6, width, height and maximum, not {data[:12]!r}")
    width, height, peak = (int(field) for field in header.groups()[1:])
    bits = _bits(peak, name)
    shape = height, width, CHANNELS[header.group(1)]
    return _values(data[header.end():], shape, bits, name), bits


def _bits(peak: int, name: object) -> int:
    bits = peak.bit_length()
    if not 1 <= bits <= 16 or peak != (1 << bits) - 1:
        raise FileError(f"{name}: the maximum of a pixmap must be 2^bits - 1 for 1..16 bits, not {peak}")
    return bits


def _values(body: bytes, shape: tuple[int, int, int], bits: int, name: object) -> np.ndarray:
    stored = np.dtype(">u2") if bits > 8 else np.dtype("u1")
    want = shape[0] * shape[1] * shape[2] * stored.itemsize
    if want == 0 or len(body) != want:
        raise FileError(f"{name}: {shape[1]}x{shape[0]} pixels must be {want} bytes and at least one, not {len(body)}")
    codes = np.frombuffer(body, stored).reshape(shape)
    if codes.max() >= 1 << bits:
        raise FileError(f"{name}: values must be 0..{(1 << bits) - 1}, not {codes.max()}")
    return codes.astype(np.uint16 if bits > 8 else np.uint8)


def encode(codes: np.ndarray, bits: int) -> bytes:
    """The bytes of a .pgm (C = 1) or .ppm (C = 3) of integer codes (H,W,C) in 0..2^bits-1."""
    height, width, channels = codes.shape
    header = f"\n{width} {height}\n{(1 << bits) - 1}\n".encode()
    return MAGIC[channels] + header + codes.astype(">u2" if bits > 8 else "u1").tobytes()
