"""Penalty matrices against tables written out, and against loops over SciPy's tests."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skbadge.inspection import penalty_matrix
from tests.inspection._frames import constant, frame_of, noisy_frame

SPREAD = np.array([-0.01, 0.0, 0.01])[:, None]


def hundredths(*columns):
    """Runs of three repeats from one triple per number of labels."""
    return np.array(columns).T / 100


# By three repeats, the two-sided 5 % bound is |t| > 4.303. Differences of (1, 2, 3)
# have t = 2 / (1 / sqrt(3)) = 3.46, those of (2, 3, 4) have t = 5.20, equal ones an
# infinite t, and zeros none.
EQUAL, SOME, CLEAR, ZERO = (3, 3, 3), (1, 2, 3), (2, 3, 4), (0, 0, 0)
WORSE = tuple(-x for x in CLEAR)


@pytest.fixture
def miniature():
    # Random is at 99 % of its final 0.8 with 500 labels in both settings.
    random = constant(0.5, 0.6, 0.7, 0.8, 0.8) + SPREAD
    badge = random + hundredths(EQUAL, CLEAR, SOME, WORSE, CLEAR)
    letter = {"random": random, "badge": badge, "margin": badge}
    random = constant(0.5, 0.6, 0.8, 0.8) + SPREAD
    digits = {
        "random": random,
        "badge": random + hundredths(ZERO, (5, 5, 5), ZERO, EQUAL),
        "margin": random + hundredths(ZERO, SOME, CLEAR, EQUAL),
    }
    return pd.concat(
        [
            frame_of(letter, [100, 200, 300, 500, 900], 100, dataset="letter"),
            frame_of(digits, [100, 300, 500, 900], 200, dataset="digits"),
        ]
    )


def assert_matrix(result, expected):
    names = ["badge", "margin", "random"]
    assert result.matrix.index.tolist() == result.matrix.columns.tolist() == names
    np.testing.assert_allclose(result.matrix, expected, atol=1e-12)


def test_a_miniature_of_the_definition_of_the_paper(miniature):
    result = penalty_matrix(miniature)
    # letter: 200, 300, 500 at 1/3 each; digits: 300, 500 at 1/2 each.
    budgets = result.budgets.set_index(["dataset", "n_labeled"])["weight"]
    assert budgets.to_dict() == pytest.approx(
        {("letter", n): 1 / 3 for n in (200, 300, 500)}
        | {("digits", n): 1 / 2 for n in (300, 500)}
    )
    # The rows are badge, margin and random.
    assert_matrix(
        result,
        [
            [0, 1 / 2, 1 / 3 + 1 / 2],
            [1 / 2, 0, 1 / 3 + 1 / 2],
            [1 / 3, 1 / 3, 0],
        ],
    )
    np.testing.assert_allclose(result.column_average, [5 / 12, 5 / 12, 5 / 6])
    assert result.n_settings == 2
    assert len(result.skipped) == 0
    assert (result.compared.to_numpy()[~np.eye(3, dtype=bool)] == 2).all()


def test_a_miniature_of_the_definition_of_the_script(miniature):
    result = penalty_matrix(miniature, "script")
    # It starts before any query, and stops where random has passed 99 %.
    budgets = result.budgets.set_index(["dataset", "n_labeled"])["weight"]
    assert budgets.to_dict() == pytest.approx(
        {("letter", n): 1 / 3 for n in (100, 200, 300)}
        | {("digits", n): 1 / 2 for n in (100, 300)}
    )
    assert_matrix(result, [[0, 1 / 2, 2 / 3 + 1 / 2], [0, 0, 2 / 3], [0, 0, 0]])
    np.testing.assert_allclose(result.column_average, [0, 1 / 6, 11 / 18])


@pytest.mark.parametrize(("definition", "usual"), [("paper", 2), ("script", 3)])
def test_the_diagonal_counts_in_the_mean_of_the_script(miniature, definition, usual):
    result = penalty_matrix(miniature, definition)
    sums = result.matrix.sum(axis=0)
    np.testing.assert_allclose(result.column_average, sums / usual)
    for diagonal, n in ((True, 3), (False, 2)):
        result = penalty_matrix(miniature, definition, diagonal_in_mean=diagonal)
        np.testing.assert_allclose(result.column_average, sums / n)


def naive(frame, definition, *, paired=True, alpha=0.05):
    """Matrix of complete runs by loops over SciPy's tests."""
    names = sorted(frame["strategy"].unique())
    matrix = pd.DataFrame(0.0, names, names)
    for (_, n_query), rows in frame.groupby(["dataset", "n_query"]):
        runs = rows.set_index(["strategy", "n_labeled", "repeat"])["score"]
        curve = runs["random"].groupby("n_labeled").mean()
        share = curve / curve.iloc[-1]
        start = curve.index[0]
        doubled = [start + n_query * 2**k for k in range(20)]
        doubled = [n for n in doubled if n <= curve.index[-1]]
        if definition == "paper":
            budgets = [n for n in doubled if n <= share.index[share >= 0.99][0]]
        else:
            budgets = [start]
            for n in doubled:
                if share[n] > 0.99:
                    break
                budgets.append(n)
        for n in budgets:
            for i, j in permutations(rows["strategy"].unique(), 2):
                # Of those that have so many labels.
                a, b = (runs.loc[name].get(n, pd.Series()) for name in (i, j))
                if paired:
                    common = a.index.intersection(b.index)
                    a, b = a[common], b[common]
                if definition == "script":
                    a, b = a.iloc[:5], b.iloc[:5]
                if min(len(a), len(b)) < 2:
                    continue
                if paired:
                    test = stats.ttest_rel(a, b)
                else:
                    test = stats.ttest_ind(a, b, equal_var=False)
                if test.pvalue < alpha and a.mean() > b.mean():
                    matrix.loc[i, j] += 1 / len(budgets)
    return matrix


