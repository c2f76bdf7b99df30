"""What a run reads: named samples that are loaded when their turn comes, and errors that say which one it was."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np

from hwsim.errors import GraphError, UsageError, in_file
from hwsim.imaging.source import Optics, Sample, sources
from hwsim.pipeline.model import Model

Sources = Sequence[tuple[str, Callable[[], Sample]]]    # (name, load) pairs


def frames(model: Model, input_path: str | None, calib_path: str | None, optics: Optics) -> tuple[Sources, Sources]:
    """(sources to run on, sources to calibrate on); without `calib_path` they are the same, and a single frame is read once."""
    inputs = sources(input_path, model.input_specs, optics)
    if calib_path:
        return inputs, sources(calib_path, model.input_specs, optics)
    alike = [(name, cache(load)) for name, load in inputs] if len(inputs) == 1 else inputs
    return alike, alike


@contextmanager
def naming(seen: Sequence[str]) -> Iterator[None]:
    """Errors about an input say which source it came from: the last of `seen`, if there is one yet."""
    try:
        yield
    except (GraphError, UsageError) as error:
        if seen:
            in_file(error, seen[-1])
        raise


def shapes_of(inputs: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """input name -> its shape N,H,W,C, of arrays with N first."""
    return {name: np.shape(values) for name, values in inputs.items()}


def is_codes(array: np.ndarray) -> bool:
    """Whether an array of any shape holds codes: integers are codes, all others real values."""
    return array.dtype.kind in "iu"
