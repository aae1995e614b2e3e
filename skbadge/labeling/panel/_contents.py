"""What a row looks like: a text, a table or a picture, on a page and in a terminal."""

import base64
from dataclasses import dataclass
from html import escape
from numbers import Real

import numpy as np

from skbadge.labeling.panel._pixels import (
    looks_like_an_image,
    to_characters,
    to_pixels,
    to_png,
)
from skbadge.utils._shown import shown

# Lines of a table that are shown.
MAX_LINES = 100
# Pixels on the page that a small picture is enlarged to, about.
_SIDE = 224


@dataclass(frozen=True)
class TextContent:
    """A text."""

    text: str

    def to_html(self):
        style = "white-space: pre-wrap; overflow-wrap: anywhere; max-width: 70em"
        return f'<div style="{style}">{escape(self.text)}</div>'

    def to_text(self):
        return self.text


@dataclass(frozen=True)
class TableContent:
    """Names and values of a row, as two columns."""

    items: list
    n_more: int = 0

    def to_html(self):
        cell = 'style="text-align: left; padding: 0 1em 0 0; vertical-align: top"'
        lines = "".join(
            f"<tr><th {cell}>{escape(name)}</th><td {cell}>{escape(value)}</td></tr>"
            for name, value in self.items
        )
        more = f"<div>... and {self.n_more} more</div>" if self.n_more else ""
        return f"<table>{lines}</table>{more}"

    def to_text(self):
        width = max((len(name) for name, _ in self.items), default=0)
        lines = [f"{name:<{width}}  {value}" for name, value in self.items]
        return "\n".join(lines + [f"... and {self.n_more} more"] * bool(self.n_more))


@dataclass(frozen=True)
class ImageContent:
    """A picture."""

    pixels: np.ndarray

    def to_html(self):
        height, width = self.pixels.shape[:2]
        factor = max(1, _SIDE // max(height, width, 1))
        data = base64.b64encode(to_png(self.pixels)).decode("ascii")
        style = "image-rendering: pixelated; max-width: 100%"
        size = f'width="{width * factor}" style="{style}"'
        return f'<img alt="the row" {size} src="data:image/png;base64,{data}">'

    def to_text(self):
        return to_characters(self.pixels)


def content_of(row, shape=None):
    """What a row is shown as, or None for an object of no kind that is known.

    Parameters
    ----------
    row : object
        A text; a row of a data frame, or a frame with one row; a dict; a row of
        numbers, as an array, a tensor, a list or a sparse array; an array of height by
        width, with one, three or four channels last or first.

    shape : tuple of int or None, default=None
        That an array of numbers is a picture of this shape.
    """
    if isinstance(row, str):
        return TextContent(str(row))
    if shape is None and (items := _named(row)) is not None:
        return _table(items)
    array = _as_array(row)
    if array is None:
        return None
    if shape is not None:
        return ImageContent(to_pixels(array.reshape(shape)))
    if looks_like_an_image(array):
        return ImageContent(to_pixels(array))
    if array.ndim != 1:
        return TextContent(f"{shown(row)}\n{array}")
    return _table(enumerate(array.tolist()))


def square(row):
    """The shape of a picture: that of the array, or a square of as many pixels."""
    array = _as_array(row)
    if array is not None and looks_like_an_image(array):
        return array.shape
    size = 0 if array is None else array.size
    side = round(size**0.5)
    if side * side != size or not size:
        raise ValueError(
            "render='image' takes arrays of height by width, with channels of colour "
            "or without, and rows of as many numbers as a square has pixels. Got "
            f"{shown(row)}. Pass the shape of the picture: render=(height, width)."
        )
    return side, side


def _named(row):
    """Names and values of a row with names, or None."""
    if isinstance(row, dict):
        return row.items()
    if hasattr(row, "columns") and hasattr(row, "shape"):
        # A frame of pandas or polars with one row.
        return [(name, row[name].to_list()[0]) for name in row.columns]
    if hasattr(row, "index") and hasattr(row, "items"):
        return row.items()
    if hasattr(row, "tocoo"):
        found = row.tocoo()
        return zip(found.col.tolist(), found.data.tolist(), strict=True)
    return None


def _table(items):
    texts = [(str(name), _text_of(value)) for name, value in items]
    return TableContent(texts[:MAX_LINES], max(0, len(texts) - MAX_LINES))


def _text_of(value):
    # Seven digits are what float32 has.
    is_fraction = isinstance(value, Real) and not isinstance(value, int | np.integer)
    return f"{value:.7g}" if is_fraction else str(value)


def _as_array(row):
    """Numbers or texts as an array, or None. A tensor may be on a device."""
    if hasattr(row, "detach"):
        row = row.detach().cpu()
    if not isinstance(row, list | tuple) and not hasattr(row, "__array__"):
        return None
    try:
        array = np.asarray(row)
    except ValueError:
        # Lists of unequal lengths.
        return None
    return array if array.ndim else None
