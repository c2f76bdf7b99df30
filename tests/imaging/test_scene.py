"""The built-in scene is the same bits everywhere, at every size."""

import hashlib

import numpy as np
import pytest

from hwsim.errors import UsageError
from hwsim.imaging.scene import scene, scene_codes

DIGESTS = {
    (512, 512, 3): "2080d2cf85e6352f06e3e96497892bbafc586760c3ff8f0a7683152b5081e5e9",
    (512, 512, 1): "4ba02df7a2417d40b9630e9a95981d48094fa859298f6e7b01206449823d8cdb",
    (40, 56, 3): "51366ac1415d2384e3f33bb88d2547d5c99b7c1047344b5a09c398faa9964e18",
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
    assert codes.min() < 64 and codes.max() > 940
    assert (np.ptp(codes, axis=-1) > 300).mean() > 0.1              # a tenth of it is strongly coloured


@pytest.mark.parametrize("size", [(0, 8, 3), (8, 8, 2)])
def test_illegal_size(size):
    line = "^a scene must be at least 1x1 pixels of 1 or 3 channels, not {}x{}x{}$".format(*size)
    with pytest.raises(UsageError, match=line):
        scene(*size)
