"""What an array layer does around its sums: the bias before them, then stages that make codes of them, then the clamp.

A stage is data; each engine keeps a table from the class of a stage to its own arithmetic (spec/arithmetic.md section 3).
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

LATE = ("alpha_q", "m2", "shift2")                          # parameters of a node that only ThreeStep has
PARAMETERS = ("m_pos", "m_neg", "shift", *LATE)             # of any stage; each holds one value per output channel
MEMORIES = {"m_pos": "mpos", "m_neg": "mneg", "alpha_q": "alpha"}  # names in vector files and RTL, where they differ


@dataclass(frozen=True, eq=False)
class Stage:
    """One step from sums to codes. Every field is int64 (OC).

    name:       as the key `prelu` of device files and manifests has it
    parameters: parameter of a node -> field
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, str]]

    @classmethod
    def from_fields(cls, params: Mapping[str, Any]) -> Self:
        """From the parameters of an integer array node."""
        return cls(**{field: params[name] for name, field in cls.parameters.items()})

    def to_fields(self) -> dict[str, np.ndarray | None]:
        """The parameters of an integer array node, all of PARAMETERS; None where this stage has none."""
        return {name: getattr(self, self.parameters[name]) if name in self.parameters else None for name in PARAMETERS}

    @classmethod
    def stems(cls) -> dict[str, str]:
        """Parameter of a node -> name of its memory in vector files and RTL."""
        return {name: MEMORIES.get(name, name) for name in cls.parameters}

    def memories(self) -> dict[str, np.ndarray]:
        """Name of a memory in vector files and RTL -> its values (OC)."""
        return {stem: getattr(self, self.parameters[name]) for name, stem in self.stems().items()}

    def of(self, outs: slice) -> Self:
        """The stage of output channels `outs`."""
        return type(self)(*(getattr(self, field.name)[outs] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Folded(Stage):
    """The activation's slope is in the multiplier: round(acc * (m_pos if acc >= 0 else m_neg), shift)."""

    m_pos: np.ndarray
    m_neg: np.ndarray
    shift: np.ndarray
    name = "folded"
    parameters = {"m_pos": "m_pos", "m_neg": "m_neg", "shift": "shift"}


@dataclass(frozen=True, eq=False)
class ThreeStep(Stage):
    """t = sat(round(acc*m1, shift1)); t < 0: t = sat(round(t*alpha_q, ALPHA_SHIFT)); round(t*m2, shift2).

    Files and nodes hold m1 twice, as m_pos and m_neg.
    """

    m1: np.ndarray
    shift1: np.ndarray
    alpha_q: np.ndarray
    m2: np.ndarray
    shift2: np.ndarray
    name = "unfolded"
    parameters = {"m_pos": "m1", "m_neg": "m1", "shift": "shift1", "alpha_q": "alpha_q", "m2": "m2", "shift2": "shift2"}

    @classmethod
    def from_fields(cls, params: Mapping[str, Any]) -> Self:
        """From the parameters of an integer array node, whose m_pos holds m1."""
        return cls(params["m_pos"], params["shift"], params["alpha_q"], params["m2"], params["shift2"])


@dataclass(frozen=True, eq=False)
class Raw(Stage):
    """The sums themselves; only the clamp follows. No device does this."""

    name = "raw"
    parameters = {}


REQUANTIZERS: Mapping[str, type[Stage]] = {kind.name: kind for kind in (Folded, ThreeStep)}  # of devices


def stage_of(params: Mapping[str, Any]) -> Stage:
    """The stage that these parameters of a node make: the one with the most parameters of those that are not None."""
    return next(kind.from_fields(params) for kind in (ThreeStep, Folded, Raw)
                if all(params.get(name) is not None for name in kind.parameters))


@dataclass(frozen=True, eq=False)
class Epilogue:
    """bias int64 (OC), added first; `stages` in order; then the clamp to lo..hi."""

    bias: np.ndarray
    stages: tuple[Stage, ...]
    lo: int
    hi: int

    @classmethod
    def from_fields(cls, params: Mapping[str, Any]) -> Epilogue:
        """From the parameters of an integer array node."""
        return cls(params["bias"], (stage_of(params),), params["lo"], params["hi"])

    def to_fields(self) -> dict[str, object]:
        """The parameters of an integer array node that from_fields reads."""
        return {"bias": self.bias, **self.stage.to_fields(), "lo": self.lo, "hi": self.hi}

    @property
    def stage(self) -> Stage:
        """The only stage; ValueError where there are more, which no engine runs yet."""
        stage, = self.stages
        return stage

    def of(self, outs: slice) -> Epilogue:
        """The epilogue of output channels `outs`."""
        return Epilogue(self.bias[outs], tuple(stage.of(outs) for stage in self.stages), self.lo, self.hi)
