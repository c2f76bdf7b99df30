"""A thread pool for one layer at a time: the calling thread and its helpers take numbered chunks of work until none is left.

Which thread computes which chunk never changes a result. The pool is state of the process, made at its first use.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

Task = TypeVar("Task")
Value = TypeVar("Value")


@lru_cache(1)
def _helpers() -> ThreadPoolExecutor:
    """The one pool of the process; its threads are started as they are needed."""
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="hwsim")


def for_chunks(count: int, threads: int, worker: Callable[[Iterable[int]], Value]) -> list[Value]:
    """[worker(chunks) of each thread that took part]; `chunks` yields the numbers 0..count-1, each of them to one thread only.

    Errors: the first error of any thread, once all of them have stopped.
    """
    chunks = _Chunks(count)
    helpers = [_helpers().submit(worker, chunks) for _ in range(min(threads, count, 64) - 1)]
    try:
        results = [worker(chunks)]
    finally:
        chunks.stop()
    # a helper that was never scheduled is cancelled, not waited for
    return results + [helper.result() for helper in helpers if not helper.cancel()]


def in_order(function: Callable[[Task], Value], tasks: Sequence[Task], threads: int) -> list[Value]:
    """[function(task) for task in tasks], computed by up to `threads` threads; the results keep the order of the tasks."""
    results: dict[int, Value] = {}

    def work(numbers: Iterable[int]) -> None:
        for number in numbers:
            results[number] = function(tasks[number])

    for_chunks(len(tasks), threads, work)
    return [results[number] for number in range(len(tasks))]


class _Chunks:
    """A shared counter: threads that iterate over it at the same time get every number once, between them."""

    def __init__(self, count: int) -> None:
        self._next, self._count, self._lock = 0, count, threading.Lock()

    def __iter__(self) -> Iterator[int]:
        while True:
            with self._lock:
                if self._next >= self._count:
                    return
                number, self._next = self._next, self._next + 1
            yield number

    def stop(self) -> None:
        """Hands out no more numbers: another thread has failed or all is done."""
        with self._lock:
            self._count = self._next
