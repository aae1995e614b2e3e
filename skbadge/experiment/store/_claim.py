"""Claim: a run that a worker is to do, and what it hands back."""

import pickle
import traceback
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Claim:
    """A run that this worker is to do, by `ResultStore.claim`.

    Parameters
    ----------
    hash : str
        Of the configuration.

    config : dict
        What to do.

    state : object or None
        What `record` was last given; None to start from the beginning.

    store : ResultStore
        Where it comes from.
    """

    hash: str
    config: dict
    state: object
    store: object = field(repr=False)

    def check_data(self, digest):
        """Raise if runs on the same data set have seen other rows or targets.

        Parameters
        ----------
        digest : str
            Of the rows and targets as they were read for this run.

        Raises
        ------
        ValueError
            If there are evaluations made on others.
        """
        self.store._check_data(self.hash, digest)

    def record(self, evaluation, state):
        """Keep an evaluation and the state after it, both or neither.

        Parameters
        ----------
        evaluation : Evaluation
            Of the next round.

        state : object
            To go on from. If it cannot be pickled, an interrupted run starts over.

        Raises
        ------
        ValueError
            If the run is not claimed any more.
        """
        self.store._record(self.hash, evaluation, _pickled(state))

    def finish(self):
        """Mark the run as done."""
        self.store._end(self.hash, "done")

    def fail(self, error):
        """Mark the run as failed; its evaluations so far stay.

        Parameters
        ----------
        error : BaseException
            What stopped it.
        """
        lines = "".join(traceback.format_exception(error))
        self.store._end(self.hash, "failed", (type(error).__name__, str(error), lines))

    def release(self):
        """Give the run back, to be gone on with by whoever claims it next."""
        self.store._release(self.hash)


def _pickled(state):
    try:
        return pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        # Objects that cannot be pickled say so by errors of any type.
        return None
