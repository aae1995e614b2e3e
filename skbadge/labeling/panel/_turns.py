"""Turns: the rows that somebody looks at, one after another, and what they do."""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

from skbadge.labeling.ledger._scalars import as_text
from skbadge.labeling.panel._answer_keys import AGAIN, SKIP, UNDO, UNSURE, keys_of
from skbadge.labeling.panel._contents import TextContent, content_of, square
from skbadge.utils._shown import shown

SAVING, TRAINING, CHOOSING = "saving ...", "training ...", "choosing the next row ..."


class Action(NamedTuple):
    """What a person may do now: a key, a name, and a function that does it.

    The function returns a note, which is empty as a rule, and raises if it could not be
    done; the row is the same then.
    """

    key: str
    name: str
    act: Callable[[], str]
    is_class: bool = False

    @property
    def title(self):
        """The name, with the key where that is another."""
        has_key = self.key and self.key != self.name
        return f"{self.name} [{self.key}]" if has_key else self.name


class Turns:
    """The rows that somebody looks at, one after another, and what they do.

    Parameters
    ----------
    session : LabelingSession
        Which hands out rows and keeps answers.

    annotator : str or None
        Who answers.

    render : None, "image", tuple of int or callable
        How rows are shown.

    tell : callable
        Called with what is being done, before something that may take long.

    Attributes
    ----------
    task : Task or None
        The row that is shown; None if there is none.

    number : int
        Counts the rows shown. An action is about one turn, and does nothing later.

    progress : Progress
        That of the session.
    """

    def __init__(self, session, annotator, render, tell):
        self.session, self.annotator, self.tell = session, annotator, tell
        self._render = _renderer(render)
        self._guesses = {}
        self.task, self.number = None, 0
        self.progress = session.progress()

    def end(self):
        """Let go of the session, which ends with its last owner."""
        self.session = None
        self.number += 1

    @property
    def takes_texts(self):
        """Whether a person may type a label."""
        return self.session.classes is None

    def look(self):
        """Find out which row is next."""
        self.task = None
        self.number += 1
        self.tell(CHOOSING)
        self._show(self._next())

    def _next(self):
        return next(iter(self.session.next(1, annotator=self.annotator)), None)

    def _show(self, task):
        if task is not None and task.id not in self._guesses:
            self._guesses[task.id] = self.session._guess(task.id)
        self.progress = self.session.progress()
        self.task = task

    def content(self):
        """What to show of the row: a content, or an object of the user's function."""
        if self.task is None:
            return TextContent("There is no row to ask about now.")
        try:
            return self._render(self.task.row)
        except Exception as error:
            return TextContent(f"`render` failed. {type(error).__name__}: {error}")

    def actions(self):
        """What may be done now, the classes first: a list of `Action`."""
        undo = Action(UNDO, "undo", self._at(self._undo))
        if self.task is None:
            return [Action(AGAIN, "look again", self._at(self.look)), undo]
        return [
            *(
                Action(key, str(label), self.labeling(label), is_class=True)
                for key, label in self._keys()
            ),
            Action(SKIP, "skip", self._at(self._say, self._skip)),
            Action(UNSURE, "unsure", self._at(self._say, self._unsure)),
            undo,
        ]

    def _keys(self):
        if self.session._takes_numbers:
            return []
        classes = self.session.classes
        return keys_of([*self.progress.by_class] if classes is None else classes)

    def labeling(self, label):
        """A function that answers the row that is shown now."""
        return self._at(self._say, self._label, label)

    def typing(self):
        """A function of a text that answers the row that is shown now."""
        return self._at(lambda text: self._say(self._label, self._typed(text)))

    def _at(self, act, *args):
        turn = self.number

        def act_in_turn(*more):
            # What was meant for another row is nothing for this one.
            return (act(*args, *more) or "") if turn == self.number else ""

        return act_in_turn

    def _say(self, say, *args):
        self.tell(SAVING)
        now = self._next()
        if now is None or now.id != self.task.id:
            # In another process, or by a line of code.
            self.number += 1
            self._show(now)
            return "The row before was answered elsewhere, and is left as it is."
        say(now.id, *args)
        return self.look()

    def _skip(self, id):
        self.session.skip(id, annotator=self.annotator)

    def _unsure(self, id):
        self.session.unsure(id, annotator=self.annotator)

    def _label(self, id, y):
        train_every, progress = self.session.train_every, self.progress
        if train_every is not None and progress.n_new + 1 >= train_every:
            self.tell(TRAINING)
        self.session.label(id, y, annotator=self.annotator)
        guess = self._guesses[id]
        if guess is not None:
            hit = as_text(guess, "y") == as_text(y, "y")
            self.session._accuracy.add(id, hit, progress.n_trainings)

    def _undo(self):
        self.tell(SAVING)
        undone = self.session.undo(annotator=self.annotator)
        if undone is None:
            return "There is nothing to undo."
        self.session._accuracy.remove(undone)
        return self.look()

    def _typed(self, text):
        """The label that a text stands for."""
        text = text.strip()
        if not text:
            raise ValueError("Type a label first.")
        known = [*self.progress.by_class]
        read, kind = int, "whole number, like the others"
        if self.session._takes_numbers:
            read, kind = float, "number"
        elif not known or not all(type(label) is int for label in known):
            return text
        try:
            is_number = isfinite(value := read(text))
        except (ValueError, OverflowError):
            is_number = False
        if not is_number:
            raise ValueError(f"The label must be a {kind}. Got {shown(text)}.")
        return value


def _renderer(render):
    """A function of a row that gives a content, or an object of the user's function."""
    if callable(render):

        def call(row):
            found = render(row)
            content = content_of(found)
            return found if content is None else content

        return call
    if render is not None and render != "image" and not isinstance(render, tuple):
        raise ValueError(
            "`render` must be None, 'image', the shape of a picture such as (28, 28), "
            f"or a function of a row. Got {shown(render)}."
        )

    def look_at(row):
        shape = square(row) if render == "image" else render
        return content_of(row, shape) or TextContent(repr(row))

    return look_at
