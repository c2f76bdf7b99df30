"""The global heaps of an HDF5 file, where its texts of variable length lie: checked here, because the HDF5 library trusts
their sizes and a damaged one makes it loop for ever or read outside its memory.

A heap (HDF5 file format specification, Global Heap): `GCOL`, version 1, 3 zero bytes, its size (8 bytes), then objects:
index (2 bytes, 0 = the free rest), references (2), zeros (4), size (8), content padded to 8 bytes.
"""
import mmap
import os

from hwsim.errors import FileError

SIGNATURE = b"GCOL\x01\x00\x00\x00"
HEADER = 16


def check_heaps(path: str | os.PathLike[str]) -> None:
    """Raises FileError unless the objects of every heap lie one behind the other inside it. The file must not be empty."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(SIGNATURE)
        while at >= 0:
            end = at + _number(data, at + 8)
            if not at + HEADER <= end <= len(data) or not _whole(data, at + HEADER, end):
                raise FileError(f"the texts of an HDF5 file must be whole, not damaged (heap at byte {at})")
            at = data.find(SIGNATURE, at + HEADER)


def _whole(data: mmap.mmap, at: int, end: int) -> bool:
    """True when the objects from `at` fill the heap up to `end`."""
    while end - at >= HEADER:
        size = _number(data, at + 8)
        index = data[at:at + 2]
        step = size if index == b"\x00\x00" else HEADER + (size + 7) // 8 * 8
        if not HEADER <= step <= end - at:
            return False
        at += step
    return True


def _number(data: mmap.mmap, at: int) -> int:
    """The unsigned little-endian 64-bit number at byte `at`."""
    return int.from_bytes(data[at:at + 8], "little")
