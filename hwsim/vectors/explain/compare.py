"""`hwsim compare`: the first mismatch between a layer's files and what an RTL did, and where all of them lie.

Expected values and cycles come from the files alone.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import FileError, UsageError
from hwsim.hw import stages
from hwsim.vectors.explain import causes
from hwsim.vectors.explain.wrong import Wrong
from hwsim.vectors.read.trace import STEM, Trace, lane_values, read_array, read_trace
from hwsim.vectors.read.vcd import read_vcd
from hwsim.vectors.read.vectorset import LayerFiles, VectorSet, open_layer, open_set
from hwsim.vectors.read.verify import check_sums

STAGE = {"A": "accumulator", "O": "requantizer"}


@dataclass(frozen=True, eq=False)
class LayerReport:
    """`first` and `causes` as in the JSON report (None and [] when equal); `wrong` every differing event in order."""

    layer: LayerFiles
    first: dict[str, Any] | None
    causes: list[dict[str, Any]]
    wrong: list[Wrong]
    compared: int
    notes: list[str]

    @property
    def equal(self) -> bool:
        """Whether every compared event is as expected."""
        return self.first is None

    def as_json(self) -> dict[str, Any]:
        """The layer's entry of the report."""
        return {"layer": self.layer.name, "equal": self.equal, "compared": self.compared, "mismatches": len(self.wrong),
                "first": self.first, "causes": self.causes, "notes": self.notes}


def compare(folder: str | Path, trace: str | Path, layer: str | None = None, signals: Mapping[str, str] | None = None,
            every: bool = False) -> list[LayerReport]:
    """The LayerReports of a trace: one, or for a folder of L000_<name>.txt traces one per file (`every`: also after a mismatch).

    folder: a set (with `layer`, its name) or one layer's folder; trace: text, .vcd, .npy, or a folder of them.
    Errors: FileError or UsageError (bad input), never for a mismatch.
    """
    trace = Path(trace)
    if not trace.exists():
        raise FileError(f"{trace}: a trace must exist, not be missing")
    if not trace.is_dir():
        return [compare_layer(open_layer(folder, layer), trace, signals)]
    reports = []
    for files in _named(open_set(folder), layer):
        reports.append(compare_layer(files, _trace_of(trace, files), signals))
        if not reports[-1].equal and not every:
            break
    return reports


def _named(vector_set: VectorSet, layer: str | None) -> tuple[LayerFiles, ...]:
    """All layers, or the one of this name."""
    return vector_set.layers if layer is None else (vector_set.layer(layer),)


def _trace_of(folder: Path, files: LayerFiles) -> Path:
    for suffix in (".txt", ".vcd", ".npy"):
        path = folder / (files.entry["folder"] + suffix)
        if path.exists():
            return path
    raise FileError(f"{folder}: must hold {files.entry['folder']}.txt, not lack it")


def compare_layer(files: LayerFiles, path: Path, signals: Mapping[str, str] | None = None, sums: bool = True) -> LayerReport:
    """The LayerReport of one layer; `sums` first proves that its files are the manifest's.

    Errors: UsageError for `signals` with a trace that is no .vcd, FileError for files that are not what they must be.
    """
    if sums:
        check_sums(files)
    if signals and path.suffix != ".vcd":
        raise UsageError(f"--signals must come with a .vcd trace, not {path}")
    readers = {".npy": lambda: read_array(path, files), ".vcd": lambda: read_vcd(path, files, signals)}
    trace = readers.get(path.suffix, lambda: read_trace(path, files))()
    wrong = differences(files, trace)
    notes = [f"no {kind} events in {path.name}: {STEM[kind]} values not compared" for kind in "AO" if not trace.words[kind]]
    first = describe(files, wrong[0]) if wrong else None
    likely = causes.name_causes(files, trace, wrong) if wrong else []
    return LayerReport(layer=files, first=first, causes=likely, wrong=wrong, compared=sum(map(len, trace.words.values())),
                       notes=notes)


