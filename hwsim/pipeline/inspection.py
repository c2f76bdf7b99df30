"""What can be said of a model before it runs: shapes, what preparing does to each layer, and how the fast engine would run it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph.shapes import infer
from hwsim.ops.dims import Shape
from hwsim.pipeline.model import Model
from hwsim.pipeline.session import Session
from hwsim.pipeline.sources import shapes_of
from hwsim.quantization.prepare import preparation_notes


@dataclass(frozen=True, eq=False)
class Inspection:
    """shapes: tensor -> symbolic shape; notes: (layer, what preparing does to it); problem: why the network cannot become
    integers, or None.
    """

    model: Model
    shapes: Mapping[str, Shape]
    notes: tuple[tuple[str, str], ...]
    problem: str | None


def inspect_model(model: Model) -> Inspection:
    """The Inspection of an opened Model; a .hwq is prepared already."""
    shapes = infer(model.network)
    if model.graph is None:
        return Inspection(model, shapes, (), None)
    try:
        return Inspection(model, shapes, preparation_notes(model.graph), None)
    except HwsimError as error:
        return Inspection(model, shapes, (), str(error))


def fast_plans(session: Session, inputs: Mapping[str, np.ndarray]) -> list[tuple[str, Any]]:
    """(array layer, its plan) of the fast engine for these inputs (arrays, N first): rung, path, tile, and why."""
    from hwsim.engine.fast.layer_plans import layer_plans  # loads the compiler, which a table of layers does without
    plans: list[tuple[str, Any]] = layer_plans(session.net, shapes_of(inputs), monitor=True)
    return plans
