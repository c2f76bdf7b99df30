"""The calibration of a run: measured on its sources, or loaded and checked to be of this model and these options."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from hwsim.errors import UsageError
from hwsim.graph.node import Graph
from hwsim.pipeline.sources import Sources, is_codes, naming
from hwsim.quantization.boundary import code_scale
from hwsim.quantization.calibrate import calibrate, check_calibration
from hwsim.quantization.calibration import Calibration
from hwsim.quantization.config import Config
from hwsim.quantization.float_net.run import FloatRun

Progress = Callable[[str, int, int], None]


def calibrated(graph: Graph, sha256: str, config: Config, source: Calibration | Sources, float_run: FloatRun,
               progress: Progress | None = None) -> tuple[Config, Calibration]:
    """(config, Calibration) of a prepared float `graph`, from sources that are run now or from a Calibration of the same model.

    sha256: of the model's file. The config then holds a fixed scale for every input that was calibrated on codes.
    Errors: UsageError for a Calibration of another model or of other options.
    """
    if isinstance(source, Calibration):
        _check_model(source, sha256)
        config = replace(config, scales={**_code_scales(source.input_scales, config), **config.scales})
        check_calibration(source, graph, config)
        return config, source
    return _measured(graph, sha256, config, source, float_run, progress)


def _check_model(calibration: Calibration, sha256: str) -> None:
    if calibration.sha256 != sha256:
        its_model = f"sha256 {calibration.sha256[:16]}..." if calibration.sha256 else "an unnamed one"
        raise UsageError(f"{calibration.label}: the calibration must be of this model (sha256 {sha256[:16]}...), "
                         f"not of {its_model}")


def _code_scales(names: Mapping[str, float] | list[str], config: Config) -> dict[str, float]:
    """A scale for every input that is given as codes (spec/arithmetic.md rule 1.4)."""
    return dict.fromkeys(names, float(code_scale(config)))


def _measured(graph: Graph, sha256: str, config: Config, sources: Sources, float_run: FloatRun,
              progress: Progress | None) -> tuple[Config, Calibration]:
    """(config, Calibration) of the sources: codes become real numbers by the input's scale, which is then fixed."""
    seen: list[str] = []
    with naming(seen):
        first = sources[0][1]().inputs
        codes = [name for name in graph.inputs if name in first and is_codes(first[name])]
        config = replace(config, scales={**_code_scales(codes, config), **config.scales})
        calibration = calibrate(graph, _batches(config, sources, first, seen, progress), config, float_run=float_run)
    scales = {name: config.scales[name] for name in codes}
    return config, replace(calibration, sha256=sha256, input_scales=scales)


def _batches(config: Config, sources: Sources, first: Mapping[str, np.ndarray], seen: list[str],
             progress: Progress | None) -> Iterator[dict[str, np.ndarray]]:
    """Real inputs, source by source; the name of each is appended to `seen` as it is read."""
    for done, (name, load) in enumerate(sources, 1):
        seen.append(name)
        inputs = first if done == 1 else load().inputs
        _check_alike(inputs, first)
        yield {key: x * config.scales[key] if is_codes(x) else x for key, x in inputs.items()}
        if progress:
            progress("calibrating", done, len(sources))


def _check_alike(inputs: Mapping[str, np.ndarray], first: Mapping[str, np.ndarray]) -> None:
    """Raises UsageError unless the same inputs are codes as in the first source."""
    for name, array in inputs.items():
        if is_codes(array) != is_codes(first[name]):
            raise UsageError(f"input {name} must be {'codes' if is_codes(first[name]) else 'real numbers'} in every file, "
                             f"as in the first, not {array.dtype}")
