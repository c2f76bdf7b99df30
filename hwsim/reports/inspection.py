"""`hwsim inspect`: layers, shapes, parameters, and what preparing the network for integers does to each layer."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from hwsim.graph.node import Node
from hwsim.ops.dims import show
from hwsim.pipeline.inspection import Inspection
from hwsim.pipeline.model import Model
from hwsim.reports import tables
from hwsim.version import VERSION

GEOMETRY = ("stride", "dilation", "groups", "padding", "crop", "kernel", "factor", "block", "function")
PLAIN = {"stride": (1, 1), "dilation": (1, 1), "groups": 1, "padding": (0, 0, 0, 0), "crop": (0, 0, 0, 0)}


def report(inspection: Inspection) -> dict[str, Any]:
    """The report of an Inspection; `problem` says why the network cannot become integers, or is None."""
    model, graph = inspection.model, inspection.model.network
    layers = [{"name": node.name, "op": node.op, "inputs": list(node.inputs), "shape": show(inspection.shapes[node.name][1:]),
               "parameters": _count(node), "geometry": _geometry(node),
               "notes": [text for name, text in inspection.notes if name == node.name]} for node in graph.nodes]
    return {"schema": "hwsim.inspect/1", "hwsim": VERSION, "model": model.as_json(), "sensor": dict(model.sensor),
            "inputs": list(graph.inputs), "outputs": list(graph.outputs), "layers": layers, "problem": inspection.problem}


def _count(node: Node) -> int:
    return sum(value.size for value in node.params.values() if isinstance(value, np.ndarray))


def _geometry(node: Node) -> str:
    """Kernel and whatever is not plain, in words."""
    weights = node.params.get("weights", node.params.get("codes"))
    kernel = [f"{weights.shape[-3]}x{weights.shape[-2]}"] if weights is not None and weights.ndim >= 4 else []
    settings = [f"{key} {_brief(node.params[key])}" for key in GEOMETRY
            if key in node.params and node.params[key] != PLAIN.get(key)]
    return ", ".join(kernel + settings)


def _brief(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def text(report: dict[str, Any]) -> Iterator[Any]:
    """The layers as a table, inputs, outputs, sensor, and the problem if there is one."""
    rows = [(row["name"], row["op"], row["geometry"], row["shape"], row["parameters"] or None, "; ".join(row["notes"]))
            for row in report["layers"]]
    model = report["model"]
    yield tables.table(f"{model['path']}: {model['parameters']:,} parameters, sha256 {model['sha256'][:12]}",
                       ("<layer", "<operator", "<geometry", "<shape", "parameters", "<in integers"), rows)
    yield f"inputs: {', '.join(report['inputs'])}; outputs: {', '.join(report['outputs'])}"
    if report["sensor"]:
        yield "sensor: " + ", ".join(f"{key} {value}" for key, value in report["sensor"].items())
    if report["problem"]:
        yield f"cannot run in integers: {report['problem']}"


def plans(model: Model, layer_plans: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """How the fast engine runs every array layer: (its name, its plan) in running order."""
    return {"schema": "hwsim.plan/1", "hwsim": VERSION, "model": model.as_json(),
            "layers": [{"name": name, "plan": str(plan)} for name, plan in layer_plans]}


def plans_text(report: dict[str, Any]) -> Iterator[Any]:
    """The plans as a table."""
    yield tables.table(f"{report['model']['path']} on the fast engine", ("<array layer", "<plan"),
                       [(row["name"], row["plan"]) for row in report["layers"]])
