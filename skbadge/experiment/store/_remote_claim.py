"""RemoteClaim: a claim carried to where there is no store, and what came of it."""

import json
import socket
from dataclasses import dataclass, field, replace

from skbadge.experiment.store._claim import check_data_is, failure_of
from skbadge.experiment.store._configuration import current_versions


@dataclass(eq=False)
class RemoteClaim:
    """Stands for a `Claim` on another machine: keeps what it is told, to be told on.

    Parameters
    ----------
    hash, config, state
        Of the claim.

    seen : dict of str to int
        How many runs on the same data set have results, by the digest of its rows.
    """

    hash: str
    config: dict
    state: object
    seen: dict[str, int]
    evaluations: list = field(default_factory=list)
    digest: str | None = None
    failure: tuple[str, str, str] | None = None
    is_finished: bool = False
    host: str | None = None
    versions: str | None = None

    @classmethod
    def of(cls, claim):
        """What to send for a claim."""
        return cls(claim.hash, claim.config, claim.state, claim.data_seen())

    def check_data(self, digest):
        """As `Claim.check_data`, by what was known when it was sent."""
        check_data_is(digest, self.seen, self.config["dataset"])
        self.digest = digest

    def record(self, evaluation, state):
        """Keep an evaluation, without the rows and the report that no store keeps."""
        self.evaluations.append(replace(evaluation, rows=None, report=None))

    def finish(self):
        self.is_finished = True

    def fail(self, error):
        self.failure = failure_of(error)

    def release(self):
        """Nothing more is told, so that the run is pending again."""

    def sent_back(self):
        """What to send back: what was told here, by whom, and no state."""
        here = {
            "host": socket.gethostname(),
            "versions": json.dumps(current_versions()),
        }
        return replace(self, state=None, **here)

    def tell(self, claim, n_deaths):
        """Tell the claim that this was sent for all that it was told.

        Parameters
        ----------
        claim : Claim
            Of the run.

        n_deaths : int
            How many workers died with the run before.

        Returns
        -------
        refusal : ValueError or None
            Of data, other rows of which were seen meanwhile. The run is pending then.
        """
        claim.was_at(self.host, self.versions, n_deaths)
        try:
            if self.digest is not None:
                claim.check_data(self.digest)
        except ValueError as error:
            claim.release()
            return error
        for evaluation in self.evaluations:
            claim.record(evaluation, None)
        if self.failure is not None:
            claim.fail_with(*self.failure)
        elif self.is_finished:
            claim.finish()
        else:
            claim.release()
        return None
