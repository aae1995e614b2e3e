"""Noisy scores: an order of rows that is a draw without replacement by their scores."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skbadge.samplers._row_sketch import RowSketch
from skbadge.utils._row_random import log_exponentials, row_random
from skbadge.utils._ties import Ties, rounded

# What is made of a score before a Gumbel number is added.
NoiseKind = Literal["power", "softmax", "softrank"]

# Of scores that should be no less than their bound.
ROUNDING = 1e-6


@dataclass(frozen=True)
class NoisyOrder:
    r"""An order of rows by scores with Gumbel noise of scale ``1 / beta``.

    The rows of greatest :math:`f(s) + \epsilon`, times :math:`\beta`, are those of
    least :math:`\ln E - \beta f(s)` with exponential numbers :math:`E`, one a row: a
    draw without replacement by weights :math:`e^{\beta f(s)}`. Nothing is
    exponentiated. Rows of weight 0 come last, in random order.

    Parameters
    ----------
    kind : {"power", "softmax", "softrank"}
        What :math:`f(s)` is: :math:`\ln (s - s_0)`, :math:`s` or :math:`-\ln r` with
        the rank :math:`r`, 1 for the greatest score. Ranks are those among the rows
        that are given together.

    beta : float
        Above 0.

    lower_bound : float
        The least score there may be, :math:`s_0`.

    ties : Ties
        Orders rows of equal score, for their ranks.

    seed : int
        What the rows' numbers belong to, see `row_random`.
    """

    kind: NoiseKind
    beta: float
    lower_bound: float
    ties: Ties
    seed: int

    def near(self, size, values):
        """Positions of all values that may be among the first of this order."""
        return np.arange(len(values))

    def log_weights(self, values, rows):
        r"""What the rows are drawn by, :math:`\beta f(s)`; minus infinity for none."""
        return self.beta * self._logs(values, rows)

    def _logs(self, values, rows):
        with np.errstate(divide="ignore"):
            return LOGS[self.kind](self, values, rows)

    def sketch(self, size, values, first, opened, **more):
        """The sketch of a chunk's open rows, as that of `Drawn`."""
        rows = first + opened
        logs = self._logs(values, rows)
        # Of each row of the chunk, whether it is open or not.
        n_numbers = int(opened[-1]) + 1 if len(opened) else 0
        uniforms = row_random(self.seed, "noise", 0, first, n_numbers)[opened]
        # Divided by a beta above 1, so that none overflows.
        keys = log_exponentials(uniforms) / max(self.beta, 1)
        keys -= logs * min(self.beta, 1)
        return RowSketch.of(size, rows, keys, uniforms, values, **more)


def _power(order, scores, rows):
    shifted = scores - order.lower_bound
    wrong = np.flatnonzero(shifted < -ROUNDING)
    if len(wrong):
        raise ValueError(
            "Scores must not be below the strategy's `lower_bound`, "
            f"{order.lower_bound}, for noise='power'. {len(wrong)} of {len(scores)} "
            f"are, the first is {scores[wrong[0]]}. State a `lower_bound` that holds, "
            "or use noise='softmax'."
        )
    return np.log(np.maximum(shifted, 0))


def _softmax(order, scores, rows):
    return scores


def _softrank(order, scores, rows):
    by_score = np.lexsort((order.ties.keys(rows), -rounded(scores)))
    ranks = np.empty(len(scores))
    ranks[by_score] = np.arange(1, len(scores) + 1)
    return -np.log(ranks)


LOGS = {"power": _power, "softmax": _softmax, "softrank": _softrank}
