"""What a run gives: the result of each sample, and what all samples together say of the network on its device."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isinf

import numpy as np

from hwsim.engine.result import LayerStats, Result
from hwsim.graph.integer import IntegerGraph
from hwsim.hw.accumulator.bounds import LayerBounds, accumulator_bounds
from hwsim.hw.config import Device
from hwsim.hw.costs.network_cycles import NetworkCycles, network_cycles
from hwsim.imaging.source import Sample
from hwsim.pipeline.quality import Quality, against, psnr_db
from hwsim.quantization.boundary import dequantize
from hwsim.quantization.compare import LayerQuality


@dataclass(frozen=True)
class TruthQuality:
    """An output against the ground truth, and the float network's own PSNR against it (None: it did not run, or is equal)."""

    quality: Quality
    float_psnr_db: float | None


@dataclass(frozen=True, eq=False)
class SampleResult:
    """One Sample simulated. result: codes and counters; floats: output name -> float64 array of the float network, or None;

    layers: every tensor against the float network's; without one only its word and what clamped.
    """

    sample: Sample
    net: IntegerGraph
    result: Result
    floats: Mapping[str, np.ndarray] | None
    layers: tuple[LayerQuality, ...]

    @cached_property
    def real(self) -> dict[str, np.ndarray]:
        """output name -> codes * scale, float64; made when asked for: those of a large frame are many."""
        return {name: dequantize(self.net, name, self.result[name]) for name in self.net.outputs}

    @cached_property
    def quality(self) -> dict[str, Quality]:
        """output name -> how far it is from the float network's; empty without one."""
        return {name: against(values, self.real[name]) for name, values in (self.floats or {}).items()}

    @cached_property
    def truth(self) -> dict[str, TruthQuality]:
        """output name -> how far it is from the ground truth; of outputs of its shape, empty without one."""
        truth = self.sample.truth
        if truth is None:
            return {}
        return {name: TruthQuality(against(truth, values), psnr_db(truth, self.floats[name]) if self.floats else None)
                for name, values in self.real.items() if values.shape == truth.shape}

    @property
    def worst_layer(self) -> str | None:
        """The name of the computed layer with the least SQNR; None where none differs from the float network."""
        rated = {layer.name: layer.sqnr_db for layer in self.layers
                 if layer.op != "input" and layer.sqnr_db is not None and not isinf(layer.sqnr_db)}
        return min(rated, key=rated.__getitem__) if rated else None


@dataclass(frozen=True, eq=False)
class RunResult:
    """All samples of a run together. stats: node -> LayerStats over all of them; cycles and reachable sums are for images of
    `in_shapes`, those of the first sample.
    """

    net: IntegerGraph
    stats: Mapping[str, LayerStats]
    in_shapes: Mapping[str, tuple[int, ...]]
    device: Device

    @cached_property
    def cycles(self) -> NetworkCycles:
        """On the device with the widths and rules of the network."""
        return network_cycles(self.net, self.in_shapes, self.device)

    @cached_property
    def bounds(self) -> tuple[LayerBounds, ...]:
        """Of every array layer."""
        bounds: tuple[LayerBounds, ...] = accumulator_bounds(self.net, self.in_shapes, self.stats)
        return bounds
