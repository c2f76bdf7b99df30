"""Work on several threads: results in task order, every task once, errors raised."""
import threading

import pytest

from hwsim.engine.kernels.pool import for_chunks, in_order


@pytest.mark.parametrize("threads", [1, 2, 5, 100])
@pytest.mark.parametrize("count", [0, 1, 7, 50])
def test_results_come_in_task_order(count, threads):
    assert in_order(lambda task: task * 3, list(range(count)), threads) == [3 * task for task in range(count)]


def test_every_chunk_is_taken_once():
    taken = for_chunks(1000, 4, list)
    assert sorted(number for part in taken for number in part) == list(range(1000))


def test_an_error_stops_the_work():
    done = []

    def work(numbers):
        for number in numbers:
            if number == 3:
                raise ValueError("chunk 3 is bad")
            done.append(number)

    with pytest.raises(ValueError, match="^chunk 3 is bad$"):
        for_chunks(10_000_000, 1, work)
    assert len(done) == 3


def test_work_inside_work_does_not_wait_for_ever():
    found = in_order(lambda task: sum(in_order(lambda inner: inner + task, [1, 2, 3], 3)), list(range(8)), 4)
    assert found == [6 + 3 * task for task in range(8)]
    assert threading.active_count() < 70
