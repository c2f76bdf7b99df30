"""How the counters of parts of a node become those of the node, by literal values."""
import numpy as np

from hwsim.engine.result import AccEvent, LayerStats, merge


def event(layer="y", n=0, oy=0, value=0):
    return AccEvent(layer, n, 0, oy, 0, 0, 0, 0, 0, 0, value)


def stats(events, first, low, high, clamped):
    return LayerStats(events, first, np.array(low), np.array(high), clamped)


def test_bands_of_the_same_channels():
    merged = merge([stats(2, None, [-3, 5], [4, 6], 1), stats(1, None, [-1, -7], [9, 6], 10)])
    assert (merged.events, merged.first, merged.clamped) == (3, None, 11)
    assert (merged.observed_min.tolist(), merged.observed_max.tolist()) == ([-3, -7], [9, 6])


def test_layers_that_fill_their_own_channels():
    left, right = stats(0, None, [-3], [4], 0), stats(0, None, [5, 6], [7, 8], 0)
    merged = merge([left.on_channels(slice(0, 1), 3), right.on_channels(slice(1, 3), 3)])
    assert (merged.observed_min.tolist(), merged.observed_max.tolist()) == ([-3, 5, 6], [4, 7, 8])
    assert merged.observed_min.dtype == np.int64
    assert LayerStats(clamped=3).on_channels(slice(0, 1), 3).observed_min is None


def test_the_first_event_is_that_of_the_first_part_or_the_least():
    early, late = event(oy=1), event(oy=7)
    parts = [LayerStats(), LayerStats(first=late), LayerStats(first=early)]
    assert merge(parts).first is late
    assert merge(parts, order=lambda e: e.oy).first is early
    assert merge(parts[:2], order=None).first is late
    assert merge([LayerStats(), LayerStats()], order=lambda e: e.oy).first is None


def test_the_order_is_not_asked_for_a_single_event():
    """To rank events an array layer must be cut, which most bands do without."""
    assert merge([LayerStats(first=event()), LayerStats()], order=None).first == event()
    assert merge([LayerStats(first=event()), LayerStats()], order=lambda e: 1 // 0).first == event()


def test_a_counter_that_a_part_lacks_is_unknown():
    merged = merge([stats(2, None, [0], [0], 1), LayerStats(clamped=4)])
    assert (merged.events, merged.observed_min, merged.observed_max, merged.clamped) == (None, None, None, 5)
