"""What a `Monitor` keeps of one round."""

from dataclasses import dataclass

from skbadge.monitoring.estimates._assessment import Assessment
from skbadge.monitoring.estimates._risk import RiskEstimate
from skbadge.monitoring.rounds._rounds_table import cells_of
from skbadge.utils._shown import shown


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MonitoredRound:
    """A batch with its answers, and what they say about the model that chose it.

    Attributes
    ----------
    number : int
        1 for the first.

    n_labeled : int
        Labelled rows that the model had learned from.

    strategy : str
        Which strategy chose the batch.

    n_asked, n_answered : int
        Rows of the batch, and those that have an answer.

    assessment : Assessment or None
        How good the model is; None where neither an audit nor the batch can say.

    source : {"audit", "batch", ""}
        What says so.

    agreement : float or None
        Of the model with that of the round before, on the reference rows: Cohen's kappa
        of classes, Lin's concordance of numbers. 1 if both say the same of all rows, 0
        if no more than by chance.

    disagreement : float or None
        Share of the answered rows of which the model had said something else, of
        classes. As an error it is biased: the strategy chose hard rows.

    class_counts : dict of label to int
        How many answers are of each class; empty of a regressor.

    duplicates : float
        Share of the batch's rows that equal a labelled row or an earlier one of the
        batch.

    notes : tuple of str
        Why something is missing, and what to do about it.
    """

    number: int
    n_labeled: int
    strategy: str
    n_asked: int
    n_answered: int
    assessment: Assessment | None
    source: str
    agreement: float | None
    disagreement: float | None
    class_counts: dict
    duplicates: float
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> RiskEstimate | None:
        """Error of the model on rows like the pool as it was at first, if known."""
        return None if self.assessment is None else self.assessment.error

    def __repr__(self):
        return f"<{type(self).__name__}: {self}>"

    def __str__(self):
        facts = [f"{name} {cell}" for name, cell in cells_of(self).items() if cell]
        return ", ".join(facts)


def check_rounds(rounds):
    """Rounds as a list; raises if one is something else."""
    rounds = list(rounds)
    if others := [one for one in rounds if not isinstance(one, MonitoredRound)]:
        raise TypeError(
            "`rounds` must be MonitoredRounds, as in `Monitor.rounds`. Got "
            f"{shown(others[0])} among them."
        )
    return rounds
