"""The bilinear baseline on pictures whose answer is known, and its recorded PSNRs."""

import numpy as np
import pytest
from helpers.shared_data import DATA, needs_data

from hwsim.errors import UsageError
from hwsim.imaging.cfa import PATTERNS, mosaic
from hwsim.imaging.demosaic import bilinear
from hwsim.imaging.quality import psnr

BAYER = [name for name in PATTERNS if name != "rgbw"]
INNER = np.s_[4:-4, 4:-4]

# dB over the halved 10-bit pictures, RGBW, 4-pixel border cut off: the baseline column of models/README.md.
RECORDED = {17: 27.31, 18: 24.41, 19: 23.88, 20: 26.53, 21: 24.54, 22: 26.70, 23: 28.21, 24: 23.80}


def ramp(height, width):
    """R rises to the right, G downwards, B falls along both; integers in 0..1023."""
    y, x = np.mgrid[:height, :width]
    return np.stack([100 + 8 * x, 200 + 8 * y, 900 - 8 * x - 4 * y], axis=-1)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("size", [(4, 4), (9, 14), (32, 24)])
def test_a_constant_is_exact_up_to_the_border(name, size):
    rgb = np.broadcast_to(np.array([300, 600, 900]), (*size, 3))
    np.testing.assert_allclose(bilinear(mosaic(rgb, PATTERNS[name]), PATTERNS[name]), rgb, rtol=1e-14)


@pytest.mark.parametrize("name", BAYER)
def test_a_ramp_behind_bayer_is_exact_inside(name):
    rgb = ramp(32, 24)
    guess = bilinear(mosaic(rgb, PATTERNS[name]), PATTERNS[name])
    np.testing.assert_allclose(guess[INNER], rgb[INNER], rtol=1e-14)


def test_a_ramp_behind_rgbw_is_off_by_less_than_one_pixel_of_slope():
    # The nearest sites of a colour lie to one side, so the weighted mean is drawn there.
    rgb = ramp(32, 32)
    guess = bilinear(mosaic(rgb, PATTERNS["rgbw"]), PATTERNS["rgbw"])
    assert np.abs(guess - rgb)[INNER].max() < 8
    assert np.abs((guess - rgb)[INNER].mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("name", PATTERNS)
def test_measured_values_stay(name):
    rgb = ramp(12, 12)
    frame = mosaic(rgb, PATTERNS[name])
    again = bilinear(frame, PATTERNS[name])
    for channel, letter in enumerate("RGB"):
        kept = np.array([[PATTERNS[name][y % len(PATTERNS[name])][x % len(PATTERNS[name][0])] == letter
                          for x in range(12)] for y in range(12)])
        np.testing.assert_array_equal(again[..., channel][kept], frame[..., 0][kept])


def test_a_frame_smaller_than_the_pattern():
    with pytest.raises(UsageError, match=r"^a mosaic must show every colour \(at least 2x2 pixels\), not \(2, 1\)$"):
        bilinear(np.zeros((1, 2, 1)), PATTERNS["rggb"])


def test_a_colour_picture_is_no_mosaic():
    with pytest.raises(UsageError, match=r"^a mosaic must be \(H,W,1\), not \(4, 4, 3\)$"):
        bilinear(np.zeros((4, 4, 3)), PATTERNS["rggb"])


@needs_data("kodak")
@pytest.mark.parametrize("number", RECORDED)
def test_recorded_psnr(number):
    pil = pytest.importorskip("PIL.Image")
    rgb = np.asarray(pil.open(DATA / "kodak" / f"kodim{number}.png")).astype(np.int64)
    rgb = rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2]
    guess = bilinear(mosaic(rgb, PATTERNS["rgbw"]), PATTERNS["rgbw"])
    assert round(psnr(guess[INNER], rgb[INNER], 1023), 2) == RECORDED[number]
