"""LabelingSession: rows go out to people, and what they say is never lost."""

from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Literal, Self

from numpy.typing import ArrayLike

from skbadge.exceptions import QueryWarning
from skbadge.labeling._arguments import (
    LabelReader,
    check_annotator,
    check_options,
)
from skbadge.labeling._opening import settle
from skbadge.labeling._taking_answers import TakingAnswers
from skbadge.labeling.files._exchange import FileExchange
from skbadge.labeling.ledger._ledger import Ledger
from skbadge.labeling.ledger._scalars import Scalar, from_text
from skbadge.labeling.panel._panel import PanelMixin
from skbadge.labeling.rounds._desk import Desk
from skbadge.labeling.rounds._reserve import Reserve
from skbadge.labeling.rounds._rounds import TURN, Rounds
from skbadge.labeling.rounds._row_ids import PoolRows
from skbadge.labeling.rounds._task import Task
from skbadge.labeling.rounds._taught_querier import TaughtQuerier
from skbadge.labeling.rounds._watch import Watch
from skbadge.monitoring import Monitor
from skbadge.querier import BadgeQuerier
from skbadge.utils._caller import warn_caller
from skbadge.utils._life_lock import LifeLock
from skbadge.utils._shown import shown
from skbadge.utils._typing import Rows
from skbadge.utils._validation import is_int


