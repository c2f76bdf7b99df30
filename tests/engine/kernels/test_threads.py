"""Work on several threads: results in task order, every task once, errors raised."""
import threading

import pytest

from hwsim.bench.layers import Shape, layer_of
from hwsim.engine.host.threads import for_chunks, in_order
from hwsim.engine.kernels import conv
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Mode
from hwsim.fixed.formats import Datapath, IntFormat


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


@pytest.mark.skipif(not ladder(), reason="needs kernels")
@pytest.mark.parametrize("height", [1, 2, 7, 66, 500])
@pytest.mark.parametrize("threads", [1, 2, 3, 64])
def test_chunks_cover_every_row_once_and_get_lower(height, threads):
    layer = layer_of(Shape(64, 64, 500, 3), 11, 8)
    layer = layer.reshaped(in_hw=(height, 500), out_hw=(height, 500))
    program = conv.prepare(layer, Datapath(), IntFormat(11), False, ladder()[:1]).program(Mode.PLAIN)
    chunks = program.chunks(threads)
    assert [row for chunk in chunks for row in range(chunk.start, chunk.stop)] == list(range(height))
    rows = [chunk.stop - chunk.start for chunk in chunks]
    assert min(rows) > 0 and max(rows) <= program.chunk_rows(threads)
    assert rows == sorted(rows, reverse=True)
    assert threads == 1 or height < 66 or rows[-1] == program.turn
