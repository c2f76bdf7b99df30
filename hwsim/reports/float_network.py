"""`hwsim float`: the outputs of the imported float network as a table."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hwsim.pipeline.float_run import FloatResult
from hwsim.reports import tables
from hwsim.version import VERSION


def report(result: FloatResult, output_path: str | None) -> dict[str, Any]:
    """The report of one float run, whose outputs were written to `output_path` (None: nowhere)."""
    return {"schema": "hwsim.float/1", "hwsim": VERSION, "model": result.model.as_json(), "input": result.sample.name,
            "file": output_path,
            "outputs": [_summary(name, value) for name, value in zip(result.model.network.outputs, result.outputs)]}


def _summary(name: str, value: np.ndarray) -> dict[str, Any]:
    return {"name": name, "shape": list(value.shape), "min": float(value.min()), "max": float(value.max()),
            "mean": float(np.mean(value))}


def text(report: dict[str, Any]) -> Iterator[Any]:
    """The outputs as a table."""
    rows = [(f"out{i}", o["name"], tables.shape(o["shape"]), *(f"{o[key]:.6g}" for key in ("min", "max", "mean")))
            for i, o in enumerate(report["outputs"])]
    yield tables.table(f"{report['model']['path']} on {report['input']}, float64",
                       ("<key", "<output", "<shape", "min", "max", "mean"), rows)
    if report["file"]:
        yield f"written: {report['file']}"
