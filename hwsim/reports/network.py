"""What a .hwq file holds, layer by layer: words, scales, multipliers and shifts."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.pipeline.session import Session
from hwsim.reports import tables
from hwsim.version import VERSION


def report(session: Session, path: str) -> dict[str, Any]:
    """The report of `hwsim quantize`."""
    net = session.net
    return {"schema": "hwsim.quantize/1", "hwsim": VERSION, "model": session.model.as_json(), "config": net.meta["config"],
            "calibration": net.meta["calibration"], "notes": list(net.meta["notes"]), "file": str(path),
            "acc_bits": net.datapath.acc_bits, "layers": [_row(net, node) for node in net.nodes]}


def _row(net: IntegerGraph, node: Node) -> dict[str, Any]:
    shifts, multipliers = node.params.get("shift"), node.params.get("m_pos", node.params.get("m"))
    return {"name": node.name, "op": node.op, "format": str(net.formats[node.name]), "scale": float(net.scales[node.name]),
            "multipliers": _ends(multipliers), "shifts": _ends(shifts)}


def _ends(values: np.ndarray | int | None) -> list[int] | None:
    """[least, greatest] of an array or an integer, None without one."""
    if values is None:
        return None
    return [values, values] if isinstance(values, int) else [int(values.min()), int(values.max())]


def text(report: dict[str, Any]) -> Iterator[Any]:
    """The layers as a table, and where the network was written."""
    rows = [(row["name"], row["op"], row["format"], f"{row['scale']:.6g}", _span(row["multipliers"]), _span(row["shifts"]))
            for row in report["layers"]]
    yield tables.table(f"{report['model']['path']} as integers, accumulator {report['acc_bits']} bits",
                       ("<layer", "<operator", "<word", "LSB", "multipliers", "shifts"), rows)
    yield f"written: {report['file']}"


def _span(ends: list[int] | None) -> str | None:
    if ends is None:
        return None
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]}..{ends[1]}"
