"""PSNR, SSIM and the largest error against literal values."""

import math

import numpy as np
import pytest

from hwsim.errors import UsageError
from hwsim.imaging import quality, ssim

SHAPE = (8, 8, 3)


@pytest.mark.parametrize("difference, peak, expected", [(0.1, 1.0, 20.0), (1, 1023, 60.19751), (1, 255, 48.13080),
                                                        (-2, 2, 0.0)])
def test_psnr_of_a_constant_difference(difference, peak, expected):
    a = np.zeros(SHAPE)
    assert quality.psnr(a, a + difference, peak) == pytest.approx(expected, abs=1e-5)


def test_psnr_is_over_all_values():
    a, b = np.zeros(SHAPE), np.zeros(SHAPE)
    b[0, 0, 0] = 1                                                  # mse = 1/192
    assert quality.psnr(a, b, 1) == pytest.approx(10 * math.log10(192))


def test_psnr_of_equal_pictures_is_infinite():
    assert quality.psnr(np.ones(SHAPE), np.ones(SHAPE), 1) == math.inf


def test_unsigned_codes_do_not_wrap():
    a, b = np.full(SHAPE, 5, np.uint8), np.full(SHAPE, 200, np.uint8)
    assert quality.max_abs_error(a, b) == 195
    assert quality.psnr(a, b, 195) == 0


@pytest.mark.parametrize("a, b", [((2, 2, 1), (2, 2, 3)), ((0, 2, 1), (0, 2, 1))])
def test_shapes_must_agree(a, b):
    with pytest.raises(UsageError, match="^pictures to compare must have one shape and at least one value, not "):
        quality.psnr(np.zeros(a), np.zeros(b), 1)


def plain_ssim(a, b, peak):
    """The formula, window by window."""
    channels = []
    for y, x, c in np.ndindex(a.shape[0] - 6, a.shape[1] - 6, a.shape[2]):
        one, other = a[y:y + 7, x:x + 7, c].ravel(), b[y:y + 7, x:x + 7, c].ravel()
        (va, cov), (_, vb) = np.cov(one, other)
        ma, mb, c1, c2 = one.mean(), other.mean(), (0.01 * peak) ** 2, (0.03 * peak) ** 2
        channels.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)))
    return np.mean(channels)


@pytest.mark.parametrize("size", [(7, 7, 1), (9, 12, 3)])
def test_ssim_is_the_formula(size):
    a, b = np.random.default_rng(0).random((2, *size))
    assert quality.ssim(a, b, 1) == pytest.approx(plain_ssim(a, b, 1), abs=1e-12)
    assert quality.ssim(a, a, 1) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("size", [(7, 7, 1), (8, 300, 3), (131, 70, 3), (40, 9, 1)])
@pytest.mark.parametrize("peak, offset", [(1, 0), (1023, 0), (1, -0.5), (2, 100)])
def test_ssim_is_that_of_scikit_image(size, peak, offset):
    metrics = pytest.importorskip("skimage.metrics")
    a, noise = np.random.default_rng(1).random((2, *size)) * peak
    a, b = a + offset, a + 0.1 * noise + offset
    expected = metrics.structural_similarity(a, b, data_range=peak, channel_axis=-1, win_size=7)
    assert quality.ssim(a, b, peak) == pytest.approx(expected, abs=1e-12 * max(1, (offset / peak) ** 2))


def test_ssim_of_codes_is_that_of_their_real_values():
    a, b = np.random.default_rng(2).integers(0, 256, (2, 9, 9, 3)).astype(np.uint8)
    assert quality.ssim(a, b, 255) == quality.ssim(a.astype(float), b.astype(float), 255)


def test_bands_change_nothing(monkeypatch):
    a, b = np.random.default_rng(3).random((2, 23, 9, 3))
    at_once = quality.psnr(a, b, 1), quality.ssim(a, b, 1), quality.max_abs_error(a, b)
    monkeypatch.setattr(quality, "CHUNK", 60)
    monkeypatch.setattr(ssim, "BAND_VALUES", 60)
    bands = quality.psnr(a, b, 1), quality.ssim(a, b, 1), quality.max_abs_error(a, b)
    assert bands == pytest.approx(at_once, abs=1e-12)


def test_ssim_of_a_tiny_picture_is_none():
    assert quality.ssim(np.zeros((6, 8, 3)), np.zeros((6, 8, 3)), 1) is None
