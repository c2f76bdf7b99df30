"""Output memory is used again, and never while anything still shows it."""
import gc

import numpy as np

from hwsim.engine.host.memory import KEPT, LARGE, Arena

SHAPE = (1, LARGE // 4, 2)


def address(array):
    return array.ctypes.data


def test_a_dead_array_is_used_again():
    arena = Arena()
    first = arena.empty(SHAPE, np.int32)
    where = address(first)
    del first
    gc.collect()
    assert address(arena.empty(SHAPE, np.int32)) == where


def test_a_view_keeps_its_memory():
    arena = Arena()
    first = arena.empty(SHAPE, np.int32)
    view = first.reshape(-1)[5:].view(np.uint32)[::2]
    view[:], where = 7, address(first)
    del first
    gc.collect()
    other = arena.empty(SHAPE, np.int32)
    other[:] = 1
    assert address(other) != where and (view == 7).all()
    del view
    gc.collect()
    assert address(arena.empty(SHAPE, np.int32)) == where


def test_arrays_are_ordinary():
    array = Arena().empty((2, 3, LARGE), np.int32)
    assert array.shape == (2, 3, LARGE) and array.dtype == np.int32 and array.flags.c_contiguous and array.flags.writeable
    assert Arena().empty((2, 2), np.int32).base is None


def test_little_is_kept():
    arena = Arena()
    for size in (KEPT // 2, KEPT // 2 - 4096, KEPT // 2 + 4096, KEPT * 2):
        arena.empty((size,), np.uint8)
        gc.collect()
        assert sum(block.size for block in arena._free) <= KEPT
