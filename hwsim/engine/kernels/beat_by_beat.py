"""Layers whose accumulator needs more than 32 bits after a beat: the kernels make the sums of single beats, of weights cut into
signed bytes, and compiled loops put them together, watch and limit them in 64 bits.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.engine.kernels import wide
from hwsim.engine.kernels.pack import ChannelBlock
from hwsim.engine.kernels.program import SCRATCH, WIDE_BYTES, Jobs, Program, Worker
from hwsim.engine.kernels.variant import Counter, Mode
from hwsim.fixed.formats import Overflow


class BeatProgram(Program):
    """A Program whose parts have one beat per run and all beats in the order of the device; a beat is the sum of all parts."""

    def chunk_rows(self, threads: int) -> int:
        """The most output rows of a chunk, whose 64-bit sums stay in the cache with their inputs."""
        wide_rows = SCRATCH // (self.layer.out_hw[1] * self.layer.oc * WIDE_BYTES)
        return max(1, min(self.cached_rows(threads), wide_rows))

    def worker(self, *given: Any) -> BeatWorker:
        """A BeatWorker(program, ...)."""
        return BeatWorker(self, *given)


class BeatWorker(Worker):
    """A Worker whose counters have 64 bits."""

    def __init__(self, program: Program, rows: int, *given: Any) -> None:
        super().__init__(program, rows, *given)
        ends, fmt = np.iinfo(np.int64), program.facts.datapath.acc_format
        self.least, self.most = (np.full(program.layer.oc, end) for end in (ends.max, ends.min))
        self.events, self.ends = np.zeros((rows, program.layer.oc), np.int64), (fmt.min, fmt.max)
        self.beats = [self._jobs_of(beat) for beat in range(len(program.facts.beats_alone.starts))]

    def _jobs_of(self, beat: int) -> list[tuple[int, Jobs]]:
        """[(shift of a part, its kernels and their jobs for this beat alone)]."""
        parts: list[tuple[int, Jobs]] = []
        for part, jobs in zip(self.program.parts, self.jobs):
            alone = [(run, _alone(job, beat, band)) for (run, job), band in zip(jobs, part.bands)]
            parts.append((part.shift, alone))
        return parts

    def _accumulate(self, x: np.ndarray, sums: np.ndarray, acc: np.ndarray) -> None:
        mode = self.program.mode
        # a beat is complete only when all its parts (signed bytes of the weights) are added: the rule comes after the inner loop
        for beat in self.beats:
            for shift, jobs in beat:
                self.run(jobs, x, sums)
                wide.add(acc, sums, shift)
            if mode & Mode.OBSERVE:
                wide.observe(acc, self.least, self.most)
            else:
                wide.limit(acc, *self.ends, self._wraps(), self.events)

    def _wraps(self) -> bool:
        return self.program.facts.datapath.acc_mode is not Overflow.SATURATE

    def per_channel(self, row: Counter) -> np.ndarray:
        """The least or most accumulator of every output channel, int64 (OC)."""
        return {Counter.LEAST: self.least, Counter.MOST: self.most}[row]

    def take_events(self, rows: int) -> np.ndarray:
        """Events per row and channel since the last call, int64 (ROWS,OC)."""
        taken = self.events[:rows].copy()
        self.events[:] = 0
        return taken

    def all_clamped(self) -> int:
        """How many of this worker's outputs the final clamp changed."""
        return self.clamped


def _alone(job: np.ndarray, beat: int, band: ChannelBlock) -> np.ndarray:
    """A copy of a JOB for one of its runs."""
    alone = job.copy()
    alone["runs"] += beat * 8  # the table of runs holds int64 offsets, and a run is one beat here
    alone["weights"] += beat * band.weights.strides[1]
    alone["n_runs"] = 1
    return alone
