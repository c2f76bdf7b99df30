"""The range of every tensor of a float network over sample inputs (ARITHMETIC.md section 1, Float preparation)."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.errors import QuantizeError, UsageError
from hwsim.graph.bands import RowBand
from hwsim.graph.fit import fitted
from hwsim.graph.node import Graph
from hwsim.quantization.config import Config
from hwsim.quantization.float_net.run import bands, rows_per_step
from hwsim.quantization.observers import OBSERVERS, Observer
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scale_policy import policy_of
from hwsim.quantization.scales import PRE

FEWEST_IMAGES = 4
FloatRun = Callable[[Graph, Mapping[str, np.ndarray], int | None], Iterator[RowBand]]   # run.bands, or one that keeps tensors


@dataclass(frozen=True)
class Calibration:
    """amax: tensor (and `layer:pre`) -> range as a float32 value, 0 for a tensor that was always 0.

    images: how many were seen; method: max, percentile or mse; headroom is in amax already; notes: warnings for people.
    """

    amax: Mapping[str, float]
    images: int
    method: str = "max"
    headroom: float = 1.0
    notes: tuple[str, ...] = ()

    def range_of(self, name: str) -> float:
        """amax of a tensor. Raises QuantizeError unless it is there and finite."""
        if name not in self.amax:
            raise QuantizeError(f"{name}: the calibration must hold the range of this tensor, not only of "
                                f"{len(self.amax)} others")
        if not math.isfinite(self.amax[name]):
            raise QuantizeError(f"{name}: the calibrated range must be finite, not {self.amax[name]}")
        return self.amax[name]

    def as_json(self) -> dict[str, object]:
        return {"images": self.images, "method": self.method, "headroom": self.headroom}


def calibrate(graph: Graph, batches: Iterable[Mapping[str, np.ndarray]], config: Config,
              progress: Callable[[int], None] | None = None, float_run: FloatRun = bands) -> Calibration:
    """The Calibration of `graph` (prepared here, if it is not yet) over `batches`.

    batches: any iterable of {input name: float array, N first}, read once and one at a time.
    progress(images) is called after every batch with the number of images so far.
    float_run: what runs the float network, run.bands or cache.FloatCache().bands, which keeps its tensors for compare().
    """
    graph = prepare(graph)
    levels, kind, images = _levels(graph, config), OBSERVERS[config.calib_method], 0
    observers: dict[str, Observer] = {}
    for inputs in batches:
        images += len(inputs[graph.inputs[0]])
        for name, values in _tensors(fitted(graph, {name: np.shape(x) for name, x in inputs.items()}), inputs, float_run):
            if name not in observers:
                observers[name] = kind(levels[name.removesuffix(PRE)])
            observers[name].see(_finite(name, values))
        if progress is not None:
            progress(images)
    if not images:
        raise UsageError("calibration must have at least one image, not none")
    amax = {name: _float32(observer.amax() * config.headroom) for name, observer in observers.items()}
    return Calibration(amax, images, config.calib_method, config.headroom, _notes(images, observers))


def _tensors(graph: Graph, inputs: Mapping[str, np.ndarray], float_run: FloatRun) -> Iterator[tuple[str, np.ndarray]]:
    """(name, values) of every tensor, and of `name:pre` before its activation; of large images in bands, each value once."""
    for band in float_run(graph, inputs, rows_per_step(graph, inputs)):
        if band.note is not None:
            yield band.node.name + PRE, band.note
        yield band.node.name, band.tensor


def _levels(graph: Graph, config: Config) -> dict[str, int]:
    """tensor -> the highest code that its scale is made for."""
    policy, words = policy_of(config), config.quantizer.words(graph, config)
    return {name: (1 << (policy.bits(word, config) - 1)) - 1 for name, word in words.items()}


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    """`values`. Raises QuantizeError where one is NaN or infinite."""
    for end in (values.min(initial=0.0), values.max(initial=0.0)):
        if not math.isfinite(end):
            raise QuantizeError(f"{name}: the float network must stay finite while it is calibrated, not give {end}")
    return values


def _float32(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _notes(images: int, observers: Mapping[str, Observer]) -> tuple[str, ...]:
    notes = []
    if images < FEWEST_IMAGES:
        notes.append(f"calibration saw {images} image{'s' * (images > 1)}; fewer than {FEWEST_IMAGES} can cost several dB")
    notes += [f"{name}: too many values for an exact percentile, its range is an upper bound"
              for name, observer in observers.items() if not observer.exact]
    return tuple(notes)
