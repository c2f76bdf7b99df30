"""events.txt.gz: the golden event trace of a layer, from its expected words and the closed form of its cycles."""
import gzip

import numpy as np

from hwsim.hw import stages
from hwsim.vectors.write import hexfile
from hwsim.vectors.write.folder import Piecewise
from hwsim.vectors.write.vector_layer import VectorLayer

BLOCK = 1 << 16


def write_trace(work, folder):
    """Writes folder/events.txt.gz of a layer whose acc.hex and out.hex lie there; its manifest entries.

    Sorted by cycle, then A, O, D. The stream has neither time nor name: equal traces are equal bytes.
    """
    file = Piecewise(folder, "events.txt.gz", word_bits=0, lanes=0, lane_bits=0, signed=False, layout="cycle A|O|D addr hex")
    lines = {"A": _lines(folder / "acc.hex", work.device.TM, work.device.acc_bits),
             "O": _lines(folder / "out.hex", work.device.TM, work.out_format.bits)}
    order = _order(work)
    with gzip.GzipFile("", "wb", 6, file, 0) as stream:
        for start in range(0, len(order), BLOCK):
            stream.write("".join(_text(row, lines) for row in order[start:start + BLOCK].tolist()).encode())
        stream.write(f"{work.cycles.total} D 0 0\n".encode())
    return [file.entry(len(order) + 1)]


def _lines(path, lanes, bits):
    return np.memmap(path, np.uint8, "r").reshape(-1, hexfile.digits(lanes, bits) + 1)


def _order(work: VectorLayer) -> np.ndarray:
    """(N,3) cycle, kind (0 A, 1 O), address of every event in trace order."""
    pixels, tiles = work.cycles.pixels, work.cycles.tiles
    address = np.arange(pixels)[:, None] * len(tiles) + np.arange(len(tiles))
    last = np.stack([tile.start + (np.arange(pixels) + 1) * tile.beats - 1 for tile in tiles], 1).reshape(-1)
    delays = (0, stages.ACC), (1, stages.latency(type(work.layer.epilogue.stage)))
    rows = [np.stack([last + delay, np.full(last.shape, kind), address.reshape(-1)], 1)
            for kind, delay in delays]
    events = np.concatenate(rows)
    return events[np.lexsort((events[:, 1], events[:, 0]))]


def _text(row, lines):
    cycle, kind, address = row
    return f"{cycle} {'AO'[kind]} {address} {lines['AO'[kind]][address, :-1].tobytes().decode()}\n"
