"""How a query report looks in a notebook."""

from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier, QueryReport
from skbadge.exceptions import QueryWarning


def make_report(n=3, **changes):
    rows = np.arange(n)[::-1] + 40
    parts = {
        "strategy": "Badge()",
        "n_pool": 500,
        "n_candidates": 500,
        "rows": rows,
        "values": rows / 4,
        "value_name": "squared distance",
        "norms": rows * 2.0,
        "fallbacks": (),
        "seconds": {"outputs": 0.25, "select": 0.5},
        "nbytes": 3_000_000,
    }
    return QueryReport(**(parts | changes))


def read(report):
    """Title, facts and picks, as a browser would find them: well-formed or an error."""
    page = ElementTree.fromstring(f"<div>{report._repr_html_()}</div>")
    lines = [
        [["".join(cell.itertext()) for cell in line] for line in table.iter("tr")]
        for table in page.iter("table")
    ]
    facts, picks = (*lines, [])[:2]
    notes = ["".join(note.itertext()) for note in page.iter("p")]
    return notes, dict(facts), picks


def test_a_report_shows_what_it_cost_and_every_pick_with_what_it_was_picked_for():
    notes, facts, picks = read(make_report())
    assert notes == ["3 of 500 rows by Badge()"]
    assert facts == {
        "time": "outputs 0.25 s, select 0.5 s",
        "memory": "3 MB",
        "squared distance": "10 to 10.5",
        "norm": "80 to 84",
    }
    assert picks == [
        ["pick", "row", "squared distance", "norm"],
        ["1", "42", "10.5", "84"],
        ["2", "41", "10.2", "82"],
        ["3", "40", "10", "80"],
    ]


def test_many_picks_are_cut_and_counted():
    notes, _, picks = read(make_report(n=25))
    assert [line[1] for line in picks[1:]] == [str(row) for row in range(64, 54, -1)]
    assert notes[-1] == "and 15 more"
    notes, _, picks = read(make_report(n=10))
    assert len(picks) == 11
    assert len(notes) == 1


def test_what_a_strategy_does_not_measure_is_not_shown():
    _, facts, picks = read(make_report(values=None, norms=None))
    assert facts.keys() == {"time", "memory"}
    assert picks[0] == ["pick", "row"]
    assert picks[1] == ["1", "42"]


def test_nothing_selected_is_no_table():
    empty = np.empty(0)
    report = make_report(n=0, values=empty, norms=empty)
    notes, facts, picks = read(report)
    assert notes == ["0 of 500 rows by Badge()"]
    assert facts.keys() == {"time", "memory"}
    assert picks == []


def test_names_of_functions_do_not_end_up_as_tags():
    report = make_report(
        strategy="<lambda>", value_name="<b>", fallbacks=("1 < 2 & more",)
    )
    notes, facts, picks = read(report)
    assert notes == ["3 of 500 rows by <lambda>"]
    assert facts["fallback"] == "1 < 2 & more"
    assert picks[0][2] == "<b>"


def test_a_report_names_itself_in_one_line():
    assert repr(make_report(n=400)) == "<QueryReport: 400 of 500 rows by Badge()>"


@pytest.fixture
def querier():
    X = np.random.RandomState(0).normal(size=(60, 4))
    return BadgeQuerier(LogisticRegression(), random_state=0).fit(X, X[:, 0] > 0)


def test_a_query_reports_its_fallbacks(querier):
    with pytest.warns(QueryWarning):
        _, report = querier.query(np.ones((30, 4)), 6, return_report=True)
    _, facts, picks = read(report)
    assert facts["fallback"] == report.fallbacks[-1]
    assert [line[1] for line in picks[1:]] == [str(row) for row in report.rows]


def test_diversity_is_shown_once_it_was_asked_for(querier):
    pool = np.random.RandomState(1).normal(size=(50, 4))
    _, report = querier.query(pool, 5, return_report=True)
    assert "diversity" not in read(report)[1]
    diversity = str(report.diagnostics)
    assert read(report)[1]["diversity"] == diversity


def test_a_querier_is_drawn_with_its_estimator(querier):
    html = querier._repr_html_()
    assert "BadgeQuerier" in html
    assert "LogisticRegression" in html
