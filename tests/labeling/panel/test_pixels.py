"""Arrays as pictures."""

import io

import numpy as np
import pytest
from matplotlib import image

from skbadge.labeling.panel._pixels import (
    looks_like_an_image,
    to_characters,
    to_pixels,
    to_png,
)


@pytest.mark.parametrize("n_channels", [1, 3, 4])
def test_another_program_reads_the_same_pixels(n_channels):
    shape = 5, 7, n_channels
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    read = image.imread(io.BytesIO(to_png(pixels)))
    assert np.array_equal(np.rint(read.reshape(shape) * 255), pixels)


def test_channels_may_come_first_or_last():
    array = np.random.default_rng(0).integers(0, 256, (3, 5, 7)).astype(np.uint8)
    last = np.moveaxis(array, 0, 2)
    assert np.array_equal(to_pixels(array), last)
    assert np.array_equal(to_pixels(last), last)
    assert to_pixels(array[:1]).shape == (5, 7, 1)


@pytest.mark.parametrize(
    ("numbers", "brightness"),
    [
        (np.array([[0, 51]], np.uint8), [0, 51]),
        (np.array([[0.0, 0.2]]), [0, 51]),
        (np.array([[False, True]]), [0, 255]),
        (np.array([[0, 16]]), [0, 255]),
        (np.array([[-1.0, 0.0, 1.0]]), [0, 128, 255]),
        (np.array([[0.0, 510.0, 1020.0, np.nan]]), [0, 128, 255, 0]),
        (np.array([[7, 7]]), [0, 0]),
    ],
)
def test_numbers_become_brightness(numbers, brightness):
    assert to_pixels(numbers)[0, :, 0].tolist() == brightness


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        *(((5,), False), ((5, 7), True), ((5, 7, 3), True), ((1, 5, 7), True)),
        *(((5, 7, 6), False), ((2, 3, 5, 7), False)),
    ],
)
def test_which_arrays_are_pictures(shape, expected):
    assert looks_like_an_image(np.zeros(shape)) is expected
    assert not looks_like_an_image(np.full(shape, "text"))


def test_a_wide_picture_is_drawn_smaller():
    lines = to_characters(np.full((100, 200, 3), 255, np.uint8)).splitlines()
    assert 40 < max(map(len, lines)) <= 64
    assert len(lines) == pytest.approx(max(map(len, lines)) / 4, abs=2)
    assert to_characters(np.zeros((2, 2, 1), np.uint8)) == "\n"