@pytest.mark.parametrize("definition", ["paper", "script"])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_matrices_equal_those_of_loops_over_tests(definition, paired, seed):
    frame = noisy_frame(seed, n_repeats=7, bonus=0.01)
    # Runs that never started, and evaluations that never took place.
    rng = np.random.RandomState(seed)
    runs = frame.groupby(["dataset", "strategy", "repeat"]).ngroup()
    lost = np.isin(runs, rng.choice(runs.max() + 1, size=12, replace=False))
    lost |= rng.uniform(size=len(frame)) < 0.05
    frame = frame[~lost | (frame["strategy"] == "random")]
    result = penalty_matrix(frame, definition, paired=paired)
    expected = naive(frame, definition, paired=paired)
    assert expected.to_numpy().max() > 0
    np.testing.assert_allclose(result.matrix, expected, atol=1e-12)


@pytest.mark.parametrize("definition", ["paper", "script"])
def test_matrices_are_antisymmetric_and_bounded(definition):
    for seed in range(5):
        result = penalty_matrix(noisy_frame(seed, bonus=0.003), definition, alpha=0.5)
        wins = result.contributions.dropna(subset="winner")
        assert len(wins) > 20
        # One row per unordered pair and budget: there is one winner at most.
        pairs = result.contributions[["dataset", "n_labeled", "strategy", "other"]]
        assert not pairs.duplicated().any()
        assert (pairs["strategy"] < pairs["other"]).all()
        both = result.matrix + result.matrix.T
        assert (both <= result.n_settings + 1e-12).all(axis=None)
        weights = result.budgets.groupby("dataset")["weight"].sum()
        np.testing.assert_allclose(weights, 1)
        n_pairs = 4 * 3 / 2
        assert result.matrix.to_numpy().sum() == pytest.approx(wins["weight"].sum())
        assert wins["weight"].sum() <= n_pairs * result.n_settings + 1e-9


def test_five_repeats_need_a_statistic_of_2_776():
    # Differences x - 2 to x + 2 have standard deviation sqrt(2.5): t = x / sqrt(0.5).
    steps = np.arange(-2, 3)[:, None] / 1000
    random = constant(0.5, 0.7, 0.7, n_repeats=5)
    for t, wins in ((2.776, False), (2.777, True)):
        for sign in (1, -1):
            badge = random + steps + sign * t * np.sqrt(0.5) / 1000
            frame = frame_of({"badge": badge, "random": random}, [100, 200, 300])
            result = penalty_matrix(frame)
            assert result.contributions["statistic"].tolist() == pytest.approx(
                [-sign * t], rel=1e-6
            )
            matrix = result.matrix.to_numpy()
            assert matrix[0, 1] == (wins and sign > 0)
            assert matrix[1, 0] == (wins and sign < 0)


def test_the_script_compares_five_repeats_at_most():
    differences = np.array([2, 3, 4, 3, 3, -40])[:, None] / 100
    random = constant(0.5, 0.6, 0.8, n_repeats=6)
    for runs, paper, script in ((differences, 0, 1), (differences[::-1], 0, 0)):
        curves = {"badge": random + runs, "random": random}
        frame = frame_of(curves, [100, 200, 300])
        assert penalty_matrix(frame).matrix.loc["badge", "random"] == paper
        assert penalty_matrix(frame, "script").matrix.loc["badge", "random"] == script


@pytest.mark.parametrize("paired", [True, False])
def test_equal_runs_are_no_win_and_constant_differences_are(paired):
    runs = constant(0.5, 0.6, 0.8, n_repeats=3)
    curves = {"random": runs, "same": runs, "better": runs + 1e-6}
    # Not the same number, but for its last digits.
    curves["rounded"] = (runs * 3 + 0.3) / 3 - 0.1
    assert (curves["rounded"] != runs).any()
    result = penalty_matrix(frame_of(curves, [100, 200, 300]), paired=paired)
    assert result.column_average[["random", "rounded", "same"]].tolist() == [1 / 3] * 3
    assert result.column_average["better"] == 0
    tests = result.contributions.set_index(["strategy", "other"])
    p_values = tests.groupby(level=[0, 1])["p_value"].first()
    assert p_values["better", "random"] == 0
    assert np.isnan(p_values["random", "rounded"])
    assert np.isnan(p_values["random", "same"])


