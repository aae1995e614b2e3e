"""Normalised errors and their distribution, against tables written out."""

import numpy as np
import pandas as pd
import pytest

from skbadge.inspection import normalized_error_cdf, penalty_matrix
from tests.inspection._frames import constant, frame_of, noisy_frame

SPREAD = np.array([-0.01, 0.01])[:, None]


@pytest.fixture
def miniature():
    """Two settings, of three budgets and of one."""
    letter = {
        "random": constant(0.4, 0.5, 0.6, 0.8, 0.8) + SPREAD,
        "badge": constant(0.4, 0.6, 0.8, 0.8, 0.8) + SPREAD,
    }
    digits = {
        "random": constant(0.2, 0.6, 0.6) + SPREAD,
        "badge": constant(0.2, 0.7, 0.6) + 2 * SPREAD,
    }
    return pd.concat(
        [
            frame_of(letter, [100, 200, 300, 500, 900], dataset="letter"),
            frame_of(digits, [100, 200, 300], dataset="digits"),
        ]
    )


def test_a_miniature_of_the_definition_of_the_paper(miniature):
    result = normalized_error_cdf(miniature)
    assert result.strategies == ["badge", "random"]
    rows = result.errors[result.errors["strategy"] == "badge"]
    rows = rows.set_index(["dataset", "n_labeled"])
    # Errors over errors: 0.3 / 0.4 in digits; 0.4 / 0.5, 0.2 / 0.4, 0.2 / 0.2.
    expected = {("digits", 200): 0.75, ("letter", 200): 0.8}
    expected |= {("letter", 300): 0.5, ("letter", 500): 1.0}
    assert rows["normalized_error"].to_dict() == pytest.approx(expected)
    weights = {("digits", 200): 1 / 2} | {("letter", n): 1 / 6 for n in (200, 300, 500)}
    assert rows["weight"].to_dict() == pytest.approx(weights)
    x, p = result.cdf("badge")
    np.testing.assert_allclose(x, [0.5, 0.75, 0.8, 1.0])
    np.testing.assert_allclose(p, [1 / 6, 2 / 3, 5 / 6, 1])
    assert len(result.skipped) == 0


def test_the_definition_of_the_script_has_its_own_budgets(miniature):
    result = normalized_error_cdf(miniature, "script")
    rows = result.errors[result.errors["strategy"] == "badge"]
    rows = rows.set_index(["dataset", "n_labeled"])
    # Means over the repeats, and not the first of them.
    expected = {("digits", 100): 1.0, ("letter", 100): 1.0}
    expected |= {("letter", 200): 0.8, ("letter", 300): 0.5}
    assert rows["normalized_error"].to_dict() == pytest.approx(expected)
    assert rows["weight"].to_dict() == pytest.approx(
        {("digits", 100): 1 / 2} | {("letter", n): 1 / 6 for n in (100, 200, 300)}
    )


@pytest.mark.parametrize("definition", ["paper", "script"])
def test_distributions_are_distributions(definition):
    frame = noisy_frame(0, bonus=0.01)
    # Evaluations are missing here and there, of the baseline as well.
    frame = frame.drop(frame.sample(frac=0.05, random_state=0).index)
    result = normalized_error_cdf(frame, definition)
    weights = result.errors.groupby("strategy")["weight"].sum()
    np.testing.assert_allclose(weights, 1)
    budgets = penalty_matrix(frame, definition).budgets
    keys = ["dataset", "n_labeled"]
    assert set(map(tuple, result.errors[keys].to_numpy())) == set(
        map(tuple, budgets[keys].to_numpy())
    )
    for strategy in result.strategies:
        x, p = result.cdf(strategy)
        assert (np.diff(x) > 0).all()
        assert (np.diff(p) > 0).all()
        assert p[-1] == 1
        # Continuous from the right: at a step, its weight is in.
        rows = result.errors[result.errors["strategy"] == strategy]
        for value, share in zip(x, p, strict=True):
            below = rows["weight"][rows["normalized_error"] <= value].sum()
            assert share == pytest.approx(below)