class LabelingSession(TakingAnswers, FileExchange, PanelMixin):
    """Hand out the rows that a querier asks for, and keep what people say of them.

    All that happens is written to a ledger, a SQLite file, before a method returns. A
    session that ended in whatever way goes on where it stopped: open it again with the
    same arguments. Several processes and people may label from one ledger at once.

    Parameters
    ----------
    querier : BadgeQuerier
        What asks. A clone is trained on the ledger's labels; it stays as it is. Without
        a ``random_state`` that is an int, the session draws one, and keeps it.

    X_pool : array-like of shape (n_pool, n_features), or what the querier takes
        The rows, of any kind that `BadgeQuerier.query` takes, chunked ones too.

    store : path-like, default="labels.sqlite"
        The ledger, made if there is none. It must be on a disk of this machine. While
        sessions are open, SQLite's own files and a folder of locks lie beside it.

    ids : None, str or array-like of shape (n_pool,), default=None
        What rows are called: a column's name, or one id for each row. None takes the
        index of a data frame of pandas, if it is unique and of strings or numbers, or
        the id column of a pool in chunks, and else positions. Ids are strings, ints,
        floats or bools. A column is taken out of what the model gets; that of a pool in
        chunks must be its id column or none that its chunks have. A row is known again
        by its id, so that the order of the pool may change, and rows may be added.

    classes : array-like of shape (n_classes,) or None, default=None
        All labels that may be given. None takes those of the querier or of the ledger;
        without any, every label is taken. Later, some may be added, and those may go
        that no row was ever given.

    annotator : str or None, default=None
        Who answers, unless a method is told otherwise. Rows that are out with a named
        person are theirs in every process, until they are answered or given back. Those
        of a session without a name are free once it ends.

    resolution : {"latest", "majority", "refuse"}, default="latest"
        What label a row has to which people gave several: that of the last answer;
        that of most people, and none where as many say something else; or none at all,
        so that `train` refuses. A correction outdoes all answers before it.

    train_every : int or None, default=None
        Train by itself once that many answers are new, changed or taken back, and all
        there are of two kinds at least. Those to rows of the audit do not count.

    audit_share : float, default=0.0
        So much of each batch are rows drawn at random, from 0 to 0.5, on which nothing
        is ever trained: a random audit, see `audit`. They stand at random places
        between the others.

    monitor : Monitor or None, default=None
        Told of each round before the training that ends it. Panels and `progress` show
        what it says of the last one, in a line.

    batch_size : int, default=100
        How many rows a query looks for. Those who label share them: `next` hands them
        out in order, until the next training or until they are used up.

    lease : float or None, default=None
        Seconds after which an open row may go to somebody else. None for no limit.

    synchronous : {"full", "normal"}, default="full"
        Whether an answer outlives a crash of the whole machine as soon as it is given.
        It outlives the process in any case.

    timeout : float, default=60.0
        Seconds to wait for other processes that are writing.

    Attributes
    ----------
    classes : list or None
        All labels that may be given.

    Raises
    ------
    ValueError
        If the file is something else, or rows of the ledger are missing in ``X_pool``
        or have changed. The file is left as it is.
    OSError
        If the file cannot be read or written, here or in any method, and why.

    Notes
    -----
    The same calls on the same pool with the same seed ask for the same rows, whether
    or not the session was closed or killed in between. The model is trained again from
    the ledger's labels when it is needed first; with ``warm_start=True``, or a strategy
    that learns over the rounds, all trainings and queries are repeated for it.

    The table ``events`` of the ledger is for any program that reads SQLite. Ids and
    labels are JSON in it.

    Several threads may use a session.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.labeling import LabelingSession
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     with LabelingSession(querier, X, store=f"{folder}/a.sqlite") as session:
    ...         for task in session.next(10):
    ...             session.label(task.id, y[task.id])
    ...         session = session.train()
    ...         print([task.strategy for task in session.next(2)])
    ...         print(len(session.labels()), session.progress().n_open)
    ['Badge()', 'Badge()']
    10 2
    """

    def __init__(
        self,
        querier: BadgeQuerier,
        X_pool: Rows,
        *,
        store: str | PathLike = "labels.sqlite",
        ids: str | ArrayLike | None = None,
        classes: ArrayLike | None = None,
        annotator: str | None = None,
        resolution: Literal["latest", "majority", "refuse"] = "latest",
        train_every: int | None = None,
        audit_share: float = 0.0,
        monitor: Monitor | None = None,
        batch_size: int = 100,
        lease: float | None = None,
        synchronous: Literal["full", "normal"] = "full",
        timeout: float = 60.0,
    ):
        check_options(
            querier,
            resolution=resolution,
            train_every=train_every,
            audit_share=audit_share,
            monitor=monitor,
            batch_size=batch_size,
            lease=lease,
            synchronous=synchronous,
            timeout=timeout,
        )
        check_annotator(annotator)
        audit_share = float(audit_share)
        if hasattr(querier, "y_labeled_"):
            warn_caller(
                "The labels that `querier` was fitted to have no part in the session: "
                "a clone is trained on those of the ledger. Have their rows in the "
                "pool, and give their labels by `label_many`.",
                QueryWarning,
            )
        self.store, self.annotator = Path(store), annotator
        self.resolution, self.train_every = resolution, train_every
        self.monitor = monitor
        self._pool = PoolRows(X_pool, ids, querier._estimator())
        self._life = LifeLock(store, extra="labeling")
        self._ledger = Ledger(
            store, session=self._life.name, timeout=timeout, synchronous=synchronous
        )
        try:
            texts, bare = settle(
                self._ledger, self._life, self._pool, querier, classes, audit_share
            )
        except BaseException:
            self.close()
            raise
        self._reader = LabelReader(texts, bare)
        reserve = Reserve(self._pool, bare.random_state, audit_share)
        self._desk = Desk(self._ledger, self._pool, reserve, self._life, lease)
        self._rounds = Rounds(
            self._ledger,
            self._pool,
            reserve,
            TaughtQuerier(bare, self._pool, reserve),
            self._life,
            Watch(monitor, self._pool),
            resolution=resolution,
            batch_size=batch_size,
            patience=timeout,
        )

    @property
    def classes(self) -> list[Scalar] | None:
        """All labels that may be given; None if any may."""
        return self._reader.classes

    def __repr__(self):
        who = "" if self.annotator is None else f", annotator={self.annotator!r}"
        return f"LabelingSession(store={str(self.store)!r}{who})"

    # Rows go out

    def next(self, n: int = 1, *, annotator: str | None = None) -> list[Task]:
        """Take the rows to label next.

        Parameters
        ----------
        n : int, default=1
            How many.

        annotator : str or None, default=None
            For whom; None for the session's.

        Returns
        -------
        tasks : list of Task
            First the rows that are open with this person already, then new ones, in the
            order of selection. They are fewer than ``n`` if no more rows are left.

        Notes
        -----
        The querier is asked when the rows of the last query are used up, or a training
        has come since. Rows that are out, or answered and not yet trained on, count as
        picked.
        """
        if not is_int(n) or n < 0:
            raise ValueError(f"`n` must be an int >= 0. Got {shown(n)}.")
        who = self._who(annotator)
        # A process may have ended between an answer and the training after it.
        self._train_if_due()
        fewer = False
        while (keys := self._desk.take(n, who, fewer=fewer)) is None:
            fewer = not self._rounds.fill_queue(
                lambda standing: self._desk.n_missing(standing, n, who)
            )
        return self._tasks(keys)

    def task(self, id: Scalar) -> Task:
        """The task of a row that was handed out before, such as one to correct.

        Parameters
        ----------
        id : str, int, float or bool
            The row's.

        Returns
        -------
        task : Task
            As `next` has returned it.

        Raises
        ------
        ValueError
            If the row was never handed out.
        """
        key = self._pool.key_of(id)
        row = self._ledger.catch_up().rows.get(key)
        if row is None or row.asked is None:
            raise ValueError(f"The row {shown(id)} was never handed out.")
        return self._tasks([key])[0]

    def _tasks(self, keys):
        if not keys:
            return []
        rows = self._pool.rows(self._pool.positions(keys))
        with self._ledger.lock:
            whys = [self._ledger.standing.rows[key].asked.why for key in keys]
        return [
            Task(from_text(key), row, **why._asdict())
            for key, row, why in zip(keys, rows, whys, strict=True)
        ]

    def give_back(self, *, annotator: str | None = None) -> None:
        """Let others have somebody's open rows.

        Parameters
        ----------
        annotator : str or None, default=None
            Whose; None for the session's.
        """
        self._desk.give_back(self._who(annotator))

    # The model

    def train(self) -> Self:
        """Train on the labels there are, by `resolution` one for each row.

        Nothing happens if the last training was on the same labels.

        Returns
        -------
        self : LabelingSession
            Whose next query asks the new model.

        Raises
        ------
        ValueError
            If there are no labels, or, with ``resolution="refuse"``, if some contradict
            each other.
        """
        self._rounds.train()
        return self

    @property
    def querier(self) -> BadgeQuerier:
        """The querier as the last training left it: to predict, or to be saved.

        It is unfitted before the first training. Trained by other processes, or before
        this session was opened, it is trained again when it is asked for.
        """
        return self._rounds.trained()

    # Life

    def close(self) -> None:
        """Close the ledger. Open rows of nobody named are free then."""
        if not self._ledger.is_open:
            return
        try:
            # If nothing can be written, the operating system still frees the lock.
            if not self._ledger.is_inherited:
                with suppress(OSError), self._ledger.about():
                    self._life.release()
                    self._life.tidy(TURN)
        finally:
            self._life.release()
            self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
