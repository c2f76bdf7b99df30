"""What an accumulator does to a network on data: its bounds, the outputs that overflow changed, and narrower ones beside."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.engine.protocol import Engine
from hwsim.graph.integer import IntegerGraph
from hwsim.hw.accumulator.bounds import LayerBounds, accumulator_bounds
from hwsim.hw.accumulator.shadow import ShadowRun, shadow_run
from hwsim.pipeline.quality import psnr_db
from hwsim.pipeline.sources import shapes_of
from hwsim.quantization.boundary import dequantize

if TYPE_CHECKING:
    from hwsim.hw.accumulator.what_if import Rerun, WhatIf

Codes = Mapping[str, np.ndarray]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class OverflowResult:
    """shadow: the run beside an accumulator that no sum leaves. what_if: narrower accumulators, where they were asked for;

    rerun_psnr_db: acc_bits of a rerun -> output -> PSNR against the widest accumulator, None where they are equal.
    """

    net: IntegerGraph
    bounds: tuple[LayerBounds, ...]
    shadow: ShadowRun
    what_if: WhatIf | None = None
    rerun_psnr_db: Mapping[int, Mapping[str, float | None]] = field(default_factory=dict)


def observe_overflow(net: IntegerGraph, codes: Codes, engine: str | Engine = "fast", threads: int | None = None,
                     progress: Progress | None = None) -> OverflowResult:
    """The OverflowResult of one run of `net` on `codes`, input name -> integer array, N first.

    Errors: OverflowFault in mode `error`; those of engine.run.run.
    """
    shadow = shadow_run(net, codes, engine, threads,
                        progress and (lambda name, done, total: progress("simulating", done, total)))
    return OverflowResult(net, accumulator_bounds(net, shapes_of(codes), shadow.stats), shadow)


def try_narrower(observed: OverflowResult, codes: Codes, engine: str | Engine = "fast", threads: int | None = None,
                 progress: Progress | None = None) -> OverflowResult:
    """`observed` with what every narrower accumulator would meet, from one exact pass and true runs.

    codes: as in observe_overflow. Errors: those of hw.accumulator.what_if.
    """
    from hwsim.hw.accumulator.what_if import what_if  # compiled counters, which most calls do without
    narrower = what_if(observed.net, codes, engine=engine, threads=threads, progress=progress)
    psnr = {rerun.acc_bits: _psnr(observed.net, rerun, narrower.wide) for rerun in narrower.reruns}
    return replace(observed, what_if=narrower, rerun_psnr_db=psnr)


def _psnr(net: IntegerGraph, rerun: Rerun, wide: Codes) -> dict[str, float | None]:
    """PSNR of each output against the run with an accumulator that no sum leaves."""
    return {name: psnr_db(dequantize(net, name, wide[name]), dequantize(net, name, rerun.outputs[name])) for name in wide}
