"""`hwsim mutants`: a vector set judged by the wrong designs it kills (spec/vectors.md section 8)."""
from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import HwsimError, UsageError
from hwsim.vectors.explain.compare import LayerReport, compare_layer
from hwsim.vectors.read.vectorset import LayerFiles, VectorSet, open_set
from hwsim.vectors.read.verify import check_sums
from hwsim.vectors.simulate.mutants import MUTANTS, Mutant, patch
from hwsim.vectors.simulate.simulators import Simulator, build, find_simulator, run_layer

UNPATCHED = Mutant("none", (), ())


@dataclass(frozen=True, eq=False)
class Trial:
    """One mutant against one set.

    applies: some layer reaches its lines; layer: the first layer that failed, None for a survivor; report: compare's
    LayerReport of that layer.
    """

    mutant: Mutant
    applies: bool
    layer: str | None = None
    report: LayerReport | None = None

    @property
    def result(self) -> str:
        """killed, survived or not applicable."""
        if not self.applies:
            return "not applicable"
        return "survived" if self.layer is None else "killed"

    @property
    def stage(self) -> str | None:
        """Where the first difference lies; one that no event shows is in a register: status. None unless killed."""
        if self.layer is None:
            return None
        return str(self.report.first["stage"]) if self.report and self.report.first else "status"

    @property
    def first_cause(self) -> str | None:
        """The first cause that compare names."""
        return self.report.causes[0]["cause"] if self.report and self.report.causes else None

    def as_json(self) -> dict[str, object]:
        """The trial's entry of mutants[] in the report."""
        return {"name": self.mutant.name, "needs": [feature.text for feature in self.mutant.needs], "result": self.result,
                "layer": self.layer, "stage": self.stage, "first_cause": self.first_cause}


@dataclass(frozen=True, eq=False)
class Qualification:
    """The Trials of a set, in the order of MUTANTS."""

    simulator: str
    trials: tuple[Trial, ...]

    def count(self, result: str) -> int:
        """How many mutants had this result."""
        return sum(trial.result == result for trial in self.trials)

    @property
    def passed(self) -> bool:
        """Whether no mutant survived."""
        return self.count("survived") == 0

    def as_json(self) -> dict[str, object]:
        """The body of the report."""
        return {"simulator": self.simulator, "passed": self.passed, "killed": self.count("killed"),
                "survived": self.count("survived"), "not_applicable": self.count("not applicable"),
                "mutants": [trial.as_json() for trial in self.trials]}


def qualify(root: str | Path, names: Sequence[str] = (), sim: str | None = None, builds: str | Path | None = None,
            progress: Callable[[int, int], None] | None = None) -> Qualification:
    """The Qualification of the set in folder `root`, whose own RTL is patched.

    names: mutants to run, all by default; sim: verilator, icarus or None; builds: folder that keeps the simulator's builds
    (default: a temporary one); progress(done, total) is called before the first and after each mutant.
    Errors: UsageError for an unknown mutant or a missing simulator, FileError for a damaged set, HwsimError when the
    unpatched design fails the set or a patch does not apply.
    """
    mutants, vector_set, simulator = _named(names), open_set(root), find_simulator(sim)
    for layer in vector_set.layers:
        check_sums(layer)     # an altered expectation would kill everything
        layer.check()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory() as temporary:
        place, kept = Path(temporary), Path(builds or Path(temporary) / "builds")
        _check_unpatched(kill(UNPATCHED, vector_set, simulator, place / "none", kept), vector_set)
        for number, mutant in enumerate(mutants):
            if progress:
                progress(number, len(mutants))
            trials.append(kill(mutant, vector_set, simulator, place / str(number), kept))
    if progress:
        progress(len(mutants), len(mutants))
    return Qualification(f"{simulator.kind} {simulator.version}", tuple(trials))


def _named(names: Sequence[str]) -> list[Mutant]:
    known = [mutant.name for mutant in MUTANTS]
    for name in names:
        if name not in known:
            raise UsageError(f"MUTANT must be one of {', '.join(known)}, not {name}")
    return [mutant for mutant in MUTANTS if not names or mutant.name in names]


def _check_unpatched(trial: Trial, vector_set: VectorSet) -> None:
    """A set that fails the right design would kill everything."""
    if trial.layer is not None:
        raise HwsimError(f"{vector_set.root}: the unpatched design must pass, not fail layer {trial.layer} "
                         "(hwsim cosim says where)")


def kill(mutant: Mutant, vector_set: VectorSet, simulator: Simulator, place: Path, builds: Path) -> Trial:
    """The Trial of a mutant on a set; the patched design and the trace go to the new folder `place`."""
    layers = [layer for layer in vector_set.layers if mutant.applies(layer)]
    if not layers:
        return Trial(mutant, applies=False)
    patch(mutant, vector_set.root, place)
    for layer in layers:
        command = build(simulator, place, layer.entry["params"], builds)     # done once for equal parameters
        if not run_layer(command, layer).passed:
            return Trial(mutant, True, layer.name, _report(command, layer, place))
    return Trial(mutant, applies=True)


def _report(command: list[str], layer: LayerFiles, place: Path) -> LayerReport:
    """compare's report of the layer's event trace."""
    trace = place / "trace.txt"
    run_layer(command, layer, trace=trace)
    return compare_layer(layer, trace)
