"""The result of `assess` and `audit`."""

from dataclasses import dataclass, replace
from html import escape
from numbers import Real

from skbadge.monitoring.estimates._risk import RiskEstimate
from skbadge.monitoring.estimates._shown_numbers import brief
from skbadge.monitoring.estimates._weighing import ErrorEnds
from skbadge.utils._html_tables import facts_table
from skbadge.utils._shown import shown


@dataclass(frozen=True, eq=False, repr=False)
class Assessment:
    """How good a model is, with an interval.

    Attributes
    ----------
    metric : str
        Which metric; all estimates are in its units.

    overall : RiskEstimate
        On rows like the pool as it was at first, before any of them was labelled: what
        to expect on new rows of the same source. Its ``weights`` are of the answered
        rows of the batch, then of the labelled rows: a mean loss is the mean of the
        products, and a ratio, such as the precision, what scikit-learn's function makes
        of them as ``sample_weight``. From an audit, on rows like those that it was
        drawn from.

    rest : RiskEstimate or None
        On the rows that the batch was drawn from, which were not labelled yet. A mean
        loss is unbiased, and so is the accuracy; a ratio of means has a bias of order
        1/n. None from an audit.

    labeled : float or None
        On the labelled rows, cross-fitted; None if there are none.

    n_labeled : int
        How many these are.

    n_folds : int
        How many models were trained for it.

    interval : {"exact", "bernstein", "normal"}
        Which interval it is.

    is_score : bool
        Whether greater is better.

    ends : ErrorEnds
        What `error_bound` is computed from.

    notes : tuple of str
        What else is worth knowing.
    """

    metric: str
    overall: RiskEstimate
    rest: RiskEstimate | None
    labeled: float | None
    n_labeled: int
    n_folds: int
    interval: str
    is_score: bool
    ends: ErrorEnds
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> RiskEstimate:
        """`overall` as a loss: 1 minus it if it is a score, else as it is."""
        one = self.overall
        if not self.is_score:
            return one
        return replace(
            one, estimate=1 - one.estimate, low=1 - one.high, high=1 - one.low
        )

    def error_bound(self, confidence: float) -> float:
        """What the error is at most, with some confidence.

        Parameters
        ----------
        confidence : float
            Probability with which the error is not above the bound, between 0 and 1.
            It may be another one than that of the interval, whose upper end is the
            bound for half of its doubt: of an interval of 0.95, that for 0.975.

        Returns
        -------
        bound : float
            In the units of `error`. Where nothing can be said, 1 for a score, and
            infinity for others: of losses without a bound (give ``max_loss`` to
            `assess` or `audit`), or by the normal interval of rows that are all alike.

        Raises
        ------
        ValueError
            If ``confidence`` is not a number between 0 and 1.
        """
        if not (isinstance(confidence, Real) and 0 < confidence < 1):
            raise ValueError(
                "`confidence` must be a number between 0 and 1, such as 0.95. Got "
                f"{shown(confidence)} instead."
            )
        bound = self.ends.upper(1 - confidence)
        return min(bound, 1.0) if self.is_score else bound

    def __repr__(self):
        return f"<{type(self).__name__}: {self.metric} {brief(self.overall)}>"

    def __str__(self):
        lines = [f"  {name}: {value}" for name, value in self._lines()]
        return "\n".join([self._headline(), *lines])

    def _repr_html_(self):
        return f"<p><b>{escape(self._headline())}</b></p>{facts_table(self._lines())}"

    def _headline(self):
        how = f" with confidence {self.overall.confidence:g}, {self.interval} interval"
        return f"{self.metric} {brief(self.overall, more=how)}"

    def _lines(self):
        if self.is_score:
            yield "error", brief(self.error)
        if self.rest is None:
            rows = f"those that {self.overall.n} rows were drawn from, uniformly"
            yield "on rows like", rows
        else:
            yield "on rows like", "the pool as it was before any row was labelled"
            counts = f"from {self.rest.n} of {self.rest.n_pool} rows"
            yield "rows left", f"{brief(self.rest)}, {counts}"
        if self.labeled is not None:
            said = f"{self.labeled:.3g} on {self.n_labeled} rows, "
            if self.n_folds:
                said += f"cross-fitted by {self.n_folds} models"
            else:
                said += "by the model as it is"
            yield "labelled rows", said
        for note in self.notes:
            yield "note", note