def test_pairs_are_made_by_repeat_and_not_by_order():
    steps = np.array([0.0, 0.1, 0.2, 0.3])[:, None]
    random = constant(0.3, 0.4, 0.5) + steps
    badge = random + np.array([5, 4, 6, 5])[:, None] / 1000
    # Each has a run that the other lacks, so that their orders do not match.
    random[0], badge[3] = np.nan, np.nan
    frame = frame_of({"badge": badge, "random": random}, [100, 200, 300])
    result = penalty_matrix(frame)
    assert result.contributions["n_repeats"].unique().tolist() == [2]
    np.testing.assert_allclose(result.contributions["mean_difference"], -0.005)
    assert result.matrix.loc["badge", "random"] == 0
    assert penalty_matrix(frame, alpha=0.2).matrix.loc["badge", "random"] == 1
    unpaired = penalty_matrix(frame, alpha=0.2, paired=False)
    assert unpaired.matrix.loc["badge", "random"] == 0


def test_negated_errors_stop_within_a_hundredth_of_the_final_error():
    # 0.99 % above the final error of 1 at 300 labels; accuracy would be there at once.
    for near, budgets in ((-1.0099, [200, 300]), (-1.0102, [200, 300, 500])):
        curve = constant(-4.0, -2.0, near, -1.001, -1.0, n_repeats=2)
        frame = frame_of({"random": curve, "b": curve}, [100, 200, 300, 500, 900])
        for error in ("auto", "negated", np.negative):
            result = penalty_matrix(frame, error=error)
            assert result.budgets["n_labeled"].tolist() == budgets
            script = penalty_matrix(frame, "script", error=error)
            assert script.budgets["n_labeled"].tolist() == [100, *budgets[:-1]]


def test_the_error_decides_the_means_and_the_winner():
    # On errors of (1 - score) ** 2 a good run and a bad one differ from two fair ones.
    random = constant(0.0, 0.5, 0.9, 0.9, n_repeats=4)
    badge = random + np.array([0.1, 0.11, 0.1, 0.1])[:, None]
    frame = frame_of({"random": random, "b": badge}, [100, 200, 300, 500])
    result = penalty_matrix(frame, error=lambda score: 3 * (1 - score) ** 2 + 1)
    first = result.contributions.iloc[0]
    expected = 3 * ((1 - badge[:, 1]) ** 2 - 0.25).mean()
    assert first["mean_difference"] == pytest.approx(expected)
    assert first["winner"] == "b"
    assert result.matrix.loc["b", "random"] == 1


def test_scores_whose_error_cannot_be_told_are_refused():
    frame = frame_of({"random": [[-0.2, 0.5]]}, [100, 200])
    with pytest.raises(ValueError, match=r"range from -0\.2 to 0\.5.*`error`='auto'"):
        penalty_matrix(frame)
    with pytest.raises(ValueError, match="errors >= 0"):
        penalty_matrix(frame, error="negated")
    assert penalty_matrix(frame, error="one_minus").n_settings == 1


@pytest.mark.parametrize("definition", ["paper", "script"])
def test_the_better_strategy_has_the_lowest_column_average(definition):
    for seed in range(5):
        result = penalty_matrix(noisy_frame(seed, bonus=0.03), definition)
        assert result.column_average.idxmin() == "b"
        assert result.column_average["b"] < result.column_average.drop("b").min()
        assert (result.matrix.loc["b"].drop("b") > 1).all()


def test_the_result_says_what_it_is(miniature):
    frame = miniature.replace({"strategy": {"badge": "<b>"}})
    result = penalty_matrix(frame)
    assert "in 2 settings" in str(result)
    assert "column average" in str(result)
    assert "Left out" not in str(result)
    assert repr(result).startswith("<PenaltyMatrix of ")
    page = result._repr_html_()
    assert "<table" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    short = penalty_matrix(frame, n_initial=120)
    assert "Left out" in str(short)
    assert "Left out" in short._repr_html_()


def test_bad_arguments_are_refused(miniature):
    with pytest.raises(ValueError, match=r"'definition' parameter .* a str among"):
        penalty_matrix(miniature, "figure")
    with pytest.raises(ValueError, match="`baseline` must be one of 'badge', 'margin'"):
        penalty_matrix(miniature, baseline="uniform")
    for alpha in (0, 1, "low"):
        with pytest.raises(ValueError, match=r"'alpha' parameter .* a float in the"):
            penalty_matrix(miniature, alpha=alpha)
    with pytest.raises(ValueError, match=r"'error' parameter .* a str among"):
        penalty_matrix(miniature, error="squared")
    with pytest.raises(ValueError, match=r"'paired' parameter .* of 'bool'"):
        penalty_matrix(miniature, paired="yes")
    for n_initial in (0, 100.5, "100"):
        with pytest.raises(ValueError, match=r"'n_initial' parameter .* an int in"):
            penalty_matrix(miniature, n_initial=n_initial)
