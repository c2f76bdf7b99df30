"""What `hwsim vectors` wrote or verified, `hwsim cosim` ran and `hwsim compare` found, for JSON and for people."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hwsim.reports import tables
from hwsim.vectors.explain.compare import picture
from hwsim.version import VERSION


def report(out: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The report of a set written to the folder `out`."""
    layers = [{"name": layer["name"], "folder": layer["folder"], "op": layer["op"], "in": layer["in"], "out": layer["out"],
               "cycles": layer["cycles"]["total"], "words": _words(layer["files"])}
              for layer in manifest["layers"]]
    return {"schema": "hwsim.vectorset/1", "hwsim": VERSION, "out": str(out), "hw": manifest["hw"], "layers": layers,
            "parameter_sets": len(manifest["params"])}


def _words(entries: Iterable[Mapping[str, Any]]) -> int:
    """Words of hex in all the files of a layer."""
    return sum(entry["words"] for entry in entries if entry["path"].endswith(".hex"))


def text(report: Mapping[str, Any]) -> Iterator[Any]:
    """The layers of a written set as a table."""
    rows = [(row["folder"], row["op"], _size(row["in"]), _size(row["out"]), row["cycles"], row["words"])
            for row in report["layers"]]
    yield tables.table(f"vectors in {report['out']}", ("<folder", "<op", "<in", "<out", "cycles", "words"), rows)
    yield f"{len(report['layers'])} layers, {report['parameter_sets']} parameter set(s); next: hwsim cosim {report['out']}"


def _size(size: Mapping[str, int]) -> str:
    return f"{size['h']}x{size['w']}x{size['c']}"


def verified(path: str, counts: Any) -> dict[str, Any]:
    """The report of a set that was read again: what verify_set counted."""
    return {"schema": "hwsim.verify/1", "hwsim": VERSION, "set": str(path), **vars(counts)}


def verified_text(report: Mapping[str, Any]) -> Iterator[str]:
    """One line: what was read again."""
    yield (f"{report['set']}: {report['layers']} layers, {report['files']} files, {report['words']:,} words of hex, "
           "all as they must be")


def cosim(path: str, outcome: Any) -> dict[str, Any]:
    """The report of a co-simulation of the set `path`."""
    return {"schema": "hwsim.cosim/1", "hwsim": VERSION, "set": str(path), **outcome.as_json()}


def cosim_text(report: Mapping[str, Any]) -> Iterator[Any]:
    """The layers as a table, the first difference if there is one."""
    rows = [(run["folder"], run["cycles"], run["exp_cycles"], run["outs"], f"{run['seconds']:.2f}",
             "pass" if run["passed"] else "FAIL") for run in report["layers"]]
    yield tables.table(f"{report['set']} in {report['simulator']}, {report['builds']} build(s)",
                       ("<layer", "RTL cycles", "model cycles", "outputs", "seconds", "<result"), rows)
    if report["difference"]:
        yield from difference_text(report["difference"])
    yield f"{sum(run['passed'] for run in report['layers'])} of {len(report['layers'])} layers equal in every value and cycle"


def compared(reports: Sequence[Any]) -> dict[str, Any]:
    """The report of the comparisons of several layers."""
    return {"schema": "hwsim.compare/1", "hwsim": VERSION, "layers": [report.as_json() for report in reports],
            "first": next((report.first for report in reports if not report.equal), None),
            "causes": next((report.causes for report in reports if not report.equal), [])}


def compared_text(report: Mapping[str, Any], reports: Sequence[Any] = ()) -> Iterator[Any]:
    """Every layer's comparison, and a picture of where the wrong values lie."""
    for row in report["layers"]:
        yield from difference_text(row)
    for wrong in reports:
        if not wrong.equal:
            yield from picture(wrong)


def difference_text(row: Mapping[str, Any]) -> Iterator[str]:
    """One layer's comparison: equal, or the first mismatch with its place, bits and likely causes."""
    yield from (f"note: {note}" for note in row["notes"])
    if row["equal"]:
        yield f"{row['layer']}: equal, {row['compared']:,} events compared"
        return
    yield f"{row['layer']}: {row['mismatches']:,} mismatches in {row['compared']:,} events; the first:"
    yield "  " + ", ".join(f"{key} {value}" for key, value in row["first"].items() if value is not None)
    for cause in row["causes"]:
        yield "  would explain it: " + ", ".join(f"{key} {value}" for key, value in cause.items())
