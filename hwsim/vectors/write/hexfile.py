"""Words as `$readmemh` text and back, vectorised (spec/vectors.md section 3).

A word is `lanes` fields of `bits` each, lane 0 the least significant; ceil(lanes*bits/4) lower-case digits, LF.
"""
import numpy as np

DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
PAIRS = np.stack([DIGITS[np.arange(256) >> 4], DIGITS[np.arange(256) & 15]], 1)
VALUE = np.full(256, 255, np.uint8)
VALUE[DIGITS] = np.arange(16)


def digits(lanes: int, bits: int) -> int:
    """Hex digits of one word."""
    return -(-lanes * bits // 4)


def container(bits: int) -> int:
    """The bits of the smallest machine integer that holds a field of 1..64 bits."""
    return next(size for size in (8, 16, 32, 64) if bits <= size)


def pack_bytes(words: np.ndarray, bits: int) -> np.ndarray:
    """words (N, LANES) integers -> (N, ceil(LANES*bits/8)) uint8, least significant byte first, fields masked to `bits`."""
    narrow = np.ascontiguousarray(np.asarray(words).astype(np.int64).astype(f"<i{container(bits) // 8}"))
    planes = np.unpackbits(narrow.view(np.uint8).reshape(*narrow.shape, -1), axis=-1, bitorder="little")
    return np.packbits(planes[..., :bits].reshape(len(narrow), -1), axis=-1, bitorder="little")


def pack(words: np.ndarray, bits: int) -> bytes:
    """words (N, LANES) integers -> the bytes of N lines of hex."""
    packed = pack_bytes(words, bits)
    count = digits(np.shape(words)[1], bits)
    text = PAIRS[packed[:, ::-1]].reshape(len(packed), -1)
    lines = np.full((len(packed), count + 1), ord("\n"), np.uint8)
    lines[:, :count] = text[:, text.shape[1] - count:]
    return lines.tobytes()


def unpack(lines: np.ndarray, lanes: int, bits: int, signed: bool) -> np.ndarray | None:
    """The int64 words (N, LANES) of hex lines (N, digits) uint8, or None where a digit or an unused upper bit is wrong."""
    nibbles = VALUE[lines]
    if (nibbles == 255).any():
        return None
    if nibbles.shape[1] % 2:
        nibbles = np.concatenate([np.zeros((len(nibbles), 1), np.uint8), nibbles], 1)
    packed = ((nibbles[:, ::2] << 4) | nibbles[:, 1::2])[:, ::-1]
    planes = np.unpackbits(np.ascontiguousarray(packed), axis=-1, bitorder="little")
    if planes[:, lanes * bits:].any():
        return None
    size = container(bits)
    fields = np.zeros((len(lines), lanes, size), np.uint8)
    fields[..., :bits] = planes[:, :lanes * bits].reshape(-1, lanes, bits)
    if signed:
        fields[..., bits:] = fields[..., bits - 1:bits]
    kind = "i" if signed else "u"
    return np.packbits(fields, axis=-1, bitorder="little").view(f"<{kind}{size // 8}").reshape(-1, lanes).astype(np.int64)
