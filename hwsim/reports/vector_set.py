"""What `hwsim vectors` wrote or verified, `hwsim cosim` ran and `hwsim compare` found, for JSON and for people."""
from hwsim.reports import tables
from hwsim.vectors.explain.compare import picture
from hwsim.version import VERSION


def report(out, manifest):
    layers = [{"name": layer["name"], "folder": layer["folder"], "op": layer["op"], "in": layer["in"], "out": layer["out"],
               "cycles": layer["cycles"]["total"], "words": _words(layer["files"])}
              for layer in manifest["layers"]]
    return {"schema": "hwsim.vectorset/1", "hwsim": VERSION, "out": str(out), "hw": manifest["hw"], "layers": layers,
            "parameter_sets": len(manifest["params"])}


def _words(entries):
    """Words of hex in all the files of a layer."""
    return sum(entry["words"] for entry in entries if entry["path"].endswith(".hex"))


def text(found):
    rows = [(row["folder"], row["op"], _size(row["in"]), _size(row["out"]), row["cycles"], row["words"])
            for row in found["layers"]]
    yield tables.table(f"vectors in {found['out']}", ("<folder", "<op", "<in", "<out", "cycles", "words"), rows)
    yield f"{len(found['layers'])} layers, {found['parameter_sets']} parameter set(s); next: hwsim cosim {found['out']}"


def _size(size):
    return f"{size['h']}x{size['w']}x{size['c']}"


def verified(path, found):
    return {"schema": "hwsim.verify/1", "hwsim": VERSION, "set": str(path), **vars(found)}


def verified_text(found):
    yield (f"{found['set']}: {found['layers']} layers, {found['files']} files, {found['words']:,} words of hex, "
           "all as they must be")


def cosim(path, found):
    return {"schema": "hwsim.cosim/1", "hwsim": VERSION, "set": str(path), **found.as_json()}


def cosim_text(found):
    rows = [(run["folder"], run["cycles"], run["exp_cycles"], run["outs"], f"{run['seconds']:.2f}",
             "pass" if run["passed"] else "FAIL") for run in found["layers"]]
    yield tables.table(f"{found['set']} in {found['simulator']}, {found['builds']} build(s)",
                       ("<layer", "RTL cycles", "model cycles", "outputs", "seconds", "<result"), rows)
    if found["difference"]:
        yield from difference_text(found["difference"])
    yield f"{sum(run['passed'] for run in found['layers'])} of {len(found['layers'])} layers equal in every value and cycle"


def compared(reports):
    return {"schema": "hwsim.compare/1", "hwsim": VERSION, "layers": [report.as_json() for report in reports],
            "first": next((report.first for report in reports if not report.equal), None),
            "causes": next((report.causes for report in reports if not report.equal), [])}


def compared_text(found, reports=()):
    for row in found["layers"]:
        yield from difference_text(row)
    for wrong in reports:
        if not wrong.equal:
            yield from picture(wrong)


def difference_text(row):
    """One layer's comparison: equal, or the first mismatch with its place, bits and likely causes."""
    yield from (f"note: {note}" for note in row["notes"])
    if row["equal"]:
        yield f"{row['layer']}: equal, {row['compared']:,} events compared"
        return
    yield f"{row['layer']}: {row['mismatches']:,} mismatches in {row['compared']:,} events; the first:"
    yield "  " + ", ".join(f"{key} {value}" for key, value in row["first"].items() if value is not None)
    for cause in row["causes"]:
        yield "  would explain it: " + ", ".join(f"{key} {value}" for key, value in cause.items())
