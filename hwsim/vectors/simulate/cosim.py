"""`hwsim cosim`: every layer of a set run through its RTL, values and cycles compared with the files alone."""
from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwsim.hw import stages
from hwsim.vectors.explain.compare import LayerReport, compare_layer
from hwsim.vectors.read.vectorset import LayerFiles, VectorSet, open_set
from hwsim.vectors.simulate.simulators import Run, Simulator, build, find_simulator, run_layer


@dataclass(frozen=True, eq=False)
class LayerRun:
    """One simulated layer; `passed` only if every accumulator, output, read-back register and the cycles are as filed."""

    name: str
    folder: str
    params: str
    cycles: int
    exp_cycles: int
    outs: int
    seconds: float
    passed: bool
    messages: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Cosimulation:
    """`difference` is the LayerReport of the first layer that failed, or None."""

    simulator: str
    runs: tuple[LayerRun, ...]
    builds: int
    difference: LayerReport | None

    @property
    def passed(self) -> bool:
        """Whether no layer failed."""
        return all(run.passed for run in self.runs)

    def as_json(self) -> dict[str, object]:
        """The body of the report."""
        return {"simulator": self.simulator, "builds": self.builds, "passed": self.passed,
                "layers": [dict(vars(run), messages=list(run.messages)) for run in self.runs],
                "difference": self.difference.as_json() if self.difference else None}


Progress = Callable[[LayerRun | None, int, int], None]


def cosim(root: str | Path, sim: str | None = None, layers: Sequence[str] | None = None, place: str | Path | None = None,
          progress: Progress | None = None) -> Cosimulation:
    """The Cosimulation of the set in `root`, up to the first layer that fails.

    sim: verilator, icarus or None; layers: names, all by default; place: folder that keeps builds (default: a temporary
    one); progress(run or None, done, total) is called before the first and after each layer.
    Errors: FileError for a damaged set, UsageError for a missing simulator, HwsimError for RTL that does not compile.
    """
    vector_set, simulator = open_set(root), find_simulator(sim)
    wanted = tuple(vector_set.layer(name) for name in layers) if layers else vector_set.layers
    for layer in wanted:
        layer.check()     # a simulator would read past a short file without a word
    with tempfile.TemporaryDirectory() as temporary:
        return _run_all(vector_set, simulator, wanted, Path(place or temporary), Path(temporary), progress)


def _run_all(vector_set: VectorSet, simulator: Simulator, layers: tuple[LayerFiles, ...], place: Path, temporary: Path,
             progress: Progress | None) -> Cosimulation:
    runs: list[LayerRun] = []
    commands: dict[str, list[str]] = {}
    for done, layer in enumerate(layers):
        if progress:
            progress(runs[-1] if runs else None, done, len(layers))
        params = layer.entry["params"]
        if params not in commands:
            commands[params] = build(simulator, vector_set.root, params, place)
        runs.append(_run(commands[params], layer))
        if not runs[-1].passed:
            break
    if progress:
        progress(runs[-1], len(runs), len(layers))
    difference = None if runs[-1].passed else _difference(commands[params], layers[len(runs) - 1], temporary)
    return Cosimulation(f"{simulator.kind} {simulator.version}", tuple(runs), len(commands), difference)


def _run(command: list[str], layer: LayerFiles) -> LayerRun:
    """Simulates a layer; it passes if also the manifest's cycles are right."""
    began, total = time.monotonic(), layer.entry["cycles"]["total"]
    run = run_layer(command, layer)
    passed = run.passed and run.cycles == total and not _wrong_sums(layer)
    return LayerRun(name=layer.name, folder=layer.entry["folder"], params=layer.entry["params"], cycles=run.cycles,
                    exp_cycles=total, outs=run.outs, seconds=round(time.monotonic() - began, 3), passed=passed,
                    messages=run.messages)


def _wrong_sums(layer: LayerFiles) -> list[tuple[str, object, object]]:
    """[(key of cycles, what the tiles say, what the manifest says)]: the parts of a layer's cycle count that disagree."""
    cycles = layer.entry["cycles"]
    tiles = cycles["per_cotile"]
    loads = layer.values("ldlen")[:, 0].tolist() if layer.has("ldlen.hex") else [0] * len(tiles)
    issue, latency = sum(tile["end"] - tile["start"] for tile in tiles), stages.latency(layer.stage)
    sums = {"load": (loads, [tile["load"] for tile in tiles]), "issue": (issue, cycles.get("issue")),
            "stall": (tiles[-1]["end"] - issue, cycles.get("stall")), "latency": (latency, cycles.get("latency")),
            "total": (tiles[-1]["end"] + latency, cycles["total"])}
    return [(key, implied, filed) for key, (implied, filed) in sums.items() if implied != filed]


def _difference(command: list[str], layer: LayerFiles, temporary: Path) -> LayerReport:
    """compare's report of the layer's own event trace."""
    trace = temporary / f"{layer.entry['folder']}.txt"
    run = run_layer(command, layer, trace=trace)
    report = compare_layer(layer, trace, sums=False)
    return report if not report.equal else replace(report, first=_status(layer, run))


def _status(layer: LayerFiles, run: Run) -> dict[str, Any]:
    """The first difference of a layer whose events are all as expected: a register or the read-back memory."""
    place: dict[str, Any] = {
        "layer": layer.name, "stage": "status", "cot": None, "oy": None, "ox": None, "lane": None, "channel": None,
        "cycle": run.cycles, "got": None, "expected": None, "bits": [], "register": None}
    if run.passed and (wrong := _wrong_sums(layer)):
        key, implied, filed = wrong[0]
        return place | {"stage": "cycle", "got": implied, "expected": filed, "register": f"cycles.{key} of the manifest"}
    message = run.messages[0] if run.messages else "MISMATCH memory: nbout must hold out.hex after done"
    parts = message.split()
    known = len(parts) == 6 and parts[1] == "R"
    return place | ({"got": parts[3], "expected": parts[5], "register": parts[2]} if known else {"got": message})
