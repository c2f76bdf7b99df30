"""events.txt.gz: the golden event trace of a layer, from its expected words and the closed form of its cycles."""
from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hwsim.hw import stages
from hwsim.vectors.write import hexfile
from hwsim.vectors.write.folder import Lanes, LayerFolder, Piecewise
from hwsim.vectors.write.vector_layer import VectorLayer

BLOCK = 1 << 16


def write_trace(case: VectorLayer, folder: LayerFolder) -> None:
    """Writes events.txt.gz into a layer's folder that holds its acc.hex and out.hex.

    Sorted by cycle, then A, O, D. The stream has neither time nor name: equal traces are equal bytes.
    """
    file = Piecewise(folder.path, "events.txt.gz", **Lanes(0, 0, False).as_json(), layout="cycle A|O|D addr hex")
    lines = {"A": _lines(folder.path / "acc.hex", case.device.TM, case.datapath.acc_bits),
             "O": _lines(folder.path / "out.hex", case.device.TM, case.out_format.bits)}
    events = _events(case)
    with gzip.GzipFile("", "wb", 6, file, 0) as stream:
        for start in range(0, len(events), BLOCK):
            stream.write("".join(_text(row, lines) for row in events[start:start + BLOCK].tolist()).encode())
        stream.write(f"{case.cycles.total} D 0 0\n".encode())
    folder.entries.append(file.entry(len(events) + 1))


def _lines(path: Path, lanes: int, bits: int) -> np.ndarray:
    """The lines of a hex file, uint8 (WORDS, digits + 1)."""
    return np.memmap(path, np.uint8, "r").reshape(-1, hexfile.digits(lanes, bits) + 1)


def _events(case: VectorLayer) -> np.ndarray:
    """(N,3) cycle, kind (0 A, 1 O), address of every event in trace order."""
    pixels, tiles = case.cycles.pixels, case.cycles.tiles
    address = np.arange(pixels)[:, None] * len(tiles) + np.arange(len(tiles))
    last = np.stack([tile.start + (np.arange(pixels) + 1) * tile.beats - 1 for tile in tiles], 1).reshape(-1)
    delays = (0, stages.ACC), (1, stages.latency(type(case.layer.epilogue.stage)))
    rows = [np.stack([last + delay, np.full(last.shape, kind), address.reshape(-1)], 1)
            for kind, delay in delays]
    events = np.concatenate(rows)
    return events[np.lexsort((events[:, 1], events[:, 0]))]


def _text(row: tuple[int, int, int], lines: Mapping[str, np.ndarray]) -> str:
    """The line of one event."""
    cycle, kind, address = row
    return f"{cycle} {'AO'[kind]} {address} {lines['AO'[kind]][address, :-1].tobytes().decode()}\n"
