"""Likely causes of wrong cycles: the pace of the weight banks and the pipeline replayed under changed rules."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hwsim.hw import stages
from hwsim.vectors.read.rebuild import tile_words
from hwsim.vectors.read.trace import Trace
from hwsim.vectors.read.vectorset import LayerFiles

Timeline = Callable[[str, int], int]     # (kind A, O or D, address) -> cycle


def name_causes(files: LayerFiles, trace: Trace) -> list[dict[str, Any]]:
    """[{cause, explains, of}]: rules under which every event that came has the cycle it came in, best first."""
    observed = [(kind, address, cycle) for kind in "AO" for address, cycle in sorted(trace.cycles[kind].items())]
    if trace.done is not None:
        observed.append(("D", 0, trace.done))
    causes, lawful = [], _timeline(files)
    if all(lawful(kind, address) == cycle for kind, address, cycle in observed):
        return []       # what came, came in time: something is missing, not late
    for text, rule in RULES:
        predicted = rule(files)
        hits = sum(predicted(kind, address) == cycle for kind, address, cycle in observed)
        if hits == len(observed) and observed:
            causes.append({"cause": text, "explains": hits, "of": len(observed)})
    return causes


def _timeline(files: LayerFiles, beats: list[int] | None = None, loads: list[int] | None = None, bank_late: int = 0,
              load_late: int = 0, bubble: int = 0, delay: tuple[int, int, int] = (0, 0, 0)) -> Timeline:
    """predicted(kind, address) from the closed form with these changes; see RULES for what each means."""
    cot = files.entry["cot"]
    pixels = files.out_hw[0] * files.out_hw[1]
    out = stages.latency(files.stage)
    beats = beats or [len(words) for words in tile_words(files)]
    loads = loads or [tile["load"] for tile in files.entry["cycles"]["per_cotile"]]
    starts: list[int] = []
    ready, ends = 0, [0, 0]
    for count, load in zip(beats, loads):
        begin = max(ready, ends[0] + (bank_late if len(starts) > 1 else 0))
        ready = begin + load + (load_late if load else 0)
        starts.append(max(ends[1], ready))
        ends = [ends[1], starts[-1] + pixels * (count + bubble)]
    last = ends[1] - bubble

    def predicted(kind: str, address: int) -> int:
        if kind == "D":
            return last + out + delay[2]
        pixel, tile = divmod(address, cot)
        issue = starts[tile] + (pixel + 1) * (beats[tile] + bubble) - bubble - 1
        return issue + (stages.ACC + delay[0] if kind == "A" else out + delay[1])
    return predicted


def _one_word(files: LayerFiles) -> Timeline:
    """Every tile takes a beat per tap."""
    taps = files.entry["k"][0] * files.entry["k"][1] * files.entry["csr"]["CIT"]
    return _timeline(files, beats=[taps] * files.entry["cot"])


def _first_load(files: LayerFiles) -> Timeline:
    """Every tile loads like tile 0."""
    loads = [tile["load"] for tile in files.entry["cycles"]["per_cotile"]]
    return _timeline(files, loads=[loads[0]] * len(loads))


def _no_dma(files: LayerFiles) -> Timeline:
    """No tile waits for its load."""
    return _timeline(files, loads=[0] * files.entry["cot"])


RULES: tuple[tuple[str, Callable[[LayerFiles], Timeline]], ...] = (
    ("a weight bank is freed one cycle late", lambda f: _timeline(f, bank_late=1)),
    ("a weight bank is freed one cycle early", lambda f: _timeline(f, bank_late=-1)),
    ("a tile starts one cycle after its load is complete", lambda f: _timeline(f, load_late=1)),
    ("every tile loads for as long as tile 0", _first_load),
    ("weights do not wait for their load", _no_dma),
    ("there is a bubble of one cycle between pixels", lambda f: _timeline(f, bubble=1)),
    ("two-word tiles take one beat", _one_word),
    ("the accumulator comes one cycle late", lambda f: _timeline(f, delay=(1, 1, 1))),
    ("the accumulator comes one cycle early", lambda f: _timeline(f, delay=(-1, -1, -1))),
    ("the requantizer takes one cycle more", lambda f: _timeline(f, delay=(0, 1, 1))),
    ("the requantizer takes one cycle less", lambda f: _timeline(f, delay=(0, -1, -1))),
    ("done comes one cycle late", lambda f: _timeline(f, delay=(0, 0, 1))),
    ("done comes one cycle early", lambda f: _timeline(f, delay=(0, 0, -1))),
)
