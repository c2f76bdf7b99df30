"""Ranges by maximum, percentile and least squared error, against direct definitions over all values at once."""
import numpy as np
import pytest

from hwsim.quantization.observers import MaxObserver, MseObserver, PercentileObserver


def seen(observer, *parts):
    for part in parts:
        observer.see(np.asarray(part, float))
    return observer.amax()


@pytest.mark.parametrize("kind", [MaxObserver, PercentileObserver, MseObserver])
def test_nothing_and_zeros(kind):
    assert kind(7).amax() == 0
    assert seen(kind(7), np.zeros((2, 3))) == 0


def test_max_looks_at_both_ends():
    assert seen(MaxObserver(7), [1, -5], [3, 4]) == 5


@pytest.mark.parametrize("count", [1, 2, 16, 10_000, 10_001, 54_321])
def test_percentile_is_numpys(count):
    values = np.random.default_rng(count).normal(size=count)
    found = seen(PercentileObserver(7), *np.array_split(values, 5))
    assert np.float32(found) == np.float32(np.percentile(np.abs(values), 99.99))


def test_percentile_stays_exact_when_values_are_dropped(monkeypatch):
    monkeypatch.setattr(PercentileObserver, "KEPT", 100)
    values = np.random.default_rng(1).normal(size=300_000)
    for parts in (np.array_split(values, 7), np.array_split(np.sort(np.abs(values))[::-1], 7)):
        observer = PercentileObserver(7)
        assert np.float32(seen(observer, *parts)) == np.float32(np.percentile(np.abs(values), 99.99))
        assert observer.exact


def test_percentile_past_its_memory_is_an_upper_bound(monkeypatch):
    monkeypatch.setattr(PercentileObserver, "KEPT", 10)
    values = np.random.default_rng(1).normal(size=300_000)
    observer = PercentileObserver(7)
    assert seen(observer, values) > np.percentile(np.abs(values), 99.99)
    assert not observer.exact


def direct_mse(values, levels):
    """The best of 100 steps, with the values themselves."""
    largest, best = np.abs(values).max(), None
    for step in range(100, 0, -1):
        scale = largest * step / 100 / levels
        error = np.sum((values - np.clip(np.rint(values / scale), -levels, levels) * scale) ** 2)
        if best is None or error < best[0]:
            best = error, largest * step / 100
    return best[1]


@pytest.mark.parametrize("levels", [1, 3, 7, 127])
def test_mse_finds_the_direct_answer(levels):
    values = np.random.default_rng(levels).laplace(size=5000)
    assert seen(MseObserver(levels), *np.array_split(values, 4)) == direct_mse(values, levels)


def test_mse_keeps_an_exact_grid():
    assert seen(MseObserver(7), np.arange(-7, 8)) == 7


def test_the_order_of_images_is_free():
    values = [np.random.default_rng(n).normal(size=500) * 4.0**n for n in range(5)]
    for kind in (MaxObserver, PercentileObserver, MseObserver):
        assert seen(kind(7), *values) == seen(kind(7), *reversed(values))
