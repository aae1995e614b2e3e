"""Whether to stop, from rounds of which the errors are known."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression

from skbadge import BadgeQuerier
from skbadge.exceptions import MonitoringWarning
from skbadge.monitoring import (
    MonitorDisplay,
    MonitoredRound,
    assess,
    audit,
    stopping_advice,
)
from tests.monitoring._asked import X, asked, frozen, y

FROZEN = BadgeQuerier(frozen(), strategy="random").fit(X[:60], y[:60])


def audited(n_wrong, n=100, **options):
    """The assessment of a model that is wrong about so many rows of an audit."""
    rows = X[60 + np.arange(n) % (len(X) - 60)]
    labels = FROZEN.predict(rows)
    labels[:n_wrong] = (labels[:n_wrong] + 1) % 3
    return audit(FROZEN, rows, labels, **options)


def rounds_of(*assessments, agreements=None, source="audit", first=1):
    agreements = [None] * len(assessments) if agreements is None else agreements
    return [
        MonitoredRound(
            number=first + i,
            n_labeled=50 * (i + 1),
            strategy="Margin()",
            n_asked=50,
            n_answered=50,
            assessment=one,
            source=source if one is not None else "",
            agreement=agreement,
            disagreement=None,
            class_counts={},
            duplicates=0.0,
            notes=() if one is not None else ("why there is no estimate", "more"),
        )
        for i, (one, agreement) in enumerate(zip(assessments, agreements, strict=True))
    ]


def test_no_more_than_the_doubt_is_spent_over_all_rounds():
    """By enumeration: an error just above the target, judged by a new audit a round."""
    target, spent = 0.1, 0.0
    by_wrong = [audited(k, 80) for k in range(9)]
    for number in range(1, 40):
        stops = [
            bool(stopping_advice(rounds_of(one, first=number), target))
            for one in by_wrong
        ]
        assert stops == sorted(stops, reverse=True)
        chance = stats.binom.cdf(sum(stops) - 1, 80, target)
        assert chance <= 6 * 0.05 / (np.pi * number) ** 2
        # One more wrong row would have been too many.
        assert (
            stats.binom.cdf(sum(stops), 80, target) > 6 * 0.05 / (np.pi * number) ** 2
        )
        spent += chance
    assert 0 < spent <= 0.05


def test_the_last_round_decides():
    good, bad = audited(0), audited(30)
    assert stopping_advice(rounds_of(bad, good), 0.1)
    advice = stopping_advice(rounds_of(good, bad), 0.1)
    assert not advice
    assert advice.bound == bad.error_bound(1 - 6 * 0.05 / (2 * np.pi) ** 2)
    assert advice.criteria[0].seen == {
        1: good.error_bound(1 - 6 * 0.05 / np.pi**2),
        2: advice.bound,
    }
    exactly = stopping_advice(rounds_of(good), advice.criteria[0].seen[1])
    assert exactly.stop


def test_rounds_are_counted_that_could_not_be_judged():
    one = audited(2)
    later = stopping_advice(rounds_of(None, None, one), 0.1)
    assert later.bound == one.error_bound(1 - 6 * 0.05 / (3 * np.pi) ** 2)
    sure = stopping_advice(rounds_of(None, None, one), 0.1, confidence=0.99)
    assert sure.bound > later.bound


def test_agreement_and_stability_are_reported_and_do_not_decide():
    rounds = rounds_of(
        *[audited(k) for k in (40, 35, 30, 31, 30)],
        agreements=[None, 0.9, 0.992, 0.991, 0.99],
    )
    advice = stopping_advice(rounds, 0.1)
    _, agreement, stability = advice.criteria
    assert not advice.stop
    assert agreement.met
    assert agreement.value == pytest.approx(0.991)
    assert agreement.seen == {2: 0.9, 3: 0.992, 4: 0.991, 5: 0.99}
    assert stability.met
    assert stability.value == pytest.approx(0.01)
    assert stability.seen == pytest.approx({1: 0.4, 2: 0.35, 3: 0.3, 4: 0.31, 5: 0.3})
    strict = stopping_advice(
        rounds, 0.1, window=4, least_agreement=0.9, tolerance=0.049
    )
    assert [one.met for one in strict.criteria] == [False, True, False]
    # A mean that is as large as was asked for is not above it.
    assert (
        not stopping_advice(rounds, 0.1, window=2, least_agreement=0.9905)
        .criteria[1]
        .met
    )


def test_a_window_with_a_gap_is_not_judged():
    rounds = rounds_of(
        audited(1), None, audited(1), audited(1), agreements=[0.999, None, 1, 1]
    )
    advice = stopping_advice(rounds, 0.5)
    assert [one.value for one in advice.criteria[1:]] == [None, None]
    assert not any(one.met for one in advice.criteria[1:])
    assert advice.stop
    assert "not known" in str(advice)


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        ([], ["Go on", "No round was added yet"]),
        (
            rounds_of(audited(1), None),
            ["There is no bound. Note: why there is no estimate."],
        ),
        (
            rounds_of(audited(20)),
            ["not sure that the error is at most 0.1", "0.2, is above 0.1", "better"],
        ),
        (
            # log(1 / alpha_2) / 0.1, with alpha_2 = 6 * 0.05 / (4 pi²)
            rounds_of(audited(5)),
            [
                "0.05, is at most 0.1 already",
                "an audit of about 49 rows",
                "has 100 rows",
            ],
        ),
        (rounds_of(audited(0)), ["Stop: the error is at most 0.0343", "rows like"]),
        (rounds_of(audited(1, interval="normal")), ["Do not trust it with few"]),
        (
            rounds_of(audited(30, metric="log_loss")),
            ["There is no bound of the log_loss", "`max_loss`"],
        ),
        (rounds_of(audited(0, 3, interval="normal")), ["error: 1,", "judge more"]),
    ],
)
def test_it_says_what_is_missing(rounds, words):
    advice = stopping_advice(rounds, 0.1)
    for word in words:
        assert word in str(advice)
    html = advice._repr_html_()
    assert html.count("<tr>") == 4
    assert "how to read it" in html


def test_of_batches_it_says_how_many_rows_one_needs_and_that_an_audit_needs_fewer():
    querier, report, answers = asked(n=200)
    found = assess(querier, report, answers)
    advice = stopping_advice(rounds_of(found, source="batch"), 0.3)
    assert not advice.stop
    # The labelled rows count too; the other 540 of 600 rows have to be as good as:
    mean = (0.3 - 60 / 600 * (1 - found.labeled)) / 0.9
    doubt = np.log(4 * np.pi**2 / 0.3)
    n, n_audit = int(np.ceil(doubt / (0.2 * mean))), int(np.ceil(doubt / 0.3))
    assert f"a batch of about {n} rows without any loss" in advice.advice
    assert f"an audit of about {n_audit} rows" in advice.advice
    hopeless = stopping_advice(rounds_of(found, source="batch"), 0.01)
    assert "No batch can do" in hopeless.advice


@pytest.mark.filterwarnings("ignore:`target` is an error")
def test_a_stop_says_what_its_bound_does_not_cover():
    querier, report, answers = asked(n=200)
    given = answers.astype(object)
    given[:3] = None
    found = assess(querier, report, given)
    lenient = {"target": 0.5, "confidence": 0.5}
    advice = stopping_advice(rounds_of(found, source="batch"), **lenient)
    assert advice.stop
    assert "rows of the pool as it was at first" in advice.advice
    # 60 of 600 rows
    assert "The labelled ones, 10 % of them," in advice.advice
    assert "3 of 200 rows were skipped" in advice.advice
    # A model that is trained already judges labelled rows as it is.
    report = asked(frozen(), n=200)
    judged = rounds_of(assess(*report), source="batch")
    with pytest.warns(MonitoringWarning, match="accuracy 0.1"):
        advice = stopping_advice(judged, 0.9)
    assert advice.stop
    assert "labelled ones" not in advice.advice


def test_targets_of_regressors_are_in_the_units_of_the_metric():
    rows, target = make_regression(300, 6, noise=9, random_state=0)
    querier = BadgeQuerier(LinearRegression(), strategy="random")
    querier.fit(rows[:100], target[:100])
    found = audit(
        querier,
        rows[100:],
        target[100:],
        metric="root_mean_squared_error",
        max_loss=40,
    )
    advice = stopping_advice(rounds_of(found), 25.0)
    assert advice.stop
    assert 8 < found.error.estimate < advice.bound <= 25
    # log(1 / alpha) / (target / max_loss)²
    n = int(np.ceil(np.log(4 * np.pi**2 / 0.3) * (40 / 11) ** 2))
    assert f"of about {n} rows" in stopping_advice(rounds_of(found), 11.0).advice


def test_long_histories_are_cut():
    text = str(stopping_advice(rounds_of(*[audited(30)] * 9), 0.1))
    assert "(round 3)" not in text
    assert "..., " in text
    assert text.count("(round 9)") == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": 1.0}, "`target` is an error: 0.05 for accuracy 0.95"),
        ({"target": 0.0}, "target"),
        ({"confidence": 1.0}, "confidence"),
        ({"window": 1}, "window"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"least_agreement": 2.0}, "least_agreement"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"rounds": rounds_of(audited(3)), "target": 0.1} | change
    with pytest.raises(ValueError, match=message):
        stopping_advice(**arguments)


@pytest.mark.parametrize(
    "make", [lambda rounds: stopping_advice(rounds, 0.05), MonitorDisplay]
)
@pytest.mark.parametrize("wrong", [[1, 2], ["margin"], [None], [audited(3)]])
def test_other_than_rounds_are_refused(make, wrong):
    with pytest.raises(
        TypeError, match=r"`rounds` must be MonitoredRounds.* among them"
    ):
        make(wrong)
