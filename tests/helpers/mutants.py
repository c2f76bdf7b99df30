"""The directed sets that must kill the mutants of the RTL, and the table of docs/vectors.md."""
from pathlib import Path
from typing import Any

from hwsim.hw.config import Device
from hwsim.vectors.read.vectorset import open_set
from hwsim.vectors.write.directed import directed_cases
from hwsim.vectors.write.write_set import Origin, write_set

SMALL: dict[str, Any] = {"TN": 4, "TM": 4}
DEVICES = {
    "linear": Device(**SMALL, acc_bits=20),
    "saturating": Device(**SMALL, acc_bits=18, acc_mode="saturate", round="half-even"),
    "log": Device(**SMALL, acc_bits=20, w_format="stlq", w_bits=4, round="floor"),
    "unfolded": Device(**SMALL, acc_bits=19, acc_mode="saturate", prelu="unfolded", round="half-away"),
}
RANDOM_LAYERS = 6


def write_directed(root, name):
    """The directed set of one of DEVICES in folder root/name."""
    write_set(directed_cases(DEVICES[name], 0, RANDOM_LAYERS), Path(root) / name, Origin(f"hwsim vectors --directed ({name})"))
    return open_set(Path(root) / name)


def first_applicable(mutant, sets):
    """The name of the first of the sets that has what the mutant needs."""
    return next(name for name, vectors in sets.items() if any(map(mutant.applies, vectors.layers)))


def kill_table(trials):
    """[(set's name, Trial)] as Markdown: which layer of which set kills a mutant, at which stage, and what compare says first."""
    lines = ["| mutant | directed set | killed by | stage | first cause named |", "|---|---|---|---|---|"]
    for name, trial in trials:
        stage = "status register" if trial.stage == "status" else trial.stage
        lines.append(f"| {trial.mutant.name} | {name} | {trial.layer} | {stage} | {trial.first_cause or '-'} |")
    return "\n".join(lines) + "\n"
