"""A run from its model to an integer network that is ready for samples: spec/interfaces.md section 2.

    run = Run(open_model(path), device, config, inputs, calibration)
    session = prepare(run)
    for sample in session.samples():
        result = session.simulate(sample)
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hwsim.engine.protocol import Engine
from hwsim.engine.result import LayerStats, merge
from hwsim.engine.run import check_dump
from hwsim.errors import FileError
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph
from hwsim.hw.config import Device
from hwsim.imaging.source import Sample
from hwsim.pipeline.calibration import Progress, calibrated
from hwsim.pipeline.clock import Clock
from hwsim.pipeline.engines import Recording, engine_of, recording_engine
from hwsim.pipeline.model import Model
from hwsim.pipeline.result import RunResult, SampleResult
from hwsim.pipeline.simulate import PixelProgress, simulate
from hwsim.pipeline.sources import Sources, naming
from hwsim.quantization.calibration import Calibration
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.float_net.cache import FloatCache
from hwsim.quantization.float_net.run import FloatRun, bands
from hwsim.quantization.prepare import prepare as prepare_graph


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out; nothing here changes a bit.

    engine: fast, reference, stepped, or an Engine; threads: of the fast engine, None takes all cores; dump: tensors that are
    kept besides the outputs; with_float: whether the float network runs beside; trace, waves: what stepped records as text.
    """

    engine: str | Engine = "fast"
    threads: int | None = None
    dump: tuple[str, ...] = ()
    with_float: bool = False
    trace: bool = False
    waves: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What is to be done. config: every option of the quantizer, None: the defaults, and for a .hwq, which has decided them;

    inputs: the samples; calibration: samples, or what was measured before on the same model.
    """

    model: Model
    device: Device
    config: Config | None
    inputs: Sources
    calibration: Calibration | Sources
    options: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True, eq=False)
class Session:
    """A Run made ready: its integer network; the float network of the same node names and the calibration (None for a .hwq).

    float_run: what runs the float network (quantization.float_net.run.bands).
    """

    run: Run
    net: IntegerGraph
    prepared: Graph | None
    calibration: Calibration | None
    float_run: FloatRun
    clock: Clock

    @property
    def model(self) -> Model:
        """The opened MODEL of the run."""
        return self.run.model

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings of the calibration."""
        return () if self.calibration is None else self.calibration.notes

    @property
    def seed(self) -> int:
        """The option `seed` that the network was quantized with, 0 where a .hwq does not say. Errors: FileError if no integer."""
        seed = self.net.meta["config"].get("seed", 0)
        if type(seed) is not int:
            raise FileError(f"{self.model.path}: config.seed must be an integer, not {seed!r}")
        return seed

    @cached_property
    def _engine(self) -> tuple[Engine, Recording | None]:
        options = self.run.options
        if options.engine == "stepped":
            return recording_engine(self.run.device, options.trace, options.waves)
        return engine_of(options.engine, self.run.device), None

    @property
    def engine(self) -> Engine:
        """Loaded when first asked for."""
        return self._engine[0]

    @property
    def recording(self) -> Recording | None:
        """What the stepped engine records as it runs; None for the others."""
        return self._engine[1]

    def samples(self) -> Iterator[Sample]:
        """The samples of the run, each loaded when its turn comes."""
        return (load() for _, load in self.run.inputs)

    def simulate(self, sample: Sample, progress: PixelProgress | None = None) -> SampleResult:
        """The SampleResult of `sample`. Errors say which sample it was; OverflowFault in mode `error`."""
        with naming([sample.name]):
            return simulate(self, sample, progress)

    def total(self, stats: Sequence[Mapping[str, LayerStats]], in_shapes: Mapping[str, tuple[int, ...]]) -> RunResult:
        """The RunResult of samples with these counters; in_shapes: of the first."""
        merged = {name: merge([each[name] for each in stats]) for name in stats[0]}
        return RunResult(self.net, merged, in_shapes, self.run.device)


def prepare(run: Run, clock: Clock | None = None, progress: Progress | None = None) -> Session:
    """The Session of a Run: calibrated and quantized by its config; a .hwq is ready as it is.

    progress(text, done, total) hears of every calibration image. Errors: UsageError for a name in `dump` that is no tensor
    and for a Calibration of another model or of other options; those of calibrate and quantize.
    """
    clock, model = clock or Clock(), run.model
    if model.net is not None:
        check_dump(run.options.dump, model.net.graph)
        return Session(run=run, net=model.net, prepared=None, calibration=None, float_run=bands, clock=clock)
    with clock.step("calibrate"):
        prepared, float_run = prepare_graph(model.float_graph), _float_run(run)
        check_dump(run.options.dump, prepared)
        config, calibration = calibrated(prepared, model.sha256, run.config or Config(), run.calibration, float_run, progress)
    with clock.step("quantize"):
        net = quantize(model.float_graph, calibration, config, model.as_json() | {"sensor": dict(model.sensor)})
    return Session(run=run, net=net, prepared=prepared, calibration=calibration, float_run=float_run, clock=clock)


def _float_run(run: Run) -> FloatRun:
    """Of a single sample that calibrates itself the float network runs once: its tensors are kept for the comparison."""
    once = run.calibration is run.inputs and len(run.inputs) == 1 and run.options.with_float
    return FloatCache().bands if once else bands
