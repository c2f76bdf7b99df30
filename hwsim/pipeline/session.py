"""From a MODEL file to an integer network: what every command does first (spec/interfaces.md section 2).

The steps are importers.load or graph.store.open_net, quantization.prepare, calibrate and quantize; times are kept by name.
"""
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache

from hwsim import files, importers
from hwsim.errors import GraphError, UsageError, in_file
from hwsim.graph import store
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph
from hwsim.imaging.source import InputSpec, sources
from hwsim.quantization.boundary import code_scale
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.convert import quantize
from hwsim.quantization.float_net.run import bands
from hwsim.quantization.prepare import prepare


@dataclass(frozen=True, eq=False)
class Model:
    """What a MODEL file holds: a float graph, or (a .hwq) an integer network. sensor: cfa and input_bits of shipped models."""

    path: str
    sha256: str
    parameters: int
    graph: Graph | None
    net: IntegerGraph | None
    sensor: Mapping[str, object] = field(default_factory=dict)

    @property
    def network(self):
        """The graph whose inputs and outputs this model has, float or integer."""
        return self.graph if self.net is None else self.net.graph

    def as_json(self):
        return {"path": self.path, "sha256": self.sha256, "parameters": self.parameters}


class Clock:
    """Wall seconds by name of step."""

    def __init__(self):
        self.seconds = {}

    @contextmanager
    def step(self, name):
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - start


def input_specs(graph):
    """The inputs of a graph as imaging.source.InputSpec, in the model's order."""
    return tuple(InputSpec(name, graph[name].params["shape"]) for name in graph.inputs)


def frames(model, input_path, calib_path, optics):
    """(sources to run on, sources to calibrate on); without `calib_path` they are the same, and a single frame is read once."""
    found = sources(input_path, input_specs(model.network), optics)
    if calib_path:
        return found, sources(calib_path, input_specs(model.network), optics)
    kept = [(name, cache(load)) for name, load in found] if len(found) == 1 else found
    return kept, kept


def open_model(path):
    """The Model in a .h5, .hdf5 or .hwq file."""
    digest = files.sha256(path)
    if store.is_network(path):
        net = store.open_net(path)
        source = net.meta["source"]
        return Model(str(path), digest, source["parameters"], None, net, source.get("sensor", {}))
    graph = importers.load(path)
    return Model(str(path), digest, graph.parameters, graph, None, importers.sensor_defaults(path))


def open_float(path):
    """The Model in a float checkpoint; a .hwq is refused."""
    model = open_model(path)
    if model.graph is None:
        raise UsageError(f"{path}: the model must be a float checkpoint, not a quantized network")
    return model


@dataclass(frozen=True, eq=False)
class Session:
    """A model made ready to run: its integer network, the float network of the same node names (None for a .hwq), warnings.

    float_run: what runs the float network (quantization.float_run.bands).
    """

    model: Model
    net: IntegerGraph
    prepared: Graph | None
    notes: tuple[str, ...]
    float_run: Callable = bands


def start(model, config, calibration_sources, clock, progress=None, float_run=bands):
    """The Session of a Model: calibrated on the sources (name, load), quantized by `config`; a .hwq is ready as it is.

    progress(text, done, total) hears of every calibration image.
    """
    if model.net is not None:
        return Session(model, model.net, None, ())
    seen = []
    with clock.step("calibrate"), naming(seen):
        prepared = prepare(model.graph)
        config, batches = _batches(prepared, config, calibration_sources, seen, progress)
        calibration = calibrate(prepared, batches, config, float_run=float_run)
    with clock.step("quantize"):
        net = quantize(model.graph, calibration, config, model.as_json() | {"sensor": dict(model.sensor)})
    return Session(model, net, prepared, calibration.notes, float_run)


def _batches(graph, config, found, seen, progress):
    """(config, batches): float inputs of every source; codes become real numbers by the input's scale, which is then fixed.

    Its name is appended to `seen` as each source is read.
    """
    first = found[0][1]()
    config = _with_code_scales(graph, config, first.inputs)

    def batches():
        for done, (name, load) in enumerate(found, 1):
            seen.append(name)
            inputs = (first if done == 1 else load()).inputs
            _check_alike(inputs, first.inputs)
            yield real_inputs(inputs, graph, config)
            if progress:
                progress("calibrating", done, len(found))
    return config, batches()


def _with_code_scales(graph, config, inputs):
    """`config` with a fixed scale for every input that is given as codes (spec/arithmetic.md rule 1.4)."""
    codes = [name for name in graph.inputs if name in inputs and is_codes(inputs[name])]
    return replace(config, scales={**dict.fromkeys(codes, float(code_scale(config))), **config.scales})


def _check_alike(inputs, first):
    for name, array in inputs.items():
        if is_codes(array) != is_codes(first[name]):
            raise UsageError(f"input {name} must be {'codes' if is_codes(first[name]) else 'real numbers'} in every file, "
                             f"as in the first, not {array.dtype}")


@contextmanager
def naming(seen):
    """Errors about an input say which source it came from: the last of `seen`, if there is one yet."""
    try:
        yield
    except (GraphError, UsageError) as error:
        if seen:
            in_file(error, seen[-1])
        raise


def is_codes(array):
    return array.dtype.kind in "iu"


def real_inputs(inputs, graph, config):
    """Float inputs: codes times their scale, the rest as it is."""
    return {name: array * config.scales[name] if is_codes(array) else array for name, array in inputs.items()}
