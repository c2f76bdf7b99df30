"""PSNR, SSIM and the largest error against literal values."""

import importlib
import math

import numpy as np
import pytest

from hwsim.errors import UsageError
from hwsim.imaging import quality

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
    found = []
    for y, x, c in np.ndindex(a.shape[0] - 6, a.shape[1] - 6, a.shape[2]):
        one, other = a[y:y + 7, x:x + 7, c].ravel(), b[y:y + 7, x:x + 7, c].ravel()
        (va, cov), (_, vb) = np.cov(one, other)
        ma, mb, c1, c2 = one.mean(), other.mean(), (0.01 * peak) ** 2, (0.03 * peak) ** 2
        found.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)))
    return np.mean(found)


@pytest.mark.parametrize("size", [(7, 7, 1), (9, 12, 3)])
def test_ssim_is_the_formula(size):
    pytest.importorskip("skimage.metrics")
    a, b = np.random.default_rng(0).random((2, *size))
    assert quality.ssim(a, b, 1) == pytest.approx(plain_ssim(a, b, 1), abs=1e-12)
    assert quality.ssim(a, a, 1) == pytest.approx(1, abs=1e-12)


def test_bands_change_nothing(monkeypatch):
    pytest.importorskip("skimage.metrics")
    a, b = np.random.default_rng(3).random((2, 23, 9, 3))
    whole = quality.psnr(a, b, 1), quality.ssim(a, b, 1), quality.max_abs_error(a, b)
    monkeypatch.setattr(quality, "CHUNK", 60)
    bands = quality.psnr(a, b, 1), quality.ssim(a, b, 1), quality.max_abs_error(a, b)
    assert bands == pytest.approx(whole, abs=1e-12)


def test_ssim_of_a_tiny_picture_is_none():
    assert quality.ssim(np.zeros((6, 8, 3)), np.zeros((6, 8, 3)), 1) is None


def test_ssim_without_scikit_image_is_none(monkeypatch):
    def absent(name):
        raise ImportError(name)
    monkeypatch.setattr(importlib, "import_module", absent)
    assert quality.ssim(np.zeros(SHAPE), np.zeros(SHAPE), 1) is None
