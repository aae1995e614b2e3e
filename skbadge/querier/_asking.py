"""Asking the model: which rows to label next, and what it says about rows."""

from dataclasses import replace
from time import perf_counter
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if

from skbadge.exceptions import QueryWarning
from skbadge.outputs import Needs, Outputs
from skbadge.pools import as_pool
from skbadge.querier._answering import Answering, is_pool
from skbadge.querier._query_report import QueryReport
from skbadge.querier._strategy_in_use import kind_of
from skbadge.strategies import ScoreStrategy, get_strategy
from skbadge.utils._caller import warn_caller
from skbadge.utils._fast_products import noting_products
from skbadge.utils._place import Place, storing_in
from skbadge.utils._shared_state import seeded
from skbadge.utils._typing import Int, Rows
from skbadge.utils._under_way import said_by


def _has_scores(querier):
    """For `available_if`: whether the strategy scores each row by itself."""
    strategy = get_strategy(querier.strategy, kind_of(querier._any_estimator()))
    if not isinstance(strategy, ScoreStrategy):
        raise AttributeError(f"The strategy {strategy} has no scores of single rows.")
    return True


class Asking(Answering):
    """What a querier says of rows, by its model and its strategy."""

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
        subsample: Int | None = ...,
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
        subsample: Int | None = ...,
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
        subsample: Int | None = None,
        return_report: bool = False,
    ) -> NDArray[np.int64] | tuple[NDArray[np.int64], QueryReport]:
        """Select the rows of a pool to label next.

        Before there is a trained model, ``cold_start`` selects in place of the
        strategy, by the rows alone; a `skbadge.exceptions.QueryWarning` and the
        report's ``fallbacks`` say so. That is so before the first `fit`, and while the
        labelled rows are of one class and cannot train the estimator, or make a model
        that is certain of it. Strategies that need no model wait for the first training
        only.

        Parameters
        ----------
        X_pool : array-like of shape (n_pool, n_features), or what the estimator takes
            The unlabelled rows, or all rows with ``candidates``. Of a data frame, the
            answer says positions, as for ``X_pool.iloc[rows]``. A pool that does not
            fit in memory comes in chunks: a `skbadge.pools.ChunkedPool`, or a Dask
            array or data frame.

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
            count. "duplicates" groups rows of equal content; scores select copies last
            in any case, see `skbadge.strategies.ScoreStrategy`. Of a pool in chunks, it
            may be the name of a column.

        max_per_group : int, default=1
            The quota of each group, in this query.

        pending : array-like of bool of shape (n_pool,), or of distinct ints, or None
            Rows that are out for labelling, as a mask or by their positions. They are
            not selected, and count as selected: the strategy keeps away from them, and
            they use up the quota of their groups.

        subsample : int or None, default=None
            Select among that many rows only, drawn uniformly from those that may be
            selected, and at least ``n``. No other rows are read.

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
            If there is no trained model yet, and ``cold_start`` is None.
        ValueError
            If ``n`` is negative, ``X_pool`` is not what the model was trained on, the
            model predicts NaN, the strategy needs probabilities of a regressor, no
            row may be selected, or ``cold_start`` needs a model.

        Notes
        -----
        What ``cold_start`` sees of the rows, once for each query:

        * Steps of a Pipeline before the model are fitted to the pool as clones, without
          labels. Those that learn from labels are left out.
        * A data frame with other columns than numbers goes through
          `skbadge.nn.table_preprocessor`, but for columns of texts that hardly recur.
        * Arrays of more than two axes, such as images, are flattened.
        * Columns are standardised over the pool. Those that are zero in at least half
          of the rows are divided by their greatest absolute value, and missing values
          count as the mean.
        * Where no numbers come out, as of texts, paths, dicts of arrays and torch
          Datasets, rows are drawn at random.
        * Of a pool in chunks, a uniform sample of 35,000 of the rows that may be
          selected is taken into memory, and selected from.
        """
        X_pool, start = as_pool(X_pool), perf_counter()
        self._validate_params()
        # A start looks at a sample of such a pool, in memory.
        samples = subsample is not None or self._starts_cold()
        in_chunks = is_pool(X_pool) and not samples
        ask = self._ask_chunks if in_chunks else self._ask
        told = candidates, groups, max_per_group, pending
        where = storing_in(Place.of(self.storage))
        say = self._say if self.verbose else None
        with where as place, noting_products() as notes, said_by(say):
            answer = ask(X_pool, n, told, subsample, return_report)
        if answer.warning is not None and "start" not in self._doubts:
            warn_caller(answer.warning, QueryWarning)
        selection, whole, read = answer.selection, answer.feasible, answer.read
        report = QueryReport(
            **vars(selection)
            | {
                "nbytes": answer.nbytes + selection.nbytes,
                "notes": (*selection.notes, *notes),
            },
            strategy=str(answer.strategy),
            n_pool=whole.n_rows,
            n_candidates=whole.n_left,
            seconds={"outputs": read - start, "select": perf_counter() - read},
            nbytes_spilled=place.nbytes_spilled,
            n_passes=answer.n_passes,
            engine=answer.engine,
            n_subsample=answer.n_subsample,
            ids=X_pool.ids(selection.rows) if is_pool(X_pool) else None,
            model=answer.model,
            n_labeled=answer.n_labeled,
            predictions=answer.predictions,
        )
        self._say(str(report))
        return (selection.rows, report) if return_report else selection.rows

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
            What to read; None for what the strategy in use needs, of its target rows
            too.

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
        strategy = None
        if needs is None:
            strategy = self._use_strategy(estimator)
            needs = strategy.all_needs
        X = self._check_X(X, reset=False)
        needs = Needs.of(needs)
        options = self._options(needs)
        if like is not None:
            options = replace(options, scaling=like.scaling)
        with storing_in(Place.of(self.storage)), seeded(self._seed("inference")):
            outputs = self._read(estimator, X, needs, options)
            if strategy is None:
                return outputs
            targets = self._read_targets(estimator, strategy, options)
            return replace(outputs, targets=targets)

    @available_if(_has_scores)
    def score_pool(self, X_pool: Rows) -> NDArray[np.float64]:
        """Score rows by the strategy: the greater, the sooner to be labelled.

        Only with strategies that score each row by itself: "entropy", "margin",
        "least_confidence", for a classifier "bald", "vote_entropy" and "epig", and any
        `ScoreStrategy`. Noise has no part in the scores.

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
        self._validate_params()
        self._trained_estimator("score_pool")
        outputs = self.outputs(X_pool)
        with self._alone(self.strategy_, self._seed("scores"), X_pool):
            return self.strategy_.checked_score(outputs)
