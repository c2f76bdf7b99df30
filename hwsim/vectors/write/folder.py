"""One layer's folder: every file of spec/vectors.md section 1 written in pieces, its checksum taken on the way."""
from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.vectors.write import hexfile

BYTE = np.frombuffer(b"".join(b"0x%02x," % value for value in range(256)), "S5")


@dataclass(frozen=True)
class Extras:
    """byte_image: <stem>.bin beside every hex file; c_header: <stem>.h with C arrays; trace: events.txt.gz."""

    byte_image: bool = False
    c_header: bool = False
    trace: bool = False


@dataclass(frozen=True)
class Lanes:
    """The word of a hex file: `count` lanes of `bits` bits (1..64), signed or not."""

    count: int
    bits: int
    signed: bool

    def as_json(self) -> dict[str, object]:
        """The keys of files[] in the manifest."""
        return {"word_bits": self.count * self.bits, "lanes": self.count, "lane_bits": self.bits, "signed": self.signed}


class Piecewise:
    """A file of a layer's folder written in pieces; `entry` closes it and is its line of the manifest's files[]."""

    def __init__(self, folder: Path, name: str, **fields: object) -> None:
        self.path = folder / name
        self.stream = self.path.open("wb")
        self.sum = hashlib.sha256()
        self.fields = fields
        self.name = f"{folder.name}/{name}"

    def write(self, data: bytes) -> int:
        """Appends bytes; their count, as gzip and numpy ask of a stream."""
        self.sum.update(data)
        return self.stream.write(data)

    def flush(self) -> None:
        """Hands to the system what was written."""
        self.stream.flush()

    def entry(self, words: int) -> dict[str, object]:
        """The manifest entry, after the last of `words` words."""
        self.stream.close()
        layout = self.fields["layout"]
        return {"path": self.name, "kind": self.path.name.split(".")[0], **self.fields, "words": words, "layout": layout,
                "sha256": self.sum.hexdigest()}


class HexFile:
    """<stem>.hex, and beside it the byte image and the C array if they were asked for. Words arrive in address order."""

    def __init__(self, folder: Path, stem: str, lanes: Lanes, layout: str, extras: Extras) -> None:
        self.lanes, self.words, self.stem = lanes, 0, f"{folder.name}_{stem}"
        fields = {**lanes.as_json(), "layout": layout}
        self.hex = Piecewise(folder, f"{stem}.hex", **fields)
        self.bin = Piecewise(folder, f"{stem}.bin", **fields) if extras.byte_image else None
        self.c = Piecewise(folder, f"{stem}.h", **fields) if extras.c_header else None
        if self.c:
            self.c.write(self._declaration())

    def write(self, words: np.ndarray) -> None:
        """words (N, LANES) integers."""
        words, bits = np.asarray(words), self.lanes.bits
        self.words += len(words)
        self.hex.write(hexfile.pack(words, bits))
        if self.bin or self.c:
            packed = hexfile.pack_bytes(words, bits)
        if self.bin:
            self.bin.write(packed.tobytes())
        if self.c:
            self.c.write(b"".join(b"{%s},\n" % row.tobytes().rstrip(b",") for row in BYTE[packed]))

    def close(self) -> list[dict[str, object]]:
        """The manifest entries of the files written."""
        if self.c:
            self.c.write(b"};\n")
        return [file.entry(self.words) for file in (self.hex, self.bin, self.c) if file]

    def _declaration(self) -> bytes:
        name = "".join(c if c.isalnum() else "_" for c in self.stem)
        size = -(-self.lanes.count * self.lanes.bits // 8)
        return (f"/* {self.lanes.count} lanes of {self.lanes.bits} bits per word, lane 0 lowest, little-endian bytes */\n"
                f"#include <stdint.h>\nstatic const uint8_t {name}[][{size}] = {{\n").encode()


class NpyFile:
    """<stem>.npy of a known shape, written row by row, bytes as np.save makes them."""

    def __init__(self, folder: Path, stem: str, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
        lanes = Lanes(1, 8 * dtype.itemsize, True)
        self.file = Piecewise(folder, f"{stem}.npy", **lanes.as_json(), layout="array (h,w,c)")
        self.words, self.dtype = int(np.prod(shape, dtype=np.int64)), dtype
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(map(int, shape))}
        np.lib.format.write_array_header_1_0(self.file, header)

    def write(self, rows: np.ndarray) -> None:
        """The next rows (N, W, C)."""
        self.file.write(np.ascontiguousarray(rows, self.dtype).tobytes())

    def close(self) -> list[dict[str, object]]:
        """The manifest entry of the file, in a list."""
        return [self.file.entry(self.words)]


class LayerFolder:
    """A layer's new folder; `entries` has a manifest entry for each file that is complete."""

    def __init__(self, path: Path, extras: Extras) -> None:
        path.mkdir()
        self.path, self.extras = path, extras
        self.entries: list[dict[str, object]] = []

    @contextmanager
    def hex(self, stem: str, lanes: Lanes, layout: str) -> Iterator[HexFile]:
        """<stem>.hex, open for words in address order."""
        file = HexFile(self.path, stem, lanes, layout, self.extras)
        yield file
        self.entries += file.close()

    @contextmanager
    def npy(self, stem: str, shape: Sequence[int], dtype: str) -> Iterator[NpyFile]:
        """<stem>.npy, open for its rows."""
        file = NpyFile(self.path, stem, shape, np.dtype(dtype))
        yield file
        self.entries += file.close()

    def words(self, stem: str, words: np.ndarray, lanes: Lanes, layout: str) -> None:
        """Writes <stem>.hex at once; words (N, LANES) integers."""
        with self.hex(stem, lanes, layout) as file:
            file.write(words)

    def text(self, name: str, text: str) -> None:
        """Writes a small text file of one action per line."""
        file = Piecewise(self.path, name, **Lanes(1, 32, False).as_json(), layout="text, one action per line")
        file.write(text.encode())
        self.entries.append(file.entry(text.count("\n")))
