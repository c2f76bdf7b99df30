"""`hwsim float`: the outputs of the imported float network, and a table of them."""
import numpy as np

from hwsim.errors import UsageError
from hwsim.imaging import arrays
from hwsim.imaging.source import sources
from hwsim.pipeline.session import input_specs, naming, open_float
from hwsim.quantization.float_net.run import evaluate
from hwsim.reports import tables
from hwsim.version import VERSION


def run(model_path, input_path, optics_for, output_path=None):
    """The report of one float run; writes out0, out1, ... to `output_path` (.npz) if given.

    optics_for(sensor) gives the Optics; `sensor` is what the model file says of its own.
    """
    model = open_float(model_path)
    [(_, load), *more] = sources(input_path, input_specs(model.graph), optics_for(model.sensor))
    if more:
        raise UsageError(f"{input_path}: hwsim float must be given one input, not a folder of {len(more) + 1}")
    sample = load()
    with naming([sample.name]):
        found = evaluate(model.graph, sample.inputs)
    if output_path:
        arrays.write_npz(output_path, found)
    return {"schema": "hwsim.float/1", "hwsim": VERSION, "model": model.as_json(), "input": sample.name, "file": output_path,
            "outputs": [_summary(name, value) for name, value in zip(model.graph.outputs, found)]}


def _summary(name, value):
    return {"name": name, "shape": list(value.shape), "min": float(value.min()), "max": float(value.max()),
            "mean": float(np.mean(value))}


def text(report):
    """The outputs as a table."""
    rows = [(f"out{i}", o["name"], tables.shape(o["shape"]), *(f"{o[key]:.6g}" for key in ("min", "max", "mean")))
            for i, o in enumerate(report["outputs"])]
    yield tables.table(f"{report['model']['path']} on {report['input']}, float64",
                       ("<key", "<output", "<shape", "min", "max", "mean"), rows)
    if report["file"]:
        yield f"written: {report['file']}"
