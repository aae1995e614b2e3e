"""What a file of answers says, and what came of it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from skbadge.utils._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answer:
    """One answer as a file has it.

    ``label`` is None where the row was skipped, ``annotator`` where the file names
    nobody. ``source`` names this answer among all of a tool, and ``version`` is the
    time of its last change there; both are empty for tables.
    """

    where: str
    id: Any
    label: Any
    annotator: str | None = None
    source: str = ""
    version: str = ""

    def by(self, annotator):
        """The same, given by somebody if the file names nobody."""
        return self if self.annotator else replace(self, annotator=annotator)


@dataclass(frozen=True)
class Problem:
    """An answer that was left out, or that contradicts another person's.

    Attributes
    ----------
    where : str
        Its place in the file.
    id : object
        The row's id, as the file has it.
    annotator : str or None
        Who answered.
    label : object
        The answer, as the file has it.
    known : object
        The answer that the session has; None if that is not the matter.
    reason : str
        What is wrong.
    """

    where: str
    id: Any
    annotator: str | None
    label: Any
    known: Any
    reason: str


@dataclass(frozen=True)
class Imported:
    """What came of the answers in a file or frame.

    Attributes
    ----------
    n_new, n_corrected, n_skipped : int
        Labels, corrections and skips that were added to the ledger.
    n_known : int
        Answers that the ledger had already.
    conflicts : list of Problem
        Answers that differ from what the same person, or the same file, says
        elsewhere. They were not imported.
    disagreements : list of Problem
        Answers that differ from another person's. They were imported: both count, see
        `LabelingSession.agreement`.
    refused : list of Problem
        What cannot be taken for an answer to a row of this session.
    """

    n_new: int = 0
    n_corrected: int = 0
    n_skipped: int = 0
    n_known: int = 0
    conflicts: list[Problem] = field(default_factory=list)
    disagreements: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)

    def problems(self) -> "pd.DataFrame":
        """Conflicts, disagreements and what was refused, as a frame.

        Returns
        -------
        problems : DataFrame
            One row for each, with its ``kind`` and the fields of a `Problem`.
        """
        pd = import_optional("pandas", extra="labeling", purpose="A list of problems")
        kinds = {
            "conflict": self.conflicts,
            "disagreement": self.disagreements,
            "refused": self.refused,
        }
        rows = [(kind, *vars(p).values()) for kind, ps in kinds.items() for p in ps]
        # As objects, since half a surrogate pair is no text for pandas.
        columns = ["problem", *Problem.__dataclass_fields__]
        return pd.DataFrame(rows, columns=columns, dtype=object)

    def __str__(self):
        counts = {
            "new": self.n_new,
            "corrected": self.n_corrected,
            "skipped": self.n_skipped,
            "known already": self.n_known,
            "in conflict": len(self.conflicts),
            "unlike another person's": len(self.disagreements),
            "refused": len(self.refused),
        }
        found = [f"{count} {name}" for name, count in counts.items() if count]
        return ", ".join(found) or "no answers"
