"""The built-in scene is the same bits everywhere, at every size."""

import hashlib

import numpy as np
import pytest

from hwsim.errors import UsageError
from hwsim.imaging.scene import scene, scene_codes

DIGESTS = {
    (512, 512, 3): "c824cb283038ccbe02caeb8b6d802e04b8407724454fdec36750522063c705c3",
    (512, 512, 1): "3fc7ea61f5c18c1cf14e85c6b0bdc9448670d2bc0df30a541f7f331f3c1af5c5",
    (40, 56, 3): "be201f20024a35179f5ac31159e778d20c4fd9ef49d7d0bd2b1aac78c4b82e1a",
}


@pytest.mark.parametrize("size", DIGESTS)
def test_same_bits(size):
    assert hashlib.sha256(scene_codes(*size).astype("<i8").tobytes()).hexdigest() == DIGESTS[size]


@pytest.mark.parametrize("size", [(1, 1, 3), (1, 300, 1), (130, 2, 3), (65, 64, 3)])
def test_every_size_is_in_range(size):
    picture = scene(*size)
    assert picture.shape == size and picture.dtype == np.float64
    assert picture.min() >= 0 and picture.max() <= 1
    np.testing.assert_array_equal(np.rint(picture * 1023) / 1023, picture)


def test_the_default_is_a_colour_picture_that_uses_the_range():
    codes = scene_codes()
    assert codes.shape == (512, 512, 3)
    assert codes.min() < 64 and codes.max() > 960
    assert (np.ptp(codes, axis=-1) > 300).mean() > 0.1              # a tenth of it is strongly coloured


@pytest.mark.parametrize("size", [(0, 8, 3), (8, 8, 2)])
def test_illegal_size(size):
    line = "^a scene must be at least 1x1 pixels of 1 or 3 channels, not {}x{}x{}$".format(*size)
    with pytest.raises(UsageError, match=line):
        scene(*size)
