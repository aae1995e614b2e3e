"""LabelingSession: rows go out to people, and what they say is never lost."""

import os
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_regressor

from skbadge.exceptions import QueryWarning
from skbadge.labeling._frames import (
    Progress,
    agreement_frame,
    history_frame,
    labels_frame,
    progress_of,
)
from skbadge.labeling._ledger import Ledger
from skbadge.labeling._ledger_format import holder_of
from skbadge.labeling._live_accuracy import LiveAccuracy
from skbadge.labeling._panel import show_panel
from skbadge.labeling._resolution import RESOLUTIONS
from skbadge.labeling._row_ids import PoolRows
from skbadge.labeling._scalars import Scalar, as_text, from_text
from skbadge.labeling._session_model import SessionModel
from skbadge.labeling._task import Task
from skbadge.querier import BadgeQuerier
from skbadge.utils._life_lock import LifeLock
from skbadge.utils._shown import listed, shown

if TYPE_CHECKING:
    import pandas as pd


class LabelingSession:
    """Hand out the rows that a querier asks for, and keep what people say of them."""

    def __init__(
        self,
        querier: BadgeQuerier,
        X_pool: Any,
        *,
        store: str | PathLike = "labels.sqlite",
        ids: str | ArrayLike | None = None,
        classes: ArrayLike | None = None,
        annotator: str | None = None,
        resolution: Literal["latest", "majority", "refuse"] = "latest",
        train_every: int | None = None,
        batch_size: int = 100,
        lease: float | None = None,
        synchronous: Literal["full", "normal"] = "full",
        timeout: float = 60.0,
    ):
        if not isinstance(querier, BadgeQuerier):
            raise TypeError(f"`querier` must be a BadgeQuerier. Got {shown(querier)}.")
        if resolution not in RESOLUTIONS:
            raise ValueError(
                f"`resolution` must be one of {list(RESOLUTIONS)}. Got "
                f"{shown(resolution)}."
            )
        self.annotator = annotator
        self.resolution, self.train_every = resolution, train_every
        self.batch_size, self.lease = batch_size, lease
        self._accuracy = LiveAccuracy()
        self._pool = PoolRows(X_pool, ids, querier._estimator())
        self._ledger = Ledger(store, timeout=timeout, synchronous=synchronous)
        self._life = LifeLock(f"{os.path.realpath(store)}.locks")
        self._agree_on(querier, classes)
        self._check_rows(self._ledger.standing.rows)

    # What the ledger and the arguments say of one another

    def _agree_on(self, querier, classes):
        """Write down what this session is about, or check that it is the same."""
        given = querier.classes if classes is None else classes
        texts = None if given is None else [as_text(c, "classes") for c in given]
        with self._ledger.describing() as about:
            self._life.acquire()
            if "random_state" not in about:
                seed = querier.random_state
                if not isinstance(seed, int | np.integer):
                    seed = np.random.SeedSequence().generate_state(1)[0]
                about["random_state"] = int(seed)
                about["ids"] = self._pool.source
                about["classes"] = texts
            known = about["classes"]
            if texts is not None:
                missing = sorted(set(known or ()) - set(texts))
                if missing:
                    raise ValueError(
                        "`classes` must hold all classes of the ledger. It lacks "
                        f"{[from_text(text) for text in missing]}."
                    )
                about["classes"] = texts
            about["pool"] = {"n_rows": self._pool.n_rows, "digest": self._pool.digest()}
        self._classes = about["classes"]
        self.classes = (
            None if self._classes is None else [from_text(c) for c in self._classes]
        )
        bare = clone(querier).set_params(random_state=about["random_state"])
        if bare.classes is None and self.classes is not None:
            bare.set_params(classes=self.classes)
        self._model = SessionModel(bare, self._pool, self.resolution)

    def _check_rows(self, rows):
        """Raise if rows that were asked are not what they were."""
        known = [(key, row.digest) for key, row in rows.items() if row.digest]
        known = known[:: max(1, len(known) // 1000)]
        positions = []
        for key, _ in known:
            position = self._pool.position(key)
            if position is None:
                raise ValueError(
                    f"`X_pool` must hold all rows that were asked. The row "
                    f"{from_text(key)!r} is missing."
                )
            positions.append(position)
        for (key, digest), found in zip(
            known, self._pool.digests(positions), strict=True
        ):
            if digest != found:
                raise ValueError(
                    f"The row {from_text(key)!r} of `X_pool` is not what it was when "
                    f"it was asked. Open the session on the pool as it was, or use "
                    "a new `store`."
                )

    # Tasks

    def next(self, n: int = 1, *, annotator: str | None = None) -> list[Task]:
        """The rows to label next."""
        who = self._who(annotator)
        holder = holder_of(who, self._life.name)
        while True:
            self._release_dead()
            with self._ledger.writing() as new:
                standing = self._ledger.standing
                mine = standing.open_with(holder)[:n]
                found = self._in_line(who)[: n - len(mine)]
                if len(mine) + len(found) == n or self._is_used_up():
                    for event in found:
                        new.append(
                            self._event("asked", event.id, who)
                            | {
                                "strategy": event.strategy,
                                "round": event.round,
                                "rank": event.rank,
                                "probability": event.probability,
                                "digest": event.digest,
                            }
                        )
                    break
            self._fill_queue(n - len(mine) - len(found))
        keys = [*mine, *(event.id for event in found)]
        return self._tasks(keys)

    def _tasks(self, keys):
        if not keys:
            return []
        rows = self._pool.rows([self._pool.position(key) for key in keys])
        tasks = []
        for key, row in zip(keys, rows, strict=True):
            asked = self._ledger.standing.rows[key].asked
            tasks.append(
                Task(
                    from_text(key),
                    row,
                    asked.rank,
                    asked.strategy,
                    asked.round,
                    asked.probability,
                )
            )
        return tasks

    def _in_line(self, who):
        """The events that have put rows in line for somebody, the first to ask first.

        Rows that a session has left behind come before those of the queue.
        """
        standing = self._ledger.standing
        found = [standing.rows[key].asked for key in standing.ids_of("returned")]
        taken = {event.id for event in found}
        for event in standing.queue:
            status = standing.status_of(event.id)
            is_for_another = (
                status == "unsure" and who not in standing.rows[event.id].unsure_of
            )
            if event.id not in taken and (status == "free" or is_for_another):
                found.append(event)
        return found

    def _is_used_up(self):
        standing = self._ledger.standing
        n_known = sum(standing.count(s) for s in _NOT_FREE)
        n_queued = len(
            {e.id for e in standing.queue if standing.status_of(e.id) == "free"}
        )
        return n_known + n_queued >= self._pool.n_rows

    def _fill_queue(self, n):
        """Make a query, unless another process just has."""
        if self._is_due():
            self.train()
            return
        self._model.bring_up(self._ledger)
        standing = self._ledger.standing
        known = standing.seq
        rows, report = self._model.ask(standing, max(n, self.batch_size))
        digests = self._pool.digests(rows)
        with self._ledger.writing() as new:
            new.append(
                self._event("queried")
                | {
                    "strategy": report.strategy,
                    "round": standing.round,
                    "rank": len(rows),
                    "refers_to": known,
                    "reason": "; ".join(report.fallbacks) or None,
                }
            )
            for rank, (row, digest) in enumerate(zip(rows, digests, strict=True)):
                new.append(
                    self._event("queued", self._pool.key(row))
                    | {
                        "strategy": report.strategy,
                        "round": standing.round,
                        "rank": rank,
                        "digest": digest,
                    }
                )
        self._model._seq = self._ledger.standing.seq

    def _release_dead(self):
        """Take back the rows of sessions that are no more, and of leases that ended."""
        standing = self._ledger.catch_up()
        late = datetime.now(UTC) - timedelta(seconds=self.lease or 0)
        gone = []
        for key in standing.ids_of("open"):
            asked = standing.rows[key].asked
            is_late = self.lease is not None and (
                datetime.fromisoformat(asked.time) < late
            )
            is_dead = asked.annotator is None and not self._life.is_held(asked.session)
            if is_late or is_dead:
                gone.append((key, asked.seq))
        if not gone:
            return
        with self._ledger.writing() as new:
            for key, seq in gone:
                row = standing.rows[key]
                if row.status == "open" and row.asked.seq == seq:
                    new.append(self._event("released", key))

    # Answers

    def label(self, id: Scalar, y: Scalar, annotator: str | None = None) -> None:
        """Say what a row is."""
        self._answer("labeled", [(id, y)], annotator)

    def label_many(
        self, ids: Iterable[Scalar], y: Iterable[Scalar], annotator: str | None = None
    ) -> None:
        """Say what several rows are: all answers are kept, or none."""
        self._answer("labeled", list(zip(ids, y, strict=True)), annotator)

    def correct(self, id: Scalar, y: Scalar, annotator: str | None = None) -> None:
        """Decide what a row is, whatever was said before."""
        self._answer("corrected", [(id, y)], annotator)

    def skip(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Leave a row out: nobody is asked again, and its labels do not count."""
        self._say("skipped", id, annotator, reason)

    def unsure(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Say that one cannot tell: another person may be asked."""
        self._say("unsure", id, annotator, reason)

    def withdraw(
        self, id: Scalar, reason: str | None = None, annotator: str | None = None
    ) -> None:
        """Take back all labels of a row, which may be asked again."""
        key = self._pool.key_of(id)
        if self._ledger.catch_up().status_of(key) != "answered":
            raise ValueError(f"The row {shown(id)} has no label to withdraw.")
        self._say("withdrawn", id, annotator, reason)

    def undo(self, annotator: str | None = None) -> Scalar | None:
        """Take back what one did last, and return the id of its row."""
        who = self._who(annotator)
        with self._ledger.writing() as new:
            last = self._ledger.last_action(who, self._life.name)
            if last is None:
                return None
            new.append(self._event("undone", last.id, who) | {"refers_to": last.seq})
        return from_text(last.id)

    def _answer(self, kind, pairs, annotator):
        who = self._who(annotator)
        answers = [(self._pool.key_of(id), self._label_text(y)) for id, y in pairs]
        with self._ledger.writing() as new:
            rows = self._ledger.standing.rows
            for key, label in answers:
                new.append(
                    self._event(kind, key, who)
                    | {"label": label}
                    | self._about(rows.get(key), key)
                )
        self._train_if_due()

    def _about(self, row, key):
        """Where an answer stands: what had asked for it."""
        if row is None or row.asked is None:
            digest = None
            if row is None or row.digest is None:
                (digest,) = self._pool.digests([self._pool.position(key)])
            return {"round": self._ledger.standing.round, "digest": digest}
        asked = row.asked
        return {
            "strategy": asked.strategy,
            "round": asked.round,
            "rank": asked.rank,
            "probability": asked.probability,
        }

    def _say(self, kind, id, annotator, reason):
        key, who = self._pool.key_of(id), self._who(annotator)
        with self._ledger.writing() as new:
            row = self._ledger.standing.rows.get(key)
            new.append(
                self._event(kind, key, who) | {"reason": reason} | self._about(row, key)
            )

    def _label_text(self, y):
        text = as_text(y, "y")
        if self._classes is not None and text not in self._classes:
            near = [c for c in self.classes if str(c) == str(from_text(text))]
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"`y` must be one of the classes {listed(self.classes)}. Got "
                f"{shown(y)}.{hint}"
            )
        return text

    # Training

    def train(self) -> Self:
        """Train on all labels there are."""
        standing = self._ledger.catch_up()
        self._model.bring_up(self._ledger)
        labels = self._model.labels(standing)
        if self._model.is_taught(labels):
            return self
        known = standing.seq
        self._model.learn(labels)
        with self._ledger.writing() as new:
            new.append(
                self._event("trained")
                | {"round": standing.round + 1, "refers_to": known}
            )
        self._model.round = self._ledger.standing.round
        return self

    def _is_due(self):
        if self.train_every is None:
            return False
        standing = self._ledger.standing
        if len(standing.fresh) < self.train_every:
            return False
        labels = {label for label, _ in self._model.labels(standing).values()}
        return len(labels) > 1

    def _train_if_due(self):
        if not self._is_due():
            return
        try:
            self.train()
        except Exception as error:
            warnings.warn(
                f"The answer is kept, but the training failed: {error}",
                QueryWarning,
                stacklevel=4,
            )

    @property
    def querier(self) -> BadgeQuerier:
        """The querier as the last training has left it."""
        self._ledger.catch_up()
        self._model.bring_up(self._ledger)
        return self._model.querier

    # What is known

    def labels(self) -> "pd.DataFrame":
        """The labelled rows, by id."""
        self._ledger.catch_up()
        return labels_frame(self._ledger, self.resolution)

    def history(self) -> "pd.DataFrame":
        """All events."""
        return history_frame(self._ledger)

    def progress(self) -> Progress:
        """How far the labelling is."""
        standing = self._ledger.catch_up()
        return progress_of(standing, self._pool.n_rows, self.resolution)

    def agreement(self) -> "pd.DataFrame":
        """The rows that several people answered, and what they said."""
        self._ledger.catch_up()
        return agreement_frame(self._ledger)

    # Panel

    def panel(
        self,
        render: str | tuple[int, ...] | Callable[[Any], Any] | None = None,
        *,
        annotator: str | None = None,
        front: Literal["auto", "widgets", "input"] = "auto",
        pause: float = 0.3,
    ) -> None:
        """Show row after row, with a button and a key for each class.

        In a notebook this is a panel of ipywidgets (extra ``widgets``), which needs no
        JavaScript but theirs: it works in JupyterLab and in VS Code, with the network
        or without. Keys count while the box "keys" has the focus. In a terminal, the
        same keys are asked for by ``input()``.

        What a person does is about the row that they saw: nothing that comes twice, or
        late, or from a page that was loaded again, labels another row. Each answer is
        kept before the next row appears; if it cannot be, the panel says why and stays.
        A panel goes on where another one on the same ledger stopped, which it replaces.

        Where no classes were given, the classes are those seen so far, and another one
        can be typed; so can the numbers of a regressor.

        A curve shows how often the model was right about the last rows before it
        learned of them. These are rows that it finds hard; on the whole pool it is
        right more often. Its guess is not shown, so that it sways nobody.

        Parameters
        ----------
        render : None, "image", tuple of int or callable, default=None
            How a row is shown. None takes a text as it is, a row of a table as names
            and values, and an array of shape (height, width), with channels of colour
            last or first, as a picture. "image" takes as many numbers as a square has
            pixels for a picture, and a tuple is the shape of the picture. A function
            of a row returns any of these, or an object that a notebook can display.

        annotator : str or None, default=None
            Who answers. None is the session's own.

        front : {"auto", "widgets", "input"}, default="auto"
            Where to show it. "auto" takes widgets in a kernel of Jupyter. Pass "input"
            where a kernel has a front end without widgets.

        pause : float, default=0.3
            Seconds after a row has appeared in which nothing counts, since nobody has
            read it yet: so a double click is no answer to the next row.

        Notes
        -----
        The values of a row are shown as they are, never as code of a page. What a
        function of the user returns may be HTML, if it is an object that says so.
        """
        show_panel(self, render, annotator, front, pause)

    @property
    def _takes_numbers(self):
        """Whether labels are numbers, and not classes."""
        return is_regressor(self._model.querier)

    def _guess(self, id):
        """What the model says of a row, as it was trained last; None before that."""
        if self._model.round == 0:
            return None
        X = self._pool.take([self._pool.position(self._pool.key_of(id))])
        return self._model.querier.predict(X)[0]

    # Life

    def close(self) -> None:
        """Give open rows back, unless they are a named person's; close the file."""
        if self._ledger.is_open:
            self._life.release()
            self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _who(self, annotator):
        return self.annotator if annotator is None else annotator

    def _event(self, kind, key=None, annotator=None):
        return {
            "kind": kind,
            "id": key,
            "annotator": annotator,
            "session": self._life.name,
        }


_NOT_FREE = ("open", "returned", "answered", "unsure", "skipped")
