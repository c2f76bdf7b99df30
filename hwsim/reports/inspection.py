"""`hwsim inspect`: layers, shapes, parameters, and what preparing the network for integers does to each layer."""
import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph.shapes import infer
from hwsim.graph.text import to_text
from hwsim.ops.dims import show
from hwsim.quantization.prepare import preparation_notes
from hwsim.reports import tables
from hwsim.version import VERSION

GEOMETRY = ("stride", "dilation", "groups", "padding", "crop", "kernel", "factor", "block", "function")
PLAIN = {"stride": (1, 1), "dilation": (1, 1), "groups": 1, "padding": (0, 0, 0, 0), "crop": (0, 0, 0, 0)}


def report(model):
    """The report of an opened Model; `problem` says why the network cannot become integers, or is None."""
    graph = model.network
    shapes, (notes, problem) = infer(graph), _preparation(model)
    layers = [{"name": node.name, "op": node.op, "inputs": list(node.inputs), "shape": show(shapes[node.name][1:]),
               "parameters": _count(node), "geometry": _geometry(node),
               "notes": [text for name, text in notes if name == node.name]} for node in graph.nodes]
    return {"schema": "hwsim.inspect/1", "hwsim": VERSION, "model": model.as_json(), "sensor": dict(model.sensor),
            "inputs": list(graph.inputs), "outputs": list(graph.outputs), "layers": layers, "problem": problem}


def _preparation(model):
    """(notes, problem) of preparing a float graph; a .hwq is prepared already."""
    if model.graph is None:
        return (), None
    try:
        return preparation_notes(model.graph), None
    except HwsimError as error:
        return (), str(error)


def _count(node):
    return sum(value.size for value in node.params.values() if isinstance(value, np.ndarray))


def _geometry(node):
    """Kernel and whatever is not plain, in words."""
    weights = node.params.get("weights", node.params.get("codes"))
    kernel = [f"{weights.shape[-3]}x{weights.shape[-2]}"] if weights is not None and weights.ndim >= 4 else []
    said = [f"{key} {_brief(node.params[key])}" for key in GEOMETRY
            if key in node.params and node.params[key] != PLAIN.get(key)]
    return ", ".join(kernel + said)


def _brief(value):
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def text(report):
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


def stable_text(model):
    return to_text(model.network)


def plans(session, inputs):
    """How the fast engine runs every array layer for these inputs: rung, path, tile, and why."""
    from hwsim.engine.fast.layer_plans import layer_plans  # loads the compiler, which a table of layers does without
    found = layer_plans(session.net, {name: np.shape(values) for name, values in inputs.items()}, monitor=True)
    return {"schema": "hwsim.plan/1", "hwsim": VERSION, "model": session.model.as_json(),
            "layers": [{"name": name, "plan": str(plan)} for name, plan in found]}


def plans_text(report):
    yield tables.table(f"{report['model']['path']} on the fast engine", ("<array layer", "<plan"),
                       [(row["name"], row["plan"]) for row in report["layers"]])
