"""`hwsim run`: quality, layers, outputs and overflow of one integer run (spec/interfaces.md rule 6.4)."""
import numpy as np

from hwsim import files
from hwsim.engine.result import merge
from hwsim.engine.run import engine_named, run
from hwsim.engine.watched import Watched
from hwsim.hw.accumulator.bounds import accumulator_bounds
from hwsim.hw.costs.network_cycles import network_cycles
from hwsim.pipeline.session import naming
from hwsim.quantization.boundary import dequantize, read_input
from hwsim.quantization.compare import compare
from hwsim.reports import cycles, outputs, overflow, quality
from hwsim.version import VERSION


def timed(engine, clock):
    """The engine with its seconds counted as `simulate`."""
    return Watched(engine, lambda: clock.step("simulate"))


def simulate(session, sample, options, clock, progress=None):
    """(result, floats or None, layers) of one Sample; floats and SQNR only with a float network to compare with.

    options: engine, threads, dump, with_float as in cli.run.
    """
    engine = timed(engine_named(options["engine"]), clock)
    pixels = sum(np.size(values) // np.shape(values)[-1] for values in sample.inputs.values())
    said = (lambda node, done, total: progress(f"simulating {sample.name}", done, total, pixels)) if progress else None
    keywords = {"engine": engine, "dump": options["dump"], "monitor": True, "threads": options["threads"], "progress": said}
    if session.prepared is None or not options["with_float"]:
        codes, clamped = read_input(session.net, sample.inputs)
        result = run(session.net, codes, **keywords)
        return result, None, [_layer(session.net, node, result, clamped) for node in session.net.nodes]
    found = compare(session.prepared, session.net, sample.inputs, **keywords, float_run=session.float_run)
    return found.result, found.floats, [layer.as_json() for layer in found.layers]


def _layer(net, node, result, clamped):
    """A layer's row without a float network: what integers alone tell."""
    count = clamped.get(node.name, result.stats[node.name].clamped)
    return {"name": node.name, "op": node.op, "format": str(net.formats[node.name]), "sqnr_db": None, "clamped": count,
            "unused_bits": None}


def sample_report(session, sample, found, folder=None):
    """What the report says of one Sample: outputs (written to `folder` if given), quality, truth, layers."""
    result, floats, layers = found
    read = folder is not None or floats or sample.truth is not None  # real values of a large frame are many: only if wanted
    real = {name: dequantize(session.net, name, result[name]) for name in (session.net.outputs if read else ())}
    rows = [outputs.entry(session.net, name, result[name]) for name in dict.fromkeys(session.net.outputs)]
    if folder is not None:
        stems = outputs.file_names([*session.net.outputs, *result.tensors])
        rows = [outputs.write(folder, stems[row["name"]], row, result[row["name"]], real[row["name"]],
                              (floats or {}).get(row["name"])) for row in rows]
        outputs.write_dumped(folder, stems, result, session.net.outputs)
    return {"sample": sample.name, "note": sample.note, "outputs": rows,
            "quality": [{"output": name, **quality.against(floats[name], real[name])} for name in floats or {}],
            "truth": _truth(sample, floats, real), "layers": layers, "worst_layer": _worst(layers)}


def _truth(sample, floats, real):
    """Every output of the shape of the ground truth against it, with the float network's own PSNR beside."""
    if sample.truth is None:
        return []
    found = []
    for name, values in real.items():
        if values.shape == sample.truth.shape:
            row = {"output": name, **quality.against(sample.truth, values)}
            own = quality.psnr_db(sample.truth, floats[name]) if floats else None
            found.append(row | {"float_psnr_db": own})
    return found


def _worst(layers):
    rated = [layer for layer in layers if layer["sqnr_db"] is not None and layer["op"] != "input"]
    return min(rated, key=lambda layer: layer["sqnr_db"])["name"] if rated else None


def merged(counters):
    """node -> LayerStats over all samples: counts added, extremes joined, the first event of the first sample that has one."""
    return {name: merge([found[name] for found in counters]) for name in counters[0]}


def report(session, samples, counters, in_shapes, device, clock):
    """The whole report: one entry of quality, truth, outputs and layers per sample; the first sample's stand at the top too.

    counters: per sample, node -> LayerStats; in_shapes: of the first sample, what cycles and reachable sums are for.
    """
    head = {"schema": "hwsim.run/1", "hwsim": VERSION, "model": session.model.as_json(), "config": session.net.meta["config"],
            "calibration": session.net.meta["calibration"], "notes": list(session.net.meta["notes"])}
    body = {"samples": samples} | {key: samples[0][key] for key in ("quality", "truth", "outputs", "layers", "worst_layer")}
    stats = merged(counters)
    bounds = accumulator_bounds(session.net, in_shapes, stats)
    timing = network_cycles(session.net, in_shapes, device)
    return head | body | {"cycles": cycles.body(timing), "overflow": overflow.body(session.net, bounds, stats),
                          "device": timing.device.as_json(), "seconds": dict(clock.seconds)}


def all_samples(session, found, options, device, clock, folder=None, progress=None):
    """The report over every source (name, load); with a `folder` each sample's files go there, or to its own subfolder."""
    stems = outputs.file_names([name for name, _ in found])
    samples, counters, in_shapes = [], [], None
    for name, load in found:
        sample = load()
        in_shapes = in_shapes or {name: np.shape(values) for name, values in sample.inputs.items()}
        here = folder if folder is None or len(found) == 1 else files.folder(folder / stems[name])
        with naming([name]):
            simulated = simulate(session, sample, options, clock, progress)
        samples.append(sample_report(session, sample, simulated, here))
        counters.append(simulated[0].stats)
    return report(session, samples, counters, in_shapes, device, clock)
