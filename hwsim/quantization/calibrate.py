"""The range of every tensor of a float network over sample inputs (spec/arithmetic.md rule 1.6)."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from hwsim.errors import QuantizeError, UsageError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.fit import fitted
from hwsim.graph.node import Graph
from hwsim.quantization.calibration import Calibration
from hwsim.quantization.config import Config
from hwsim.quantization.float_net.run import FloatRun, bands, rows_per_step
from hwsim.quantization.observers import OBSERVERS, Observer
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scale_policy import policy_of
from hwsim.quantization.scales import PRE

FEWEST_IMAGES = 4


def calibrate(graph: Graph, batches: Iterable[Mapping[str, np.ndarray]], config: Config,
              progress: Callable[[int], None] | None = None, float_run: FloatRun = bands) -> Calibration:
    """The Calibration of `graph` (prepared here, if it is not yet) over `batches`.

    batches: any iterable of {input name: float array, N first}, read once and one at a time.
    progress(images) is called after every batch with the number of images so far.
    Errors: UsageError for no image and for inputs that lack one of the network's; QuantizeError where a tensor is not finite.
    float_run: what runs the float network, run.bands or cache.FloatCache().bands, which keeps its tensors for compare().
    """
    graph = prepare(graph)
    bits, kind, images = code_bits(graph, config), OBSERVERS[config.calib_method], 0
    observers: dict[str, Observer] = {}
    for inputs in batches:
        _check_names(graph, inputs)
        images += len(inputs[graph.inputs[0]])
        for name, values in _tensors(fitted(graph, {name: np.shape(x) for name, x in inputs.items()}), inputs, float_run):
            if name not in observers:
                observers[name] = kind(highest_code(bits[name.removesuffix(PRE)]))
            observers[name].see(_finite(name, values))
        if progress is not None:
            progress(images)
    if not images:
        raise UsageError("calibration must have at least one image, not none")
    amax = {name: _float32(observer.amax() * config.headroom) for name, observer in observers.items()}
    return Calibration(amax=amax, images=images, method=config.calib_method, headroom=config.headroom,
                       notes=_notes(images, observers), code_bits=_decisive(bits, config))


def _check_names(graph: Graph, inputs: Mapping[str, np.ndarray]) -> None:
    """Raises UsageError unless the network's inputs are there."""
    if not set(graph.inputs) <= inputs.keys():
        raise UsageError(f"inputs must be {', '.join(graph.inputs)}, not {', '.join(inputs) or 'none'}")


def _tensors(graph: Graph, inputs: Mapping[str, np.ndarray], float_run: FloatRun) -> Iterator[tuple[str, np.ndarray]]:
    """(name, values) of every tensor, and of `name:pre` before its activation; of large images in bands, each value once."""
    for band in float_run(graph, inputs, rows_per_step(graph, inputs)):
        if band.note is not None:
            yield band.node.name + PRE, band.note
        yield band.node.name, band.tensor


def code_bits(graph: Graph, config: Config) -> dict[str, int]:
    """tensor -> the width, bits, whose highest code its scale is made for."""
    policy = policy_of(config)
    return {name: policy.bits(word, config) for name, word in config.quantizer.words(graph, config).items()}


def highest_code(bits: int) -> int:
    """The highest code of a signed word of `bits` (1..63): 2^(bits-1) - 1."""
    return IntFormat(bits).max


def _decisive(bits: dict[str, int], config: Config) -> dict[str, int]:
    """`bits` where they decide a range: under `mse` alone, which weighs the error of rounding to codes."""
    return bits if config.calib_method == "mse" else {}


def check_calibration(calibration: Calibration, graph: Graph, config: Config) -> None:
    """Raises UsageError unless calibrate() of the prepared `graph` under `config` could have given `calibration`.

    config: with a fixed scale for every input that is given as codes.
    """
    label, unknown = calibration.label, sorted({name.removesuffix(PRE) for name in calibration.amax} - graph.by_name.keys())
    if unknown:
        raise UsageError(f"{label}: the calibration must be of tensors of this network, not of {unknown[0]!r}")
    for option, own, wanted in (("calib_method", calibration.method, config.calib_method),
                                ("headroom", calibration.headroom, config.headroom)):
        if own != wanted:
            raise UsageError(f"{label}: {option} must be {own}, as it was calibrated, not {wanted}")
    for name, bits in _decisive(code_bits(graph, config), config).items():
        if calibration.code_bits.get(name) != bits:
            raise UsageError(f"{label}: codes of {name} must have {calibration.code_bits.get(name)} bits, as mse calibrated "
                             f"them, not {bits}")
    _check_input_scales(calibration, graph, config)


def _check_input_scales(calibration: Calibration, graph: Graph, config: Config) -> None:
    for name, own in calibration.input_scales.items():
        if name not in graph.inputs:
            raise UsageError(f"{calibration.label}: input_scales must name inputs ({', '.join(graph.inputs)}), not {name!r}")
        if config.scales.get(name) != own:
            raise UsageError(f"{calibration.label}: scale of {name} must be {own!r}, as its codes were calibrated, "
                             f"not {config.scales.get(name)!r}")


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