def expected_cycles(files: LayerFiles, tiles: Sequence[tuple[int, int]] | None = None) -> tuple[Callable[[int], int], int]:
    """(last, done): last(address) is the issue cycle of the last beat of that output word; done the cycle of D.

    tiles: (start, end) per output tile, by default the manifest's.
    """
    cycles, pixels = files.entry["cycles"], files.out_hw[0] * files.out_hw[1]
    tiles = tiles or [(tile["start"], tile["end"]) for tile in cycles["per_cotile"]]

    def last(address: int) -> int:
        pixel, cot = divmod(address, len(tiles))
        start, end = tiles[cot]
        return start + (pixel + 1) * ((end - start) // pixels) - 1
    return last, cycles["total"]


def _delay(files: LayerFiles, kind: str) -> int:
    """Cycles from the issue of a pixel's last beat to its event."""
    return stages.ACC if kind == "A" else stages.latency(files.stage)


def differences(files: LayerFiles, trace: Trace) -> list[Wrong]:
    """Every Wrong of a layer in the order of their expected cycles; kinds without any event are not compared."""
    last, done = expected_cycles(files)
    wrong: list[Wrong] = []
    for kind in "AO":
        if trace.words[kind]:
            wrong += _of_kind(files, trace, kind, last)
    for cycle, kind, address in trace.repeated:
        wrong.append(Wrong(kind=kind, address=address, got=None, expected=None, cycle=cycle, expected_cycle=cycle))
    wrong.sort(key=lambda w: (w.expected_cycle, w.kind))
    if trace.timed and trace.done != done:
        wrong.append(Wrong(kind="D", address=0, got=None, expected=None, cycle=trace.done, expected_cycle=done))
    return wrong


def _of_kind(files: LayerFiles, trace: Trace, kind: str, last: Callable[[int], int]) -> Iterator[Wrong]:
    """The differing words of one kind by address."""
    lines, delay = files.lines(STEM[kind]), _delay(files, kind)
    width = lines.shape[1]
    text = lines.tobytes().decode("ascii", "replace")
    words, cycles = trace.words[kind], trace.cycles[kind]
    for address in range(files.words):
        expected, cycle = text[address * width:(address + 1) * width], last(address) + delay
        got = words.get(address)
        if got != expected or (trace.timed and cycles.get(address) != cycle):
            yield Wrong(kind=kind, address=address, got=got, expected=expected, cycle=cycles.get(address), expected_cycle=cycle)


def describe(files: LayerFiles, wrong: Wrong) -> dict[str, Any]:
    """The report's `first` of a Wrong: where it lies and what differs."""
    cot_count, (_, width) = files.entry["cot"], files.out_hw
    pixel, cot = divmod(wrong.address, cot_count)
    place = {"layer": files.name, "stage": "cycle", "cot": cot, "oy": pixel // width, "ox": pixel % width, "lane": None,
             "channel": None, "cycle": wrong.cycle, "got": wrong.cycle, "expected": wrong.expected_cycle, "bits": []}
    if not wrong.value_differs:
        return place | ({"cot": None, "oy": None, "ox": None} if wrong.kind == "D" else {})
    place["stage"] = STAGE[wrong.kind]
    if wrong.got is None or wrong.expected is None:
        return place | {"got": "no event", "expected": wrong.expected}
    entry = files.file(f"{STEM[wrong.kind]}.hex")
    got, expected = lane_values(wrong.got, entry), lane_values(wrong.expected, entry)
    lane = next(i for i, pair in enumerate(zip(got, expected)) if pair[0] != pair[1])
    return place | {"lane": lane, "channel": cot * files.tm + lane, "got": got[lane], "expected": expected[lane],
                    "bits": _wrong_bits(got[lane], expected[lane], entry["lane_bits"])}


def _wrong_bits(got: int | str, expected: int | str, bits: int) -> list[int]:
    """The bits, lowest first, in which two lanes differ; none of an unknown lane."""
    if isinstance(got, str) or isinstance(expected, str):
        return []
    return [bit for bit in range(bits) if (got ^ expected) >> bit & 1]


def picture(report: LayerReport, rows: int = 16, columns: int = 64) -> list[str]:
    """Lines of text: which lanes of the tiles and which pixels of the image are wrong (. right, X wrong)."""
    files, (height, width) = report.layer, report.layer.out_hw
    lanes, pixels = set(), set()
    for wrong in report.wrong:
        if wrong.kind == "D":
            continue
        pixel = wrong.address // files.entry["cot"]
        pixels.add((pixel // width * min(rows, height) // height, pixel % width * min(columns, width) // width))
        if wrong.wrong_word and wrong.got and wrong.expected:
            entry = files.file(f"{STEM[wrong.kind]}.hex")
            pairs = zip(lane_values(wrong.got, entry), lane_values(wrong.expected, entry))
            lanes |= {lane for lane, pair in enumerate(pairs) if pair[0] != pair[1]}
    text = ["lanes 0.." + f"{files.tm - 1}: " + "".join("X" if lane in lanes else "." for lane in range(files.tm))]
    text += [f"pixels of {height}x{width}:"]
    return text + ["  " + "".join("X" if (y, x) in pixels else "." for x in range(min(columns, width)))
                   for y in range(min(rows, height))]