def test_the_distribution_of_the_baseline_is_a_step_at_1(miniature):
    for definition in ("paper", "script"):
        x, p = normalized_error_cdf(miniature, definition).cdf("random")
        assert x.tolist() == [1.0]
        assert p.tolist() == [1.0]
    x, p = normalized_error_cdf(miniature, baseline="badge").cdf("badge")
    assert (x.tolist(), p.tolist()) == ([1.0], [1.0])


def test_a_better_strategy_has_lower_errors():
    result = normalized_error_cdf(noisy_frame(0, bonus=0.03))
    assert result.cdf("b")[0].max() < 1
    assert "\nb         0." in str(result)
    assert "<table" in result._repr_html_()
    assert repr(result).startswith("<NormalizedErrorCDF of ")


def test_a_budget_without_error_of_the_baseline_is_dropped():
    random = constant(0.5, 0.6, 0.98, 1.0, 1.0, n_repeats=2)
    badge = constant(0.5, 0.7, 0.99, 0.995, 1.0, n_repeats=2)
    curves = {"random": random, "badge": badge}
    result = normalized_error_cdf(frame_of(curves, [100, 200, 300, 500, 900]))
    rows = result.errors[result.errors["strategy"] == "badge"]
    assert rows["n_labeled"].tolist() == [200, 300]
    np.testing.assert_allclose(rows["normalized_error"], [0.75, 0.5])
    np.testing.assert_allclose(rows["weight"], 0.5)
    assert result.skipped["n_labeled"].tolist() == [500, 500]
    assert result.skipped["strategy"].tolist() == ["badge", "random"]
    assert set(result.skipped["reason"]) == {"'random' makes no error"}


def test_what_a_strategy_lacks_is_reported_and_its_weights_still_sum_to_1():
    random = constant(0.5, 0.6, 0.8, n_repeats=2)
    short = constant(0.5, 0.7, np.nan, n_repeats=2)
    frame = frame_of({"random": random, "badge": short}, [100, 200, 300])
    result = normalized_error_cdf(frame)
    x, p = result.cdf("badge")
    np.testing.assert_allclose((x, p), [[0.75], [1.0]])
    assert result.skipped["n_labeled"].tolist() == [300]
    assert result.skipped["reason"].tolist() == ["no repeat in common with 'random'"]
    assert "Left out: 1" in str(result)


def test_means_are_over_the_repeats_in_common():
    random = np.array([[0.5, 0.6, 0.8], [0.5, 0.4, 0.8], [0.5, 0.2, 0.8]])
    badge = np.array([[np.nan] * 3, [0.5, 0.7, 0.8], [0.5, 0.5, 0.8]])
    frame = frame_of({"random": random, "badge": badge}, [100, 200, 300])
    rows = normalized_error_cdf(frame).errors.set_index(["strategy", "n_labeled"])
    assert rows.loc[("badge", 200), "normalized_error"] == pytest.approx(0.4 / 0.7)
    assert rows.loc[("badge", 200), "n_repeats"] == 2
    assert rows.loc[("random", 200), "n_repeats"] == 3


def test_negated_errors_are_errors():
    random = constant(-4.0, -2.0, -1.0, n_repeats=2)
    curves = {"random": random, "badge": random / 2}
    x, p = normalized_error_cdf(frame_of(curves, [100, 200, 300])).cdf("badge")
    assert (x.tolist(), p.tolist()) == ([0.5], [1.0])
    squared = normalized_error_cdf(frame_of(curves, [100, 200, 300]), error=np.square)
    assert squared.cdf("badge")[0].tolist() == [0.25]


def test_settings_without_budgets_are_reported():
    flat = constant(0.8, 0.8, 0.8)
    result = normalized_error_cdf(frame_of({"random": flat}, [100, 200, 300]))
    assert len(result.errors) == 0
    assert result.strategies == []
    assert "before the first budget" in result.skipped["reason"][0]
    with pytest.raises(ValueError, match="`strategy` must be one of"):
        result.cdf("random")


def test_bad_arguments_are_refused(miniature):
    with pytest.raises(ValueError, match=r"'definition' parameter .* a str among"):
        normalized_error_cdf(miniature, "other")
    with pytest.raises(ValueError, match="`baseline` must be one of"):
        normalized_error_cdf(miniature, baseline="other")
    with pytest.raises(ValueError, match=r"`strategy` must be one of 'badge', 'rand"):
        normalized_error_cdf(miniature).cdf("margin")
