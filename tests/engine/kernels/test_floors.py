"""Floors of speed, as fractions of what the same core does at the same time: CPU time in turns, never wall time."""
import pytest

from hwsim.bench import array
from hwsim.bench.layers import Shape
from hwsim.engine.kernels.target import ladder

pytestmark = [pytest.mark.speed, pytest.mark.skipif(not ladder() or ladder()[0].name == "sse2", reason="needs AVX2 or AVX-512")]


@pytest.mark.parametrize("shape, floor", [
    (Shape(64, 64, 256, 3), 0.80), (Shape(256, 256, 64, 3), 0.80), (Shape(32, 32, 256, 3), 0.80),
    (Shape(64, 64, 256, 1), 0.50), (Shape(16, 16, 512, 3), 0.55), (Shape(4, 32, 512, 3), 0.45)], ids=str)
def test_of_the_limit(shape, floor):
    _judge(f"{shape} of the limit", floor, lambda: array.of_limit(shape, "plain"))


@pytest.mark.parametrize("mode", ["saturate", "monitor"])
@pytest.mark.parametrize("shape", [Shape(64, 64, 256, 3), Shape(32, 32, 256, 3)], ids=str)
def test_of_plain(shape, mode):
    _judge(f"{shape} {mode} of plain", 0.85, lambda: array.of_plain(shape, mode))


def _judge(what, floor, measure):
    """A median of nine, and where it is below the floor one more; both are printed."""
    rates = [measure()]
    if rates[0] < floor:
        rates.append(measure())
    said = f"{what}: {', '.join(f'{value:.3f}' for value in rates)} (floor {floor:.2f})"
    print(said)
    assert max(rates) >= floor, said
