"""Asking the model: which rows to label next, and what it says about rows."""

import warnings
from contextlib import nullcontext
from dataclasses import replace
from time import perf_counter
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers import read_model
from skbadge.pools import is_dataset, row_ids, take_rows
from skbadge.querier._codecs import LabelCodec
from skbadge.querier._delegation import LikeItsEstimator
from skbadge.querier._feasibility import resolve_feasible
from skbadge.querier._fingerprint import fingerprint
from skbadge.querier._query_report import QueryReport
from skbadge.querier._strategy_in_use import (
    check_strategy_suits,
    is_pure,
    kind_of,
)
from skbadge.strategies import ScoreStrategy, get_strategy
from skbadge.utils._place import Place, storing_in
from skbadge.utils._shared_state import exclusive, seeded
from skbadge.utils._streams import stream_seed
from skbadge.utils._typing import Int, Rows


def _has_scores(querier):
    """For `available_if`: whether the strategy scores each row by itself."""
    strategy = get_strategy(querier.strategy, kind_of(querier._any_estimator()))
    if not isinstance(strategy, ScoreStrategy):
        raise AttributeError(f"The strategy {strategy} has no scores of single rows.")
    return True


class Asking(LikeItsEstimator):
    """What a querier says of rows, by its model and its strategy."""

    # Trainings that came after a query, and whether a query was made since the last.
    _n_rounds = 0
    _was_asked = False
    # Whether it was said that the pool holds labelled rows.
    _has_warned = False

    @overload
    def query(
        self,
        X_pool: Rows,
        n: Int = ...,
        *,
        candidates: ArrayLike | None = ...,
        groups: ArrayLike | str | None = ...,
        max_per_group: Int = ...,
        pending: ArrayLike | None = ...,
        return_report: Literal[False] = ...,
    ) -> NDArray[np.int64]: ...

    @overload
    def query(
        self,
        X_pool: Rows,
        n: Int = ...,
        *,
        candidates: ArrayLike | None = ...,
        groups: ArrayLike | str | None = ...,
        max_per_group: Int = ...,
        pending: ArrayLike | None = ...,
        return_report: Literal[True],
    ) -> tuple[NDArray[np.int64], QueryReport]: ...

    def query(
        self,
        X_pool: Rows,
        n: Int = 1,
        *,
        candidates: ArrayLike | None = None,
        groups: ArrayLike | str | None = None,
        max_per_group: Int = 1,
        pending: ArrayLike | None = None,
        return_report: bool = False,
    ) -> NDArray[np.int64] | tuple[NDArray[np.int64], QueryReport]:
        """Select the rows of a pool to label next.

        Parameters
        ----------
        X_pool : array-like of shape (n_pool, n_features), or what the estimator takes
            The unlabelled rows, or all rows with ``candidates``. Of a data frame, the
            answer says positions, as for ``X_pool.iloc[rows]``.

        n : int, default=1
            Number of rows to select. If there are fewer, all are returned, with a
            `skbadge.exceptions.QueryWarning`.

        candidates : array-like of bool of shape (n_pool,), or of distinct ints, or None
            The rows that may be selected, as a mask or by their positions; None for
            all. Strategies that sum over the pool, such as "lcmd" and "bait", still
            read all of it; others select as they would on the candidates alone.

        groups : array-like of shape (n_pool,), "duplicates" or None, default=None
            A value for each row, such as the document it is from. No more than
            ``max_per_group`` rows of equal value are selected. Labelled rows do not
            count. "duplicates" groups rows of equal content.

        max_per_group : int, default=1
            The quota of each group, in this query.

        pending : array-like of bool of shape (n_pool,), or of distinct ints, or None
            Rows that are out for labelling, as a mask or by their positions. They are
            not selected, and count as selected: the strategy keeps away from them, and
            they use up the quota of their groups.

        return_report : bool, default=False
            Whether to return a `QueryReport` as well.

        Returns
        -------
        rows : ndarray of shape (n,)
            int64 positions in ``X_pool``, distinct, in order of selection.

        report : QueryReport
            Only if ``return_report`` is True.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        ValueError
            If ``n`` is negative, ``X_pool`` is not what the model was trained on, the
            model predicts NaN, the strategy needs probabilities of a regressor, or no
            row may be selected.
        """
        with storing_in(Place.of(self.storage)) as place:
            # One thread at a time reads or trains; others may select meanwhile.
            with exclusive():
                self._validate_params()
                estimator = self._trained_estimator("query")
                strategy = self._use_strategy(estimator)
                start = perf_counter()
                X_pool = self._check_X(X_pool, reset=False, name="X_pool")
                feasible = resolve_feasible(
                    X_pool,
                    candidates,
                    groups,
                    max_per_group,
                    pending,
                    self._compared_with(X_pool, strategy),
                )
                self._warn_of_repeats(feasible)
                n = feasible.up_to(n)
                whole, positions = feasible, None
                if feasible.mask is not None and not strategy.reads_population:
                    # The others have no part in it: they need not even be read.
                    positions, feasible = feasible.restricted()
                    X_pool = take_rows(X_pool, positions)
                pool, labeled = self._read_both(estimator, strategy, X_pool)
                read = perf_counter()
                self._was_asked = True
                seed = stream_seed(self.random_state, f"query-{self._round_name()}")
            with self._alone(strategy, seed):
                selection = strategy.run(
                    pool, n, labeled=labeled, feasible=feasible, random_state=seed
                )
        done = perf_counter()
        rows = selection.rows
        rows = rows if positions is None else positions[rows]
        nbytes = pool.nbytes + selection.nbytes
        report = QueryReport(
            **vars(selection) | {"rows": rows, "nbytes": nbytes},
            strategy=str(strategy),
            n_pool=whole.n_rows,
            n_candidates=whole.n_left,
            seconds={"outputs": read - start, "select": done - read},
            nbytes_spilled=place.nbytes_spilled,
        )
        self._say(str(report))
        return (rows, report) if return_report else rows

    def outputs(
        self,
        X: Rows,
        *,
        needs: Needs | str | tuple[str, ...] | None = None,
        like: Outputs | None = None,
    ) -> Outputs:
        """What the model says about rows, read as `query` reads it.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features), or what the estimator takes
            The rows.

        needs : Needs, str, tuple of str or None, default=None
            What to read; None for what the strategy in use needs.

        like : Outputs or None, default=None
            What this method said of other rows, such as the pool. The features of a
            model without layers are its input with columns standardised: by those rows,
            or else by ``X`` itself.

        Returns
        -------
        outputs : Outputs
            With these fields. Sketches and dropout masks are those of a query.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        """
        self._validate_params()
        estimator = self._trained_estimator("outputs")
        if needs is None:
            needs = self._use_strategy(estimator).needs
        X = self._check_X(X, reset=False)
        needs = Needs.of(needs)
        options = self._options(needs)
        if like is not None:
            options = replace(options, scaling=like.scaling)
        with storing_in(Place.of(self.storage)), seeded(self._seed("inference")):
            return self._read(estimator, X, needs, options)

    @available_if(_has_scores)
    def score_pool(self, X_pool: Rows) -> NDArray[np.float64]:
        """Score rows by the strategy: the greater, the sooner to be labelled.

        Only with strategies that score each row by itself: "entropy", "margin",
        "least_confidence", "bald" for a classifier, and any `ScoreStrategy`.

        Parameters
        ----------
        X_pool : array-like of shape (n_pool, n_features), or what the estimator takes
            The rows.

        Returns
        -------
        scores : ndarray of shape (n_pool,)
            float64, as the strategy documents them.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        """
        outputs = self.outputs(X_pool)
        with self._alone(self.strategy_, self._seed("scores")):
            return self.strategy_.checked_score(outputs)

    def _alone(self, strategy, seed):
        """What a selection shares with other threads, held on to; nothing as a rule."""
        if is_pure(strategy):
            return nullcontext()
        return seeded(None if self.random_state is None else seed)

    def _compared_with(self, X_pool, strategy):
        """The labelled rows, if it matters which rows of a pool equal one of them."""
        # A rule that sums over the pool and them is to count each row once.
        counts = strategy.reads_population and Needs.of(strategy.needs).labeled
        # A data set would be read row by row for the sake of a warning.
        warns = not (self._has_warned or is_dataset(X_pool))
        return self._labeled.X if self._n_labeled() and (counts or warns) else None

    def _warn_of_repeats(self, feasible):
        if feasible.repeats is None or self._has_warned:
            return
        n_repeats = int((feasible.repeats & feasible.open().mask).sum())
        if n_repeats:
            self._has_warned = True
            warnings.warn(
                f"{n_repeats} rows that may be selected equal labelled ones. Leave "
                "them out, such as by `candidates`, so that no label is spent twice.",
                QueryWarning,
                stacklevel=3,
            )

    def _n_labeled(self):
        return len(self._labeled.y) if hasattr(self, "_labeled") else 0

    def _read_both(self, estimator, strategy, X_pool):
        """What the model says about a pool and the labelled rows."""
        needs = Needs.of(strategy.needs)
        options = self._options(needs)
        with seeded(self._seed("inference")):
            pool = self._read(estimator, X_pool, needs, options)
            if not needs.labeled or not self._n_labeled():
                return pool, None
            rows = self._labeled.lent()
            options = replace(options, scaling=pool.scaling)
            outputs = self._read(estimator, rows.X, needs, options)
        columns = self._codec.columns(rows.y, innermost(estimator))
        ids = row_ids(rows.X) if needs.ids else None
        return pool, Labeled(outputs, rows.y, columns, ids)

    def _read(self, estimator, X, needs, options):
        """What the model says about rows, with a column for each class."""
        outputs = read_model(estimator, X, needs, options)
        codec = getattr(self, "_codec", None)
        for part in (outputs.proba, outputs.posterior):
            if part is not None and isinstance(codec, LabelCodec):
                codec.check_width(part.shape[-1])
        return outputs

    def _options(self, needs):
        """How to read; one seed for pool and labelled rows."""
        seed = None
        if needs.posterior or needs.gradients:
            # They must have the same dropout masks and be sketched alike.
            seed = stream_seed(self.random_state, "posterior")
        return ReadingOptions(self.feature_layer, self.inference_batch_size, seed)

    def _use_strategy(self, estimator):
        """The strategy in use, fresh if it is another than before.

        It may have learned something, so it is kept while class and parameters are
        equal by value.
        """
        wanted = get_strategy(self.strategy, kind_of(estimator))
        wanted._validate_params()
        check_strategy_suits(wanted, estimator)
        mark = fingerprint(wanted)
        if not (hasattr(self, "strategy_") and mark.is_same(self._strategy_mark)):
            self.strategy_, self._strategy_mark = clone(wanted), mark
        return self.strategy_

    def _round_name(self):
        """A name for the stream of each round, whether it trains on or starts over.

        So the draws of one round do not repeat another's, after `forget` either.
        """
        return f"{self._n_rounds}-{self._n_labeled()}"

    def _say(self, message):
        if self.verbose:
            print(f"[{type(self).__name__}] {message}")
