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


def test_ssim_with_scikit_image():
    pytest.importorskip("skimage.metrics")
    a = np.random.default_rng(0).random((16, 16, 3))
    assert quality.ssim(a, a, 1) == pytest.approx(1)
    assert 0 < quality.ssim(a, a * 0.8, 1) < 1


def test_ssim_of_a_tiny_picture_is_none():
    assert quality.ssim(np.zeros((6, 8, 3)), np.zeros((6, 8, 3)), 1) is None


def test_ssim_without_scikit_image_is_none(monkeypatch):
    def absent(name):
        raise ImportError(name)
    monkeypatch.setattr(importlib, "import_module", absent)
    assert quality.ssim(np.zeros(SHAPE), np.zeros(SHAPE), 1) is None
