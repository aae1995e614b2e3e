"""What is said of a difference, and how many rows would settle it."""

import numpy as np
import pytest

from skbadge.monitoring.against_random._paired import mcnemar_test, tango_interval
from skbadge.monitoring.against_random._random_comparison import (
    rows_to_settle,
    verdict_of,
)


@pytest.mark.parametrize(
    ("interval", "p_value", "verdict"),
    [
        ((0.02, 0.1), 0.01, "better"),
        ((-0.1, -0.02), 0.01, "worse"),
        ((-0.02, 0.1), 0.2, "cannot tell yet"),
        ((-0.01, 0.01), 0.5, "no difference that matters"),
        ((0.002, 0.01), 0.001, "no difference that matters"),
        # The test is exact, and has the last word.
        ((0.001, 0.1), 0.06, "cannot tell yet"),
    ],
)
def test_verdicts(interval, p_value, verdict):
    assert verdict_of(sum(interval) / 2, interval, p_value, 0.05, 0.01) == verdict


@pytest.mark.parametrize(
    ("won", "lost", "margin", "most"),
    [
        (0.2, 0.1, 0.01, 0.92),
        (0.1, 0.2, 0.05, 0.92),
        (0.1, 0.1, 0.05, 0.92),
        # It is settled one way or the other.
        (0.1, 0.08, 0.06, 1),
    ],
)
def test_as_many_rows_as_are_said_settle_it(won, lost, margin, most):
    """With a probability of about 0.8, if the difference is as it was seen."""
    needed = rows_to_settle(won - lost, won + lost - (won - lost) ** 2, 0.05, margin)
    rng = np.random.default_rng(0)
    settled = 0
    for a, b, _ in rng.multinomial(needed, [won, lost, 1 - won - lost], 300).tolist():
        interval = tango_interval(a, b, needed, 0.05)
        said = verdict_of((a - b) / needed, interval, mcnemar_test(a, b), 0.05, margin)
        settled += said != "cannot tell yet"
    assert 0.72 < settled / 300 <= most
