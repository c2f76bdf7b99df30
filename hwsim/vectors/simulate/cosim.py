"""`hwsim cosim`: every layer of a set run through its RTL, values and cycles compared with the files alone."""
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from hwsim.hw import stages
from hwsim.vectors.explain.compare import compare_layer
from hwsim.vectors.read.vectorset import LayerFiles, open_set
from hwsim.vectors.simulate.simulators import build, find_simulator, run_layer


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
    difference: object | None

    @property
    def passed(self):
        return all(run.passed for run in self.runs)

    def as_json(self):
        return {"simulator": self.simulator, "builds": self.builds, "passed": self.passed,
                "layers": [dict(vars(run), messages=list(run.messages)) for run in self.runs],
                "difference": self.difference.as_json() if self.difference else None}


def cosim(root, sim=None, layers=None, place=None, progress=None):
    """The Cosimulation of the set in `root`, up to the first layer that fails.

    sim: verilator, icarus or None; layers: names, all by default; place: folder that keeps builds (default: a temporary
    one); progress(run or None, done, total) is called before the first and after each layer.
    Errors: FileError for a damaged set, UsageError for a missing simulator, HwsimError for RTL that does not compile.
    """
    found, simulator = open_set(root), find_simulator(sim)
    chosen = found.layers if not layers else tuple(found.layer(name) for name in layers)
    for layer in chosen:
        layer.check()     # a simulator would read past a short file without a word
    with tempfile.TemporaryDirectory() as temporary:
        return _run_all(found, simulator, chosen, Path(place or temporary), Path(temporary), progress)


def _run_all(found, simulator, chosen, place, temporary, progress):
    runs, commands = [], {}
    for done, layer in enumerate(chosen):
        if progress:
            progress(runs[-1] if runs else None, done, len(chosen))
        params = layer.entry["params"]
        if params not in commands:
            commands[params] = build(simulator, found.root, params, place)
        runs.append(_run(commands[params], layer))
        if not runs[-1].passed:
            break
    if progress:
        progress(runs[-1], len(runs), len(chosen))
    difference = None if runs[-1].passed else _difference(commands[params], chosen[len(runs) - 1], temporary)
    return Cosimulation(f"{simulator.kind} {simulator.version}", tuple(runs), len(commands), difference)


def _run(command, layer):
    began, total = time.monotonic(), layer.entry["cycles"]["total"]
    run = run_layer(command, layer)
    passed = run.passed and run.cycles == total and not _wrong_sums(layer)
    return LayerRun(layer.name, layer.entry["folder"], layer.entry["params"], run.cycles, total, run.outs,
                    round(time.monotonic() - began, 3), passed, run.messages)


def _wrong_sums(layer: LayerFiles) -> list[tuple[str, object, object]]:
    """[(key of cycles, what the tiles say, what the manifest says)]: the parts of a layer's cycle count that disagree."""
    cycles = layer.entry["cycles"]
    tiles = cycles["per_cotile"]
    loads = layer.values("ldlen")[:, 0].tolist() if layer.has("ldlen.hex") else [0] * len(tiles)
    issue, latency = sum(tile["end"] - tile["start"] for tile in tiles), stages.latency(layer.stage)
    sums = {"load": (loads, [tile["load"] for tile in tiles]), "issue": (issue, cycles.get("issue")),
            "stall": (tiles[-1]["end"] - issue, cycles.get("stall")), "latency": (latency, cycles.get("latency")),
            "total": (tiles[-1]["end"] + latency, cycles["total"])}
    return [(key, found, filed) for key, (found, filed) in sums.items() if found != filed]


def _difference(command, layer, temporary):
    """compare's report of the layer's own event trace."""
    trace = temporary / f"{layer.entry['folder']}.txt"
    run = run_layer(command, layer, trace=trace)
    report = compare_layer(layer, trace, sums=False)
    return report if not report.equal else replace(report, first=_status(layer, run))


def _status(layer, run):
    """The first difference of a layer whose events are all as expected: a register or the read-back memory."""
    place = {"layer": layer.name, "stage": "status", "cot": None, "oy": None, "ox": None, "lane": None, "channel": None,
             "cycle": run.cycles, "got": None, "expected": None, "bits": [], "register": None}
    if run.passed and (wrong := _wrong_sums(layer)):
        key, found, filed = wrong[0]
        return place | {"stage": "cycle", "got": found, "expected": filed, "register": f"cycles.{key} of the manifest"}
    message = run.messages[0] if run.messages else "MISMATCH memory: nbout must hold out.hex after done"
    parts = message.split()
    known = len(parts) == 6 and parts[1] == "R"
    return place | ({"got": parts[3], "expected": parts[5], "register": parts[2]} if known else {"got": message})
