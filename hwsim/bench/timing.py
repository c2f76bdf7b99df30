"""Timing in turns: two measurements next to each other, so that a busy machine moves both and their ratio stays."""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

Work = Callable[[], Any]  # what is timed, once per call


def thread_seconds(work: Work) -> float:
    """CPU seconds of the calling thread that work() takes."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def process_seconds(work: Work) -> float:
    """CPU seconds of the whole process that work() takes, helper threads included."""
    start = time.process_time()
    work()
    return time.process_time() - start


def wall_seconds(work: Work) -> float:
    """Seconds that pass while work() runs."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(first: Callable[[], float], second: Callable[[], float], repeats: int) -> list[tuple[float, float]]:
    """(first(), second()) `repeats` times, after one pair that warms up and is not kept."""
    return [(first(), second()) for _ in range(repeats + 1)][1:]


def medians(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """The median of every column."""
    return tuple(statistics.median(column) for column in zip(*rows))
