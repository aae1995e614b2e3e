"""What rows are shown as."""

import base64
import io
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from matplotlib import image
from scipy import sparse

from skbadge.labeling.panel._contents import MAX_LINES, content_of, square

EVIL = "<script>alert('&')</script>"


def cells(content):
    return re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", content.to_html())


@pytest.mark.parametrize(
    "row",
    [
        pd.DataFrame({"age": [31], "town": ["Bonn"]}).iloc[0],
        pd.DataFrame({"age": [31], "town": ["Bonn"]}),
        pl.DataFrame({"age": [31], "town": ["Bonn"]}),
        {"age": 31, "town": "Bonn"},
    ],
)
def test_a_row_with_names_is_a_table(row):
    content = content_of(row)
    assert cells(content) == ["age", "31", "town", "Bonn"]
    assert content.to_text() == "age   31\ntown  Bonn"


@pytest.mark.parametrize(
    "row",
    [
        np.array([0.5, 1e-9], np.float32),
        torch.tensor([0.5, 1e-9], requires_grad=True),
        [0.5, 1e-9],
    ],
)
def test_numbers_are_a_table_by_position(row):
    assert cells(content_of(row)) == ["0", "0.5", "1", "1e-09"]


def test_a_sparse_row_shows_what_is_not_zero():
    for row in [sparse.csr_matrix([[0, 5, 0, 7]]), sparse.csr_array([0, 5, 0, 7])]:
        assert cells(content_of(row)) == ["1", "5", "3", "7"]


def test_a_long_table_is_cut_and_says_so():
    content = content_of(np.arange(MAX_LINES + 20))
    assert len(cells(content)) == 2 * MAX_LINES
    assert "and 20 more" in content.to_html()
    assert content.to_text().endswith("and 20 more")


@pytest.mark.parametrize(
    "row", [EVIL, {EVIL: EVIL}, pd.Series({EVIL: EVIL}), np.array([EVIL]), [EVIL]]
)
def test_what_is_in_a_row_is_no_code_of_a_page(row):
    html = content_of(row).to_html()
    assert "<script" not in html
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in html
    assert EVIL in content_of(row).to_text()


def test_a_subclass_of_str_does_not_choose_what_is_shown():
    class Text(str):
        def __html__(self):
            return str(self)

    assert "<script" not in content_of(Text(EVIL)).to_html()


def pixels_on_page(content):
    data = re.search(r"base64,([^\"]+)", content.to_html())[1]
    return image.imread(io.BytesIO(base64.b64decode(data)))


def test_arrays_are_pictures():
    array = np.random.default_rng(0).random((4, 6, 3))
    found = pixels_on_page(content_of(array))
    np.testing.assert_allclose(found[..., :3], array, atol=0.5 / 255 + 1e-6)


def test_a_shape_makes_a_picture_of_flat_numbers():
    row = np.linspace(0, 1, 6)
    found = pixels_on_page(content_of(row, (2, 3)))
    np.testing.assert_allclose(found, row.reshape(2, 3), atol=0.5 / 255 + 1e-6)
    # A row of a frame of pixels has names, which do not matter then.
    named = content_of(pd.Series(row, index=[*"abcdef"]), (2, 3))
    assert np.array_equal(pixels_on_page(named), found)


def test_a_square_is_found():
    assert square(np.zeros(49)) == (7, 7)
    assert square(np.zeros((3, 5))) == (3, 5)
    for row in (np.zeros(50), "text", np.zeros(0)):
        with pytest.raises(ValueError, match=r"Pass the shape of the picture"):
            square(row)


@pytest.mark.parametrize("row", [None, 3, object(), [[1, 2], [3]], np.float64(3)])
def test_other_objects_are_not_known(row):
    assert content_of(row) is None
