"""One layer's folder: every file of spec/vectors.md section 1 written in pieces, its checksum taken on the way."""
import hashlib
from dataclasses import dataclass

import numpy as np

from hwsim.vectors.write import hexfile

BYTE = np.frombuffer(b"".join(b"0x%02x," % value for value in range(256)), "S5")


@dataclass(frozen=True)
class Extras:
    """byte_image: <stem>.bin beside every hex file; c_header: <stem>.h with C arrays; trace: events.txt.gz."""

    byte_image: bool = False
    c_header: bool = False
    trace: bool = False


class Piecewise:
    """A file written in pieces; `entry` is its line of the manifest's files[]."""

    def __init__(self, folder, name, **entry):
        self.path = folder / name
        self.stream = self.path.open("wb")
        self.sum = hashlib.sha256()
        self.fields = entry
        self.name = f"{folder.name}/{name}"

    def write(self, data):
        self.sum.update(data)
        return self.stream.write(data)

    def flush(self):
        self.stream.flush()

    def entry(self, words):
        self.stream.close()
        layout = self.fields["layout"]
        return {"path": self.name, "kind": self.path.name.split(".")[0], **self.fields, "words": words, "layout": layout,
                "sha256": self.sum.hexdigest()}


class HexFile:
    """<stem>.hex, and beside it the byte image and the C array if they were asked for. Words arrive in address order."""

    def __init__(self, folder, stem, lanes, bits, signed, layout, extras):
        self.lanes, self.bits, self.words, self.stem = lanes, bits, 0, f"{folder.name}_{stem}"
        entry = {"word_bits": lanes * bits, "lanes": lanes, "lane_bits": bits, "signed": signed, "layout": layout}
        self.hex = Piecewise(folder, f"{stem}.hex", **entry)
        self.bin = Piecewise(folder, f"{stem}.bin", **entry) if extras.byte_image else None
        self.c = Piecewise(folder, f"{stem}.h", **entry) if extras.c_header else None
        if self.c:
            self.c.write(self._declaration())

    def write(self, words):
        """words (N, LANES) integers."""
        words = np.asarray(words)
        self.words += len(words)
        self.hex.write(hexfile.pack(words, self.bits))
        if self.bin or self.c:
            packed = hexfile.pack_bytes(words, self.bits)
        if self.bin:
            self.bin.write(packed.tobytes())
        if self.c:
            self.c.write(b"".join(b"{%s},\n" % row.tobytes().rstrip(b",") for row in BYTE[packed]))

    def close(self):
        """The manifest entries of the files written."""
        if self.c:
            self.c.write(b"};\n")
        return [file.entry(self.words) for file in (self.hex, self.bin, self.c) if file]

    def _declaration(self):
        name = "".join(c if c.isalnum() else "_" for c in self.stem)
        size = -(-self.lanes * self.bits // 8)
        return (f"/* {self.lanes} lanes of {self.bits} bits per word, lane 0 lowest, little-endian bytes */\n"
                f"#include <stdint.h>\nstatic const uint8_t {name}[][{size}] = {{\n").encode()


class NpyFile:
    """<stem>.npy of a known shape, written row by row, bytes as np.save makes them."""

    def __init__(self, folder, stem, shape, dtype):
        self.file = Piecewise(folder, f"{stem}.npy", word_bits=8 * dtype.itemsize, lanes=1, lane_bits=8 * dtype.itemsize,
                              signed=True, layout="array (h,w,c)")
        self.shape, self.dtype = shape, dtype
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(map(int, shape))}
        np.lib.format.write_array_header_1_0(self.file, header)

    def write(self, rows):
        self.file.write(np.ascontiguousarray(rows, self.dtype).tobytes())

    def close(self):
        return [self.file.entry(int(np.prod(self.shape, dtype=np.int64)))]


def text_file(folder, name, text, words):
    """Writes a small text file; its manifest entry."""
    file = Piecewise(folder, name, word_bits=32, lanes=1, lane_bits=32, signed=False, layout="text, one action per line")
    file.write(text.encode())
    return [file.entry(words)]
