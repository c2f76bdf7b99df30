"""One sample through the integer network, beside the float network where there is one."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.engine.result import Result
from hwsim.engine.run import run
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.imaging.source import Sample
from hwsim.pipeline.engines import timed
from hwsim.pipeline.result import SampleResult
from hwsim.quantization.boundary import read_input
from hwsim.quantization.compare import LayerQuality, compare

if TYPE_CHECKING:
    from hwsim.pipeline.session import Session

PixelProgress = Callable[[str, int, int, int], None]


def simulate(session: Session, sample: Sample, progress: PixelProgress | None = None) -> SampleResult:
    """The SampleResult of one Sample; SQNR only with a float network to compare with.

    progress(text, done, total, pixels of the sample) hears of every node or band of rows. Errors: UsageError for inputs that
    are not the network's, OverflowFault in mode `error`; those of compare and engine.run.run.
    """
    keywords = _keywords(session, sample, progress)
    if session.prepared is None or not session.run.options.with_float:
        codes, clamped = read_input(session.net, sample.inputs)
        result = run(session.net, codes, **keywords)
        return SampleResult(sample=sample, net=session.net, result=result, floats=None,
                            layers=tuple(_layer(session.net, node, result, clamped) for node in session.net.nodes))
    both = compare(session.prepared, session.net, sample.inputs, **keywords, float_run=session.float_run)
    return SampleResult(sample=sample, net=session.net, result=both.result, floats=both.floats, layers=both.layers)


def _keywords(session: Session, sample: Sample, progress: PixelProgress | None) -> dict[str, Any]:
    """What run and compare take alike."""
    options = session.run.options
    pixels = sum(np.size(values) // np.shape(values)[-1] for values in sample.inputs.values())

    def show(node: Node, done: int, total: int) -> None:
        if progress is not None:
            progress(f"simulating {sample.name}", done, total, pixels)
    return {"engine": timed(session.engine, session.clock), "dump": options.dump, "monitor": True, "threads": options.threads,
            "progress": show if progress else None}


def _layer(net: IntegerGraph, node: Node, result: Result, clamped: dict[str, int]) -> LayerQuality:
    """A layer without a float network: what integers alone tell."""
    count = clamped.get(node.name, result.stats[node.name].clamped)
    return LayerQuality(name=node.name, op=node.op, format=str(net.formats[node.name]), sqnr_db=None, clamped=count,
                        unused_bits=None)
