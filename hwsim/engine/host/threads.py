"""Threads: the caller and its helpers take numbered chunks until none is left; who takes which never changes a result."""
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


@lru_cache(1)
def _helpers():
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="hwsim")


def for_chunks(count, threads, worker):
    """The results of worker(chunks) on each thread that took part; `chunks` yields numbers 0..count-1, each to one thread.

    The first error of any thread is raised here, once all of them have stopped.
    """
    chunks = _Chunks(count)
    helpers = [_helpers().submit(worker, chunks) for _ in range(min(threads, count, 64) - 1)]
    try:
        results = [worker(chunks)]
    finally:
        chunks.stop()
    # a helper that never got its turn is not waited for
    return results + [helper.result() for helper in helpers if not helper.cancel()]


def in_order(function, tasks, threads):
    """[function(task) for task in tasks], worked on by several threads."""
    results = [None] * len(tasks)

    def work(numbers):
        for number in numbers:
            results[number] = function(tasks[number])

    for_chunks(len(tasks), threads, work)
    return results


class _Chunks:
    """A shared counter that any number of threads may iterate over."""

    def __init__(self, count):
        self._next, self._count, self._lock = 0, count, threading.Lock()

    def __iter__(self):
        while True:
            with self._lock:
                if self._next >= self._count:
                    return
                taken, self._next = self._next, self._next + 1
            yield taken

    def stop(self):
        with self._lock:
            self._count = self._next
