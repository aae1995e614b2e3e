"""The examples of the pages run, one after another, in an empty folder."""

import re
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from skbadge.__main__ import main
from skbadge.exceptions import QueryWarning

PAGES = Path(__file__).parents[2] / "docs"


def run(page, alone=()):
    """Run the blocks of a page, and return the names they leave.

    Those of the sections ``alone`` do not see what came before.
    """
    found, missing = {}, set(alone)
    text = (PAGES / page).read_text(encoding="utf-8")
    for section in re.split(r"^#{2,3} ", text, flags=re.MULTILINE):
        heading = section.partition("\n")[0]
        missing.discard(heading)
        names = {} if heading in alone else found
        for block in section.split("```python\n")[1:]:
            exec(block.split("```")[0], names)
        found.update(names)
    assert not missing, f"{page} lost the sections {missing}"
    return found


def test_pools_that_do_not_fit(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("dask.array")
    monkeypatch.chdir(tmp_path)
    found = run("pools.md", alone=["Dask"])
    assert len(set(found["rows"].tolist())) == 5
    printed = capsys.readouterr().out
    assert len(re.findall(r"'[012]-\d+'", printed)) == 5
    assert len(re.findall("Rome|Oslo|Lima", printed)) == 5


def test_what_the_features_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sections = ["A mixed table", "Texts", "Images", "Several inputs", "Leaves"]
    found = run("features.md", alone=[*sections, "Posterior samples"])
    assert len(set(found["rows"].tolist())) == 20
    apply = found["forest"].apply(found["X"][:2])
    assert found["share"] == pytest.approx((apply[0] == apply[1]).mean())


def test_which_strategy_when(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.warns(QueryWarning, match="No model is trained yet"):
        found = run("strategies.md")
    assert len(set(found["rows"].tolist())) == 10
    assert "selected by the rows alone" in capsys.readouterr().out
    assert set(found["result"].to_frame()["strategy"]) == {
        "uncertainty_herding",
        "margin",
        "random",
    }


def test_how_good_the_model_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("monitoring.md")
    assert len(found["querier"].y_labeled_) == 180
    assert found["assessment"].overall.estimate > 0.85
    printed = capsys.readouterr().out
    assert len(found["monitor"].rounds) == 4
    page = (PAGES / "monitoring.md").read_text(encoding="utf-8")
    assert found["advice"].stop
    forecast = found["monitor"].forecast(0.04, random_state=0)
    several = ("monitor", "advice", "by_batches", "large", "tiny")
    for shown in (forecast, *(found[name] for name in several)):
        assert f"```text\n{shown}\n```" in page
    assert found["large"].verdict == "better"
    assert found["tiny"].verdict == "no difference that matters"
    assert "59 of 1317 rows" in printed
    assert "those that 300 rows were drawn from" in printed


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("monitoring_study", "measured"),
        ("monitoring_stopping", "stopping"),
        ("monitoring_forecast", "forecasts"),
        ("monitoring_random", "random"),
    ],
)
def test_the_tables_of_monitoring_are_those_of_the_results(monkeypatch, name, mark):
    monkeypatch.syspath_prepend(PAGES.parent / "examples" / "benchmarks")
    study = import_module(name)
    text = (PAGES / "monitoring.md").read_text(encoding="utf-8")
    found = text.partition(f"<!-- {mark} -->")[2].partition(f"<!-- end of {mark}")[0]
    assert found.strip() == study.tables(pd.read_csv(study.RESULTS)).strip()


@pytest.mark.filterwarnings("error:.* rows that may be selected equal labelled ones")
def test_labelling_sessions(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("labeling.md", alone=["Images", "A mixed table"])
    assert [task.id for task in found["again"].next(3)] == found["asked"]
    imported = found["imported"]
    assert (imported.n_new, len(imported.refused)) == (5, 1)
    assert len(found["read_labels"]("customers.sqlite")) > 30
    assert "1 refused" in capsys.readouterr().out
    for name in ("images", "again"):
        found[name].close()


def test_the_first_query(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.warns(QueryWarning, match="No model is trained yet"):
        found = run("start.md")
    assert "80 labels, 0.9" in capsys.readouterr().out
    assert len(set(found["rows"].tolist())) == 5


def test_the_first_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(set(run("index.md")["rows"].tolist())) == 20


def test_experiments_and_statistics(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("experiments.md")
    assert found["frame"].groupby("strategy").size().to_dict() == {
        "badge": 25,
        "margin": 25,
        "random": 25,
    }
    # Two strategies are compared with random.
    assert "p_adjusted" in capsys.readouterr().out
    assert (tmp_path / "curves.sqlite").is_file()
    page = (PAGES / "experiments.md").read_text(encoding="utf-8")
    grid = page.partition("```toml\n")[2].partition("```")[0]
    Path("grid.toml").write_text(grid, encoding="utf-8")
    commands = page.partition("```bash\nskbadge ")[2].partition("\n```")[0]
    for command in commands.split("\nskbadge "):
        assert not main(command.split())
    assert (tmp_path / "report" / "report.html").is_file()


def test_regression(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("regression.md")
    assert len(set(found["rows"].tolist())) == 10
    assert "Errors divided by those of 'random'" in capsys.readouterr().out


def test_gpu(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(set(run("gpu.md")["rows"].tolist())) == 20


def test_how_it_works(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("how_it_works.md")
    assert capsys.readouterr().out.startswith("(1697, 640)")
    assert len(set(found["rows"].tolist())) == 10


def test_strategies_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("writing_a_strategy.md")
    # One row of each of the ten predicted classes.
    assert capsys.readouterr().out == "[1 1 1 1 1 1 1 1 1 1]\n"
    assert found["report"].strategy == "Balanced()"


def test_all_pages_with_examples_are_run_here():
    source = Path(__file__).read_text(encoding="utf-8")
    for page in PAGES.glob("*.md"):
        if "```python" in page.read_text(encoding="utf-8"):
            assert f'run("{page.name}"' in source, page.name
