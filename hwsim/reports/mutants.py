"""Which mutants of the RTL a vector set killed, for JSON and for people (`hwsim mutants`)."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hwsim.reports import tables
from hwsim.vectors.simulate.qualify import Qualification
from hwsim.version import VERSION

HEADER = ("<mutant", "<result", "<killed by", "<stage", "<first cause named")


def report(path: str, result: Qualification) -> dict[str, Any]:
    """The report of a set in folder `path`."""
    return {"schema": "hwsim.mutants/1", "hwsim": VERSION, "set": str(path), **result.as_json()}


def text(body: Mapping[str, Any]) -> Iterator[object]:
    """A row per mutant, then the score."""
    yield tables.table(f"mutants against {body['set']} in {body['simulator']}", HEADER, map(_row, body["mutants"]))
    yield (f"{body['killed']} of {body['killed'] + body['survived']} applicable mutants killed, "
           f"{body['not_applicable']} not applicable")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if entry["result"] == "not applicable":
        return entry["name"], entry["result"], "", "", f"needs {', '.join(entry['needs'])}"
    return entry["name"], entry["result"], entry["layer"] or "", entry["stage"] or "", entry["first_cause"] or ""
