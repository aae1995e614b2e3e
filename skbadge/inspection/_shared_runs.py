"""Runs of strategies over the labels and repeats that they share."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from skbadge._compat import StrOptions
from skbadge.inspection._efficiency import area_under_curve
from skbadge.inspection._frame import (
    check_strategy,
    complete_runs,
    non_finite_rows,
    score_tables,
)

AT = [StrOptions({"area", "final"}), Integral]
_NO_AREA = "no area over one number of labels"


@dataclass(frozen=True, eq=False)
class SharedRuns:
    """Runs of several strategies where all of them can be compared.

    Attributes
    ----------
    setting : dict
        Its ``dataset``, ``model`` and ``n_query``.

    scores : ndarray of shape (n_strategies, n_repeats, n_labeled)
        float64 and finite, of the repeats in which the runs of all are complete.

    n_labeled : ndarray of shape (n_labeled,)
        int64.

    n_missing : int
        Repeats that a strategy has, and that are not among these.
    """

    setting: dict
    scores: NDArray[np.float64]
    n_labeled: NDArray[np.int64]
    n_missing: int

    @property
    def ends(self):
        """Least and greatest number of labels, None each if there is none."""
        ends = self.n_labeled[[0, -1]] if len(self.n_labeled) else (None, None)
        return dict(zip(("first", "last"), ends, strict=True))

    def values(self, at):
        """Areas divided by their range, or last scores: (n_strategies, n_repeats).

        NaN where there is none, as the area over one number of labels.
        """
        if at == "area":
            return area_under_curve(self.n_labeled, self.scores)
        if len(self.n_labeled) == 0:
            return np.full(self.scores.shape[:-1], np.nan)
        return self.scores[..., -1]


def check_at(at, results):
    """Refuse a number of labels at which there is no evaluation."""
    if not isinstance(at, str) and not (results["n_labeled"] == at).any():
        raise ValueError(
            "`at` must be 'area', 'final' or a number of labels of the frame. "
            f"Got {at!r} instead."
        )


def shared_runs(table, strategies, at):
    """The `SharedRuns` of some strategies of a `ScoreTable`.

    At the numbers of labels that all strategies have: all of these for an area, the
    last, or a given one.
    """
    runs = np.stack([table.of(name) for name in strategies])
    n_runs = np.isfinite(runs).any(axis=(0, 2)).sum()
    _, reached = complete_runs(runs)
    places = np.flatnonzero(reached.all(axis=0))
    if at == "final":
        places = places[-1:]
    elif at != "area":
        places = places[table.n_labeled[places] == at]
    runs = runs[:, :, places]
    kept = np.isfinite(runs).all(axis=(0, 2)) & (len(places) > 0)
    n_missing = int(n_runs - kept.sum())
    return SharedRuns(table.setting, runs[:, kept], table.n_labeled[places], n_missing)


def comparable_settings(results, strategies, at):
    """`SharedRuns` of the settings in which all strategies compare, and what is not.

    The latter as rows for `skipped_frame`. It is an error if no setting is left.
    """
    chosen = results["strategy"].isin(strategies)
    settings, skipped = [], non_finite_rows(results[chosen])
    for table in score_tables(results):
        absent = [name for name in strategies if name not in table.strategies]
        skipped += [
            table.setting | {"strategy": name, "reason": "no run in this setting"}
            for name in absent
        ]
        if absent:
            continue
        setting = shared_runs(table, strategies, at)
        values, reason = setting.values(at), None
        if values.size == 0:
            reason = "no repeat in which the runs of all strategies are complete"
        elif np.isnan(values).any():
            reason = _NO_AREA
        else:
            settings.append(setting)
            if setting.n_missing:
                reason = f"{setting.n_missing} repeats without complete runs of all"
        if reason is not None:
            skipped.append(table.setting | {"reason": reason})
    if not settings:
        reasons = sorted({row["reason"] for row in skipped})
        way_out = "Name fewer in `strategies`"
        if reasons == [_NO_AREA]:
            way_out = "Pass at='final', where that is a parameter, or run more rounds"
        raise ValueError(
            "No setting of `frame` has all strategies to compare. "
            f"{way_out}. Reasons: {'; '.join(reasons)}."
        )
    return settings, skipped


def strategies_to_compare(strategies, results):
    """Sorted names: all strategies of the results, or those that were asked for."""
    if strategies is None:
        return sorted(results["strategy"].unique())
    if not len(strategies):
        raise ValueError("`strategies` must name one at least. Got none.")
    for name in strategies:
        check_strategy("strategies", name, results)
    return sorted(set(strategies))
