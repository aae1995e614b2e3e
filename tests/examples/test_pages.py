"""The examples of the pages run, one after another, in an empty folder."""

from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs"


def test_pools_that_do_not_fit(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("dask.array")
    monkeypatch.chdir(tmp_path)
    page = (PAGES / "pools.md").read_text(encoding="utf-8")
    found = {}
    for block in page.split("```python\n")[1:]:
        exec(block.split("```")[0], found)
    assert len(set(found["rows"].tolist())) == 5
    assert len(found["querier"].y_labeled_) == 11
    assert "-" in capsys.readouterr().out
