"""What a querier holds of labels: rows, classes, corrections, and doubts about them."""

import warnings
from contextlib import contextmanager
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError

from skbadge.exceptions import QueryWarning
from skbadge.querier._asking import Asking
from skbadge.querier._checks import (
    check_named_before,
    check_y,
    describe_unlabeled_mark,
    resolve_classes,
)
from skbadge.querier._feasibility import read_positions
from skbadge.querier._labeled_rows import LabeledRows
from skbadge.utils._shared_state import exclusive
from skbadge.utils._typing import Rows
from skbadge.utils._validation import check_masked


class HoldingLabels(Asking):
    """A querier's labelled rows, and the classes that were named."""

    _labeled: LabeledRows

    @property
    def X_labeled_(self) -> Rows:
        """All labelled rows so far, of the kind that `fit` was given."""
        return self._kept("X")

    @property
    def y_labeled_(self) -> NDArray:
        """Their labels or targets, an ndarray with one entry for each."""
        return self._kept("y")

    def _kept(self, name):
        if not hasattr(self, "_labeled"):
            raise AttributeError(
                f"No rows are labelled yet. Call `fit` for `{name}_labeled_`."
            )
        return getattr(self._labeled, name)

    @exclusive()
    def relabel(self, rows: ArrayLike, y: ArrayLike) -> Self:
        """Correct labels; the next `partial_fit` trains on them.

        Parameters
        ----------
        rows : array-like of distinct ints of shape (n_relabeled,), or boolean mask
            Positions in `X_labeled_`.

        y : array-like of shape (n_relabeled,) or (n_relabeled, n_outputs)
            The labels in place of those there are.

        Returns
        -------
        self : BadgeQuerier
            With other labels, and the same model until ``partial_fit()`` is called.

        Notes
        -----
        Positions in the pool are others. Keep a list of the rows of the pool in the
        order in which they were labelled, and look them up there.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skbadge import BadgeQuerier
        >>> X, y = load_iris(return_X_y=True)
        >>> labelled = [0, 50, 100, 10, 60]
        >>> querier = BadgeQuerier(LogisticRegression()).fit(X[labelled], y[labelled])
        >>> querier = querier.relabel([labelled.index(100)], [1]).partial_fit()
        >>> querier.y_labeled_
        array([0, 1, 1, 0, 1])
        """
        positions = self._labeled_positions(rows, "relabel")
        if not len(positions) and not len(np.asarray(y)):
            return self
        labels = check_y(self, y, positions, self._estimator())
        known = self._known_classes()
        if known is not None:
            resolve_classes(known, labels, keep_order=True)
        self._labeled = self._labeled.relabeled(positions, labels)
        return self

    @exclusive()
    def forget(self, rows: ArrayLike) -> Self:
        """Leave out labelled rows; the next `partial_fit` trains without them.

        Parameters
        ----------
        rows : array-like of distinct ints of shape (n_forgotten,), or boolean mask
            Positions in `X_labeled_`.

        Returns
        -------
        self : BadgeQuerier
            With fewer labelled rows, and the same model until ``partial_fit()`` is
            called.
        """
        positions = self._labeled_positions(rows, "forget")
        self._labeled = self._labeled.without(positions)
        self._n_losses += len(positions) > 0
        return self

    def _labeled_positions(self, rows, method):
        if not hasattr(self, "_labeled"):
            raise NotFittedError(
                f"This {type(self).__name__} has no labelled rows yet. Call 'fit' "
                f"before using '{method}'."
            )
        return read_positions(rows, len(self._labeled.y), "rows", "X_labeled_")

    def _known_classes(self):
        """All labels that may occur, if they were named, as they were then."""
        if self.classes is None:
            return getattr(self, "_first_classes", None)
        given, _ = getattr(self, "_classes_as_named", (None, None))
        if given is not self.classes:
            check_masked(self.classes, "classes")
            self._classes_as_named = self.classes, _copied(self.classes)
        return self._classes_as_named[1]

    @contextmanager
    def _as_it_was_if_refused(self):
        """Let a call that raises before its rows are kept change nothing."""
        parameters = self._get_param_names()
        before = {k: v for k, v in vars(self).items() if k not in parameters}
        try:
            yield
        except BaseException:
            if vars(self).get("_labeled") is before.get("_labeled"):
                for name in vars(self).keys() - before.keys() - set(parameters):
                    delattr(self, name)
                vars(self).update(before)
            raise

    def _keep_classes(self, classes, is_first):
        """Keep the classes of the first call; later ones may repeat them."""
        known = self._known_classes()
        # The training of calls before may have failed.
        is_first = is_first or (known is None and not hasattr(self, "classes_"))
        if is_first and self.classes is None:
            self._first_classes = _copied(classes)
            return
        check_named_before(classes, self.classes_ if known is None else known)

    def _warn_of_labels(self, rows):
        """Say once what is odd about the labels of a classifier."""
        if "mark" not in self._doubts and self._known_classes() is None:
            self._doubt("mark", describe_unlabeled_mark(rows.y))
        if "contradiction" not in self._doubts:
            self._doubt("contradiction", rows.describe_contradiction())

    def _take_labels_as_they_are(self):
        """Be silent about labels that nobody can correct, as in a simulation.

        And about its start, which is asked for, and rows that equal labelled ones.
        """
        self._doubts = ("mark", "contradiction", "start")
        self._has_warned = True

    def _doubt(self, kind, message):
        if message is not None:
            self._doubts += (kind,)
            # Past `fit`, its two decorators, and four functions of our own.
            warnings.warn(message, QueryWarning, stacklevel=8)


def _copied(classes):
    # Of a tensor itself, NumPy makes a copy with a warning.
    return np.array(np.asarray(classes))
