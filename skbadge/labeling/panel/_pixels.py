"""Arrays of numbers as pictures: for a page, and for a terminal."""

import struct
import zlib

import numpy as np

# Colour types of PNG, by the number of channels.
_COLOR_TYPES = {1: 0, 3: 2, 4: 6}
_INK = " .:-=+*#%@"


def looks_like_an_image(array):
    """Whether it is of height by width, with channels of colour last or first."""
    has_colors = array.ndim == 3 and {array.shape[0], array.shape[2]} & {*_COLOR_TYPES}
    return array.dtype.kind in "buif" and (array.ndim == 2 or bool(has_colors))


def to_pixels(array):
    """Brightness from 0 to 255, uint8, of shape (height, width, 1, 3 or 4).

    Floats from 0 to 1 are taken as they are, and so are numbers of type uint8. Others
    are stretched, so that the least is black and the greatest white.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.shape[2] not in _COLOR_TYPES:
        array = np.moveaxis(array, 0, 2)
    if array.dtype == np.uint8:
        return array
    values = np.nan_to_num(array.astype(float), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if array.dtype.kind in "ui" or low < 0 or high > 1:
        values = (values - low) / max(high - low, 1e-300)
    return np.rint(values * 255).astype(np.uint8)


def to_png(pixels):
    """The bytes of a PNG file."""
    height, width, n_channels = pixels.shape
    # 8 bits a channel; compression, filter and interlacing are those there are.
    header = struct.pack(
        ">IIBBBBB", width, height, 8, _COLOR_TYPES[n_channels], 0, 0, 0
    )
    # Each line begins with the number of its filter: 0, for none.
    lines = np.zeros((height, 1 + width * n_channels), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    parts = [
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes())),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name, data):
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def to_characters(pixels, width=64):
    """A drawing in letters, at most ``width`` of them wide."""
    # Transparency is no brightness.
    gray = pixels[:, :, :3].mean(axis=2)
    step = -(-gray.shape[1] // (width // 2))
    ink = (gray[::step, ::step] * (len(_INK) - 1) / 255).astype(int)
    # A letter is about twice as high as it is wide.
    return "\n".join("".join(_INK[i] * 2 for i in line).rstrip() for line in ink)
