"""The examples of the pages run, one after another, in an empty folder."""

from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs"


def run(page):
    """Run the blocks of a page, and return the names they leave."""
    found = {}
    text = (PAGES / page).read_text(encoding="utf-8")
    for block in text.split("```python\n")[1:]:
        exec(block.split("```")[0], found)
    return found


def test_pools_that_do_not_fit(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("dask.array")
    monkeypatch.chdir(tmp_path)
    found = run("pools.md")
    assert len(set(found["rows"].tolist())) == 5
    assert len(found["querier"].y_labeled_) == 11
    assert "-" in capsys.readouterr().out


def test_what_the_features_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run("features.md")
    assert len(set(found["rows"].tolist())) == 20
    apply = found["forest"].apply(found["X"][:2])
    assert found["share"] == pytest.approx((apply[0] == apply[1]).mean())
