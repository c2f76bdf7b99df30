"""The imported float network run as it is, to check an import."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.imaging.source import Sample
from hwsim.pipeline.model import Model
from hwsim.pipeline.sources import naming
from hwsim.quantization.float_net.run import evaluate


@dataclass(frozen=True, eq=False)
class FloatResult:
    """outputs: float64 arrays, in the model's order."""

    model: Model
    sample: Sample
    outputs: list[np.ndarray]


def run_float(model: Model, sample: Sample) -> FloatResult:
    """The FloatResult of a float Model on one Sample. Errors say which sample it was."""
    with naming([sample.name]):
        return FloatResult(model, sample, evaluate(model.float_graph, sample.inputs))
